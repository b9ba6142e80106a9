import assert from 'node:assert/strict';
import { test } from 'node:test';
import { resample, toSamples } from '../../../simulator/media/wav.ts';
import { answeredCall } from '../support/answered.ts';
import { serveFiles } from '../support/files.ts';
import { monoWav } from '../support/wav.ts';

const file = { kind: 'fileSource', url: 'https://example.com/welcome.wav' } as const;
const text = { kind: 'textSource', text: 'Welcome.', voiceName: 'en-US-AvaNeural' } as const;
const ssml = { kind: 'ssmlSource', ssmlText: '<speak>Welcome</speak>' } as const;
const answer = { callIntelligenceOptions: { cognitiveServicesEndpoint: 'https://example.com/' } };

test('a file, a text and SSML are played one after another', async (t) => {
  const { connection, event, names } = await answeredCall(t, { app: { answer } });
  const media = connection.getCallMedia();
  await media.playToAll([file], { operationContext: 'file' });
  await media.playToAll([text], { operationContext: 'text' });
  await media.play([ssml], [{ phoneNumber: '+15550100' }], { operationContext: 'ssml' });
  for (const operationContext of ['file', 'text', 'ssml']) {
    await event('PlayStarted', operationContext);
    const { resultInformation } = await event('PlayCompleted', operationContext);
    assert.equal(resultInformation?.code, 200);
    assert.equal(resultInformation?.subCode, 0);
  }
  const one = ['PlayStarted', 'PlayCompleted'];
  assert.deepEqual(names(), [...one, ...one, ...one]);
});

test('what is played is heard as a tone, whatever the app says besides', async (t) => {
  const { call, connection, event } = await answeredCall(t, { sound: 'silence', app: { media: {} } });
  await call.until('upgrade');
  await connection.getCallMedia().playToAll([file]);
  await event('PlayCompleted');
  const { app } = call.stream?.audio() ?? assert.fail('no media');
  const loud = toSamples(app).filter((sample) => Math.abs(sample) > 1_000).length;
  assert.ok(loud > 1_000, `${loud} samples are heard`);
});

/** Not a whole number of frames at any rate, without a zero at either end. */
const makeSound = (sampleRate: number) => ({
  sampleRate,
  samples: Int16Array.from({ length: 4_001 }, (_, i) => ((i * 7_919) % 30_000) - 20_000),
});

/** What was heard, from the first sample that isn't silence to the last. */
function heardIn(audio: Buffer): Int16Array {
  const samples = toSamples(audio);
  return samples.subarray(
    samples.findIndex((sample) => sample !== 0),
    samples.findLastIndex((sample) => sample !== 0) + 1,
  );
}

test('a WAV file on this machine is heard sample by sample', async (t) => {
  for (const sampleRate of [8_000, 24_000]) {
    const sound = makeSound(sampleRate);
    const { url } = await serveFiles(t, { '/welcome.wav': monoWav(sound) });
    const app = { media: {}, onFrame: () => {} };
    const { call, connection, event } = await answeredCall(t, { sound: 'silence', app });
    await call.until('upgrade');
    await connection.getCallMedia().playToAll([{ kind: 'fileSource', url: `${url}/welcome.wav` }]);
    await event('PlayCompleted');
    const heard = heardIn(call.stream?.audio().app ?? assert.fail('no media'));
    assert.deepEqual(heard, resample(sound, 24_000));
  }
});

test('a WAV file that loops is fetched once and heard again', async (t) => {
  const sound = makeSound(24_000);
  const files = await serveFiles(t, { '/music.wav': monoWav(sound) });
  const { promise: twice, resolve } = Promise.withResolvers<void>();
  const hear = () => call?.stream && heardIn(call.stream.audio().app);
  const onFrame = () => {
    if ((hear()?.length ?? 0) > 2 * sound.samples.length) resolve();
  };
  let call: Awaited<ReturnType<typeof answeredCall>>['call'] | undefined;
  const answered = await answeredCall(t, { sound: 'silence', app: { media: {}, onFrame } });
  call = answered.call;
  const media = answered.connection.getCallMedia();
  await media.playToAll([{ kind: 'fileSource', url: `${files.url}/music.wav` }], { loop: true });
  await twice;
  await media.cancelAllOperations();
  await answered.event('PlayCanceled');
  assert.deepEqual(hear()?.subarray(0, sound.samples.length), sound.samples);
  assert.deepEqual(files.asked, ['/music.wav']);
});

test('a file on this machine that is missing, or no WAV, is not played', async (t) => {
  const { url } = await serveFiles(t, { '/welcome.mp3': Buffer.from('ID3') });
  const { connection, event, names } = await answeredCall(t);
  const media = connection.getCallMedia();
  for (const [path, subCode] of [
    ['/welcome.mp3', 8535],
    ['/missing.wav', 8536],
  ] as const) {
    const prompts = [file, { kind: 'fileSource', url: url + path } as const];
    await media.playToAll(prompts, { operationContext: path });
    const failed = await event('PlayFailed', path);
    assert.deepEqual([failed.resultInformation?.code, failed.resultInformation?.subCode], [400, subCode]);
    assert.equal(failed.failedPlaySourceIndex, 1);
  }
  assert.deepEqual(names(), ['PlayFailed', 'PlayFailed']);
});

test('a loop plays until it is canceled, and what waits for it is canceled with it', async (t) => {
  const { connection, event, names } = await answeredCall(t);
  const media = connection.getCallMedia();
  await media.playToAll([file], { loop: true, operationContext: 'loop' });
  await media.playToAll([file], { operationContext: 'waits' });
  await event('PlayStarted', 'loop');
  await media.cancelAllOperations();
  const { resultInformation } = await event('PlayCanceled', 'loop');
  assert.equal(resultInformation?.code, 400);
  assert.equal(resultInformation?.subCode, 8508);
  await event('PlayCanceled', 'waits');
  await media.playToAll([file], { operationContext: 'after' });
  await event('PlayCompleted', 'after');
  assert.deepEqual(names(), ['PlayStarted', 'PlayCanceled', 'PlayCanceled', 'PlayStarted', 'PlayCompleted']);
});

test('a prompt can interrupt another', async (t) => {
  const { connection, event } = await answeredCall(t);
  const media = connection.getCallMedia();
  await media.playToAll([file], { loop: true, operationContext: 'loop' });
  await media.playToAll([file], { interruptCallMediaOperation: true, operationContext: 'next' });
  await event('PlayCanceled', 'loop');
  await event('PlayCompleted', 'next');
});

test('a text needs a speech service, and a file may be missing', async (t) => {
  const { connection, event } = await answeredCall(t, { fails: ['play'] });
  const media = connection.getCallMedia();
  await media.playToAll([file, text], { operationContext: 'text' });
  const unread = await event('PlayFailed', 'text');
  assert.equal(unread.resultInformation?.subCode, 8565);
  assert.equal(unread.failedPlaySourceIndex, 1);
  await media.playToAll([file], { operationContext: 'file' });
  const missing = await event('PlayFailed', 'file');
  assert.equal(missing.resultInformation?.subCode, 8536);
  assert.equal(missing.failedPlaySourceIndex, 0);
});

test('a call that ends ends what is played', async (t) => {
  const { call, connection, event, names } = await answeredCall(t);
  await connection.getCallMedia().playToAll([file], { loop: true });
  await event('PlayStarted');
  call.hangUp();
  await call.ended;
  assert.deepEqual(names(), ['PlayStarted']);
});
