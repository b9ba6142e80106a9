import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CallMediaRecognizeChoiceOptions } from '@azure/communication-call-automation';
import { DtmfTone } from '@azure/communication-call-automation';
import { answeredCall } from '../support/answered.ts';
import { serveFiles } from '../support/files.ts';

const caller = { phoneNumber: '+15550100' };
const file = { kind: 'fileSource', url: 'https://example.com/menu.wav' } as const;
const answer = { callIntelligenceOptions: { cognitiveServicesEndpoint: 'https://example.com/' } };
const choices: CallMediaRecognizeChoiceOptions = {
  kind: 'callMediaRecognizeChoiceOptions',
  choices: [
    { label: 'Confirm', phrases: ['Confirm', 'I do', "That's right"], tone: DtmfTone.One },
    { label: 'Cancel', phrases: ['Cancel'], tone: DtmfTone.Two },
  ],
};
const speech = { kind: 'callMediaRecognizeSpeechOptions' } as const;
const either = { kind: 'callMediaRecognizeSpeechOrDtmfOptions', maxTonesToCollect: 2 } as const;
const dtmf = { kind: 'callMediaRecognizeDtmfOptions' } as const;

test('as many keys as were asked for', async (t) => {
  const { call, connection, event } = await answeredCall(t);
  await connection.getCallMedia().startRecognizing(caller, {
    ...dtmf,
    maxTonesToCollect: 3,
    interToneTimeoutInSeconds: 60,
    playPrompt: file,
    interruptPrompt: true,
  });
  await call.press('12#4');
  const { recognitionType, dtmfResult, resultInformation } = await event('RecognizeCompleted');
  assert.equal(recognitionType, 'dtmf');
  assert.deepEqual(dtmfResult?.tones, ['one', 'two', 'pound']);
  assert.equal(resultInformation?.code, 200);
  assert.equal(resultInformation?.subCode, 8531);
});

test('keys up to the one that ends them', async (t) => {
  const { call, connection, event } = await answeredCall(t);
  await connection.getCallMedia().startRecognizing(caller, {
    ...dtmf,
    stopDtmfTones: [DtmfTone.Pound],
    maxTonesToCollect: 9,
    interToneTimeoutInSeconds: 60,
    operationContext: 'pin',
  });
  await call.press('12#');
  const { dtmfResult, resultInformation } = await event('RecognizeCompleted', 'pin');
  assert.deepEqual(dtmfResult?.tones, ['one', 'two']);
  assert.equal(resultInformation?.subCode, 8514);
});

test('silence fails, at first and between keys', async (t) => {
  const { call, connection, event } = await answeredCall(t);
  const media = connection.getCallMedia();
  await media.startRecognizing(caller, { ...dtmf, maxTonesToCollect: 1, operationContext: 'first' });
  const first = await event('RecognizeFailed', 'first');
  assert.deepEqual(first.resultInformation?.code, 400);
  assert.deepEqual(first.resultInformation?.subCode, 8510);
  await media.startRecognizing(caller, { ...dtmf, maxTonesToCollect: 2, operationContext: 'between' });
  await call.press('1');
  const between = await event('RecognizeFailed', 'between');
  assert.deepEqual(between.resultInformation?.subCode, 8532);
});

test('a prompt that is not to be interrupted is heard to its end, and keys meanwhile are lost', async (t) => {
  const { call, connection, event } = await answeredCall(t);
  const options = { ...dtmf, maxTonesToCollect: 1, playPrompts: Array(5).fill(file), interruptPrompt: false };
  await connection.getCallMedia().startRecognizing(caller, options);
  await call.press('1');
  const { resultInformation } = await event('RecognizeFailed');
  assert.deepEqual(resultInformation?.subCode, 8510);
});

test('recognizing is canceled, or fails for its prompt', async (t) => {
  const { connection, event } = await answeredCall(t);
  const media = connection.getCallMedia();
  const minute = { ...dtmf, maxTonesToCollect: 1, initialSilenceTimeoutInSeconds: 60 };
  await media.startRecognizing(caller, { ...minute, operationContext: 'canceled' });
  await media.cancelAllOperations();
  const { resultInformation } = await event('RecognizeCanceled', 'canceled');
  assert.equal(resultInformation?.subCode, 8508);
  const text = { kind: 'textSource', text: 'Your number?' } as const;
  await media.startRecognizing(caller, { ...minute, playPrompts: [file, text], operationContext: 'prompt' });
  const failed = await event('RecognizeFailed', 'prompt');
  assert.equal(failed.resultInformation?.subCode, 8565);
  assert.equal(failed.failedPlaySourceIndex, 1);
});

test('a phrase is chosen, whatever its case and punctuation', async (t) => {
  const { connection, event } = await answeredCall(t, { words: ['Thats RIGHT!'], app: { answer } });
  await connection.getCallMedia().startRecognizing(caller, { ...choices, operationContext: 'choice' });
  const { recognitionType, choiceResult, resultInformation } = await event('RecognizeCompleted', 'choice');
  assert.equal(recognitionType, 'choices');
  assert.deepEqual(choiceResult, { label: 'Confirm', recognizedPhrase: "That's right", confidence: 1 });
  assert.deepEqual([resultInformation?.code, resultInformation?.subCode], [200, 8545]);
});

