import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DtmfTone } from '@azure/communication-call-automation';
import { answeredCall } from './support/answered.ts';

const caller = { phoneNumber: '+15550100' };
const file = { kind: 'fileSource', url: 'https://example.com/menu.wav' } as const;
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

test('what can not be recognized is said', async (t) => {
  const { connection, names } = await answeredCall(t);
  const media = connection.getCallMedia();
  const speech = { kind: 'callMediaRecognizeSpeechOptions' } as const;
  await assert.rejects(media.startRecognizing(caller, { ...speech }), { statusCode: 501 });
  await assert.rejects(media.startRecognizing({ phoneNumber: '+15550111' }, { ...dtmf }), {
    statusCode: 404,
  });
  assert.deepEqual(names(), []);
});