test('a choice is made with its key, or with a wrong one', async (t) => {
  const { call, connection, event } = await answeredCall(t, { app: { answer } });
  const media = connection.getCallMedia();
  await media.startRecognizing(caller, { ...choices, initialSilenceTimeoutInSeconds: 60 });
  await call.press('2');
  const { recognitionType, choiceResult, resultInformation } = await event('RecognizeCompleted');
  assert.equal(recognitionType, 'choices');
  assert.deepEqual(choiceResult, { label: 'Cancel' });
  assert.deepEqual([resultInformation?.code, resultInformation?.subCode], [200, 8533]);
  await media.startRecognizing(caller, { ...choices, initialSilenceTimeoutInSeconds: 60 });
  await call.press('3');
  const wrong = await event('RecognizeFailed');
  assert.deepEqual([wrong.resultInformation?.code, wrong.resultInformation?.subCode], [500, 8534]);
});

test('keys choose nothing where no choice has one', async (t) => {
  const { call, connection, event } = await answeredCall(t, { app: { answer } });
  const spoken = choices.choices.map(({ label, phrases }) => ({ label, phrases }));
  await connection.getCallMedia().startRecognizing(caller, { kind: choices.kind, choices: spoken });
  await call.press('1');
  assert.equal((await event('RecognizeFailed')).resultInformation?.subCode, 8510);
});

test('no choice is made with another phrase, a mumble or silence', async (t) => {
  const words = ['I do not', '…'];
  const { connection, event } = await answeredCall(t, { words, app: { answer } });
  const media = connection.getCallMedia();
  const codes = [];
  for (const operationContext of ['another', 'mumble', 'silence']) {
    await media.startRecognizing(caller, { ...choices, operationContext });
    codes.push((await event('RecognizeFailed', operationContext)).resultInformation?.subCode);
  }
  assert.deepEqual(codes, [8547, 8563, 8510]);
});

test('speech interrupts a prompt, and is all that is said until the caller has been silent', async (t) => {
  const { call, connection, event } = await answeredCall(t, { app: { answer } });
  await connection.getCallMedia().startRecognizing(caller, {
    ...speech,
    playPrompts: Array(10_000).fill(file),
    interruptPrompt: true,
    endSilenceTimeoutInSeconds: 1,
  });
  await call.press('7'); // nobody listens to keys
  call.say('I have lost my card,');
  call.say('and my key.');
  const { recognitionType, speechResult, resultInformation } = await event('RecognizeCompleted');
  assert.equal(recognitionType, 'speech');
  assert.deepEqual(speechResult, { speech: 'I have lost my card, and my key.', confidence: 1 });
  assert.deepEqual([resultInformation?.code, resultInformation?.subCode], [200, 8569]);
});

test('speech or keys: what begins first is what counts', async (t) => {
  const { call, connection, event } = await answeredCall(t, { words: ['Four, two.'], app: { answer } });
  const media = connection.getCallMedia();
  await media.startRecognizing(caller, { ...either, operationContext: 'speech' });
  const spoken = await event('RecognizeCompleted', 'speech');
  assert.equal(spoken.recognitionType, 'speech');
  assert.equal(spoken.speechResult?.speech, 'Four, two.');
  await media.startRecognizing(caller, {
    ...either,
    interToneTimeoutInSeconds: 60,
    operationContext: 'keys',
  });
  await call.press('4');
  call.say('no, wait');
  await call.press('2');
  const pressed = await event('RecognizeCompleted', 'keys');
  assert.equal(pressed.recognitionType, 'dtmf');
  assert.deepEqual(pressed.dtmfResult?.tones, ['four', 'two']);
});

test('nobody listens to words without a speech service', async (t) => {
  const { connection, event } = await answeredCall(t, { words: ['confirm'] });
  const media = connection.getCallMedia();
  for (const options of [choices, speech, either]) {
    await media.startRecognizing(caller, { ...options, operationContext: options.kind });
    const { resultInformation } = await event('RecognizeFailed', options.kind);
    assert.deepEqual([resultInformation?.code, resultInformation?.subCode], [400, 8565]);
  }
});

test('a prompt that can not be had fails with it', async (t) => {
  const { url } = await serveFiles(t, {});
  const { connection, event } = await answeredCall(t);
  const missing = { kind: 'fileSource', url: `${url}/missing.wav` } as const;
  const options = { ...dtmf, maxTonesToCollect: 1, playPrompts: [file, missing] };
  await connection.getCallMedia().startRecognizing(caller, options);
  const { failedPlaySourceIndex, resultInformation } = await event('RecognizeFailed');
  assert.equal(failedPlaySourceIndex, 1);
  assert.deepEqual([resultInformation?.code, resultInformation?.subCode], [500, 8511]);
});

test('recognizing is told to fail', async (t) => {
  const { connection, event } = await answeredCall(t, { fails: ['recognize'], app: { answer } });
  const media = connection.getCallMedia();
  await media.startRecognizing(caller, { ...speech, playPrompts: [file] });
  const { failedPlaySourceIndex, resultInformation } = await event('RecognizeFailed');
  assert.equal(failedPlaySourceIndex, 0);
  assert.deepEqual([resultInformation?.code, resultInformation?.subCode], [500, 8511]);
});

test('what can not be recognized is refused', async (t) => {
  const { connection, names } = await answeredCall(t);
  const media = connection.getCallMedia();
  await assert.rejects(media.startRecognizing(caller, { ...choices, choices: [] }), { statusCode: 400 });
  await assert.rejects(media.startRecognizing({ phoneNumber: '+15550111' }, { ...dtmf }), {
    statusCode: 404,
  });
  assert.deepEqual(names(), []);
});
