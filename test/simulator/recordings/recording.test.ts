import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer, json } from 'node:stream/consumers';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import type { RecordingStateChanged, StartRecordingOptions } from '@azure/communication-call-automation';
import { CallAutomationClient, parseCallAutomationEvent } from '@azure/communication-call-automation';
import type { WebSocket } from 'ws';
import { parseWav, toSamples } from '../../../simulator/media/wav.ts';
import type { SimulatorOptions } from '../../../simulator/simulator.ts';
import type { AnsweredCall } from '../support/answered.ts';
import { answeredCall } from '../support/answered.ts';
import { findStorage } from '../support/recordings.ts';

/** One value for a minute: who is heard is told by it, and how many at once by the sum. */
const steady = (value: number) => ({ sampleRate: 16_000, samples: new Int16Array(60 * 16_000).fill(value) });

/** A minute of frames of which each is its number. */
const counting = {
  sampleRate: 16_000,
  samples: Int16Array.from({ length: 60 * 16_000 }, (_, at) => 1 + Math.floor(at / 320)),
};

/** What each frame begins with: there the tone of a prompt is at zero. */
const levels = (samples: Int16Array) => [...samples].filter((_, at) => at % 320 === 0);

const stepsOf = (numbers: readonly number[]) =>
  numbers.slice(1).map((number, at) => number - (numbers[at] ?? 0));

/** The channels of a WAV file, each as what its frames begin with. */
function channelsOf(wav: Buffer): number[][] {
  const count = wav.readUInt16LE(22);
  const samples = toSamples(wav.subarray(44));
  return Array.from({ length: count }, (_, channel) =>
    levels(samples.filter((_sample, at) => at % count === channel)),
  );
}

interface Chunk {
  documentId: string;
  contentLocation: string;
  metadataLocation: string;
  deleteLocation: string;
}
interface FileEvent {
  eventType: string;
  subject: string;
  data: {
    recordingStorageInfo: { recordingChunks: [Chunk] };
    recordingDurationMs: number;
    sessionEndReason: string;
  };
}

/** A call that is recorded with Microsoft's SDK. */
async function start(
  t: TestContext,
  callOptions: Parameters<typeof answeredCall>[1] = {},
  options: SimulatorOptions = {},
) {
  const answered = await answeredCall(t, { marked: false, sound: steady(1_000), ...callOptions }, options);
  const { simulator, app, call, connection } = answered;
  const client = new CallAutomationClient(simulator.connectionString, {
    allowInsecureConnection: true,
    retryOptions: { maxRetries: 0 },
    additionalPolicies: [findStorage(simulator.url)],
  });
  const recordings = client.getCallRecording();
  const { serverCallId = assert.fail() } = await connection.getCallConnectionProperties();
  const changes = () =>
    app.deliveries
      .filter(({ path }) => path.startsWith('/callbacks'))
      .map(({ body }) => parseCallAutomationEvent(JSON.stringify(body)))
      .filter((event): event is RecordingStateChanged => event.kind === 'RecordingStateChanged');

  return {
    ...answered,
    recordings,
    changes,
    callLocator: { kind: 'serverCallLocator', id: serverCallId } as const,
    record: (more: StartRecordingOptions = {}) =>
      recordings.start({
        callLocator: { kind: 'serverCallLocator', id: serverCallId },
        recordingContent: 'audio',
        recordingFormat: 'wav',
        ...more,
      }),
    /** The state's `nth` change, once the app has been told. */
    async changed(nth: number): Promise<RecordingStateChanged> {
      await call.until('event', ({ event }) => event === 'RecordingStateChanged' && changes().length >= nth);
      return changes()[nth - 1] ?? assert.fail();
    },
    /** What Event Grid says of the file. */
    async file() {
      await call.until('announced', ({ what, status }) => what === 'recording' && status === 200);
      const [event] = app.deliveries
        .filter(({ path }) => path === '/incoming')
        .map(({ body }) => (body as [FileEvent])[0]) // asserted by its use
        .filter(({ eventType }) => eventType === 'Microsoft.Communication.RecordingFileStatusUpdated');
      assert.ok(event);
      const [chunk] = event.data.recordingStorageInfo.recordingChunks;
      return { ...event, chunk };
    },
  };
}

/** An app that says 200 for each frame that it hears. */
const talking = {
  app: {
    media: {},
    onFrame(text: string, socket: WebSocket) {
      if (JSON.parse(text).kind !== 'AudioData') return;
      const data = Buffer.from(new Int16Array(480).fill(200).buffer).toString('base64');
      socket.send(JSON.stringify({ kind: 'AudioData', audioData: { data } }));
    },
  },
};

/** Resolves once this much of the call's time has gone by, told by a prompt that takes as long. */
async function pass({ connection, event }: AnsweredCall, operationContext: string) {
  const media = connection.getCallMedia();
  await media.playToAll([{ kind: 'fileSource', url: 'https://example.com/a.wav' }], { operationContext });
  await event('PlayCompleted', operationContext);
}

test('a recording is started, paused, resumed and stopped, and its file downloaded and deleted', async (t) => {
  const answered = await start(t, { sound: steady(1_000) });
  const { recordings, record, changed, file, call } = answered;
  const { recordingId = assert.fail(), recordingState, recordingKind } = await record();
  assert.equal(recordingState, 'active');
  assert.equal(recordingKind, 'azureCommunicationServices');
  const begun = await changed(1);
  assert.equal(begun.recordingId, recordingId);
  assert.equal(begun.state, 'active');
  assert.ok(Date.parse(String(begun.startDateTime)) > 0);
  assert.equal(begun.serverCallId, call.serverCallId);
  await recordings.pause(recordingId);
  assert.equal((await recordings.getState(recordingId)).recordingState, 'inactive');
  assert.equal((await changed(2)).state, 'inactive');
  await recordings.resume(recordingId);
  assert.equal((await recordings.getState(recordingId)).recordingState, 'active');
  assert.equal((await changed(3)).state, 'active');
  await recordings.stop(recordingId);
  assert.equal((await changed(4)).state, 'inactive');

  const { chunk, data, subject } = await file();
  assert.match(subject, new RegExp(`recordingId/${recordingId}$`));
  assert.equal(data.sessionEndReason, 'SessionEnded');
  const folder = await mkdtemp(join(tmpdir(), 'recording-'));
  t.after(() => rm(folder, { recursive: true }));
  const path = join(folder, 'call.wav');
  await recordings.downloadToPath(chunk.contentLocation, path);
  const wav = await readFile(path);
  const { sampleRate, samples } = parseWav(wav);
  assert.equal(sampleRate, 16_000);
  assert.equal(samples.length, (data.recordingDurationMs / 20) * 320);

  const part = await recordings.downloadStreaming(chunk.contentLocation, { offset: 8, length: 4 });
  assert.equal((await buffer(part)).toString(), 'WAVE');
  const rest = await recordings.downloadStreaming(chunk.contentLocation, { offset: 44 });
  assert.deepEqual(await buffer(rest), wav.subarray(44));
  await assert.rejects(recordings.downloadStreaming(chunk.contentLocation, { offset: wav.length }), {
    status: 416,
  });

  const stream = await recordings.downloadStreaming(chunk.metadataLocation);
  const metadata = (await json(stream)) as Record<string, unknown>; // asserted by its use
  assert.equal(metadata.chunkDocumentId, chunk.documentId);
  assert.equal(metadata.chunkDuration, data.recordingDurationMs);
  assert.equal((metadata.pauseResumeIntervals as unknown[]).length, 1);

  await recordings.delete(chunk.deleteLocation);
  await assert.rejects(recordings.downloadStreaming(chunk.contentLocation), { status: 404 });
  await assert.rejects(recordings.downloadStreaming(chunk.metadataLocation), { status: 404 });
  await assert.rejects(recordings.delete(chunk.deleteLocation), { status: 404 });
});

test('it holds what was said while it ran, and nothing of a pause', async (t) => {
  const answered = await start(t, { sound: counting });
  const { recordings, record, file } = answered;
  const { recordingId = assert.fail() } = await record({ pauseOnStart: true });
  assert.equal((await recordings.getState(recordingId)).recordingState, 'inactive');
  await pass(answered, 'before');
  await recordings.resume(recordingId);
  await pass(answered, 'first');
  await recordings.pause(recordingId);
  await pass(answered, 'pause');
  await recordings.resume(recordingId);
  await pass(answered, 'second');
  await recordings.stop(recordingId);
  const { chunk } = await file();
  const wav = parseWav(await buffer(await recordings.downloadStreaming(chunk.contentLocation)));
  const numbers = levels(wav.samples);
  const steps = stepsOf(numbers);
  assert.ok((numbers[0] ?? 0) > 1, 'nothing of what came before');
  assert.equal(steps.filter((step) => step !== 1).length, 1, 'one pause');
  const prompted = wav.samples.filter((sample, at) => sample > 1_000 + (numbers[Math.floor(at / 320)] ?? 0));
  assert.ok(prompted.length > 0, 'the prompts are in it');
});

test('the app and everyone else are mixed, with media streaming', async (t) => {
  const answered = await start(t, talking);
  await answered.call.until('upgrade');
  const { recordingId = assert.fail() } = await answered.record();
  await answered.event('RecordingStateChanged');
  await pass(answered, 'while it runs');
  await answered.recordings.stop(recordingId);
  const { chunk } = await answered.file();
  const wav = await buffer(await answered.recordings.downloadStreaming(chunk.contentLocation));
  assert.equal(parseWav(wav).sampleRate, 16_000);
  const [mixed = []] = channelsOf(wav);
  assert.ok(mixed.includes(1_200), `the sum of both: ${[...new Set(mixed)]}`);
});

test('a recording takes nothing away from who listens', async (t) => {
  const numbers: number[] = [];
  const onFrame = (text: string) => {
    const { kind, audioData } = JSON.parse(text);
    if (kind === 'AudioData') numbers.push(Buffer.from(audioData.data, 'base64').readInt16LE(0));
  };
  const app = { media: { audioFormat: 'Pcm16KMono' }, onFrame } as const;
  const answered = await start(t, { sound: counting, app });
  await answered.call.until('upgrade');
  const { recordingId = assert.fail() } = await answered.record();
  await pass(answered, 'while it runs');
  await answered.recordings.stop(recordingId);
  assert.ok(numbers.length > 1);
  assert.deepEqual([...new Set(stepsOf(numbers))], [1]);
});

test('unmixed, each has a channel: those who were named first, the others as they are heard', async (t) => {
  const colleague = '+15550121';
  const answered = await start(t, { ...talking, voices: { [colleague]: steady(3_000) } });
  const { connection, event, record, recordings, file } = answered;
  await answered.call.until('upgrade');
  await connection.addParticipant(
    { targetParticipant: { phoneNumber: colleague }, sourceCallIdNumber: { phoneNumber: '+15550199' } },
    {},
  );
  await event('AddParticipantSucceeded');
  const { recordingId = assert.fail() } = await record({
    recordingChannel: 'unmixed',
    audioChannelParticipantOrdering: [{ phoneNumber: '+15550177' }, { phoneNumber: colleague }],
  });
  await pass(answered, 'while it runs');
  await recordings.stop(recordingId);
  const { chunk } = await file();
  const channels = channelsOf(await buffer(await recordings.downloadStreaming(chunk.contentLocation)));
  const [nobody = [], colleagues = [], caller = [], app = []] = channels;
  assert.equal(channels.length, 4);
  assert.deepEqual([...new Set(nobody)], [0]);
  assert.deepEqual([...new Set(colleagues)], [3_000]);
  assert.deepEqual([...new Set(caller)], [1_000]);
  assert.ok(app.includes(200));
  const metadata = await json(await recordings.downloadStreaming(chunk.metadataLocation));
  const { participants } = metadata as { participants: { participantId: string; channel: number }[] }; // asserted by its use
  assert.deepEqual(
    participants.map(({ participantId, channel }) => [participantId, channel]).toSorted(),
    [
      ['4:+15550100', 2],
      [`4:${colleague}`, 1],
      ['4:+15550199', 3],
    ].toSorted(),
  );
});

test('the end of the call ends it, and its file outlives the call', async (t) => {
  const { call, recordings, record, changed, file } = await start(t);
  const { recordingId = assert.fail() } = await record();
  await changed(1);
  call.hangUp();
  const report = await call.ended;
  assert.deepEqual(report.events.slice(-2), ['RecordingStateChanged', 'CallDisconnected']);
  assert.equal((await changed(2)).state, 'inactive');
  const { chunk, data } = await file();
  assert.equal(data.sessionEndReason, 'CallEnded');
  const wav = await buffer(await recordings.downloadStreaming(chunk.contentLocation));
  assert.equal(wav.toString('latin1', 0, 4), 'RIFF');
  await assert.rejects(recordings.stop(recordingId), { statusCode: 404, code: '8522' });
  await assert.rejects(record(), { statusCode: 404, code: '8522' });
});

test('its state goes to a callback URI of its own, if it has one', async (t) => {
  const { app, call, recordings, connection } = await start(t);
  const { callConnectionId = assert.fail() } = await connection.getCallConnectionProperties();
  const own = `${app.callbacks}/recording`;
  const { recordingId = assert.fail() } = await recordings.start({
    callConnectionId,
    recordingStateCallbackEndpointUrl: own,
  });
  await call.until('event', ({ event }) => event === 'RecordingStateChanged');
  const where = app.deliveries.filter(({ body }) => JSON.stringify(body).includes(recordingId));
  assert.deepEqual(
    where.map(({ path }) => path),
    ['/callbacks/recording'],
  );
});

test('one at a time, of a call that there is, and nothing that is not running', async (t) => {
  const { simulator, recordings, record, callLocator } = await start(t);
  const { recordingId = assert.fail() } = await record();
  await assert.rejects(record(), { statusCode: 409, code: '8553' });
  await recordings.pause(recordingId);
  await recordings.pause(recordingId);
  await assert.rejects(record(), { statusCode: 409, code: '8553' });
  await recordings.stop(recordingId);
  for (const method of ['getState', 'pause', 'resume', 'stop'] as const) {
    await assert.rejects(recordings[method](recordingId), { statusCode: 404, code: '8522' }, method);
    await assert.rejects(recordings[method]('another'), { statusCode: 404, code: '8522' }, method);
  }
  const lost = { statusCode: 404, code: '8522' };
  await assert.rejects(recordings.start({ callLocator: { kind: 'serverCallLocator', id: 'another' } }), lost);
  await assert.rejects(recordings.start({ callLocator: { kind: 'groupCallLocator', id: 'a' } }), lost);
  await assert.rejects(recordings.start({ callLocator: { kind: 'roomCallLocator', id: 'a' } }), lost);
  await assert.rejects(recordings.start({ callConnectionId: 'another' }), lost);
  await assert.rejects(recordings.start({}), { statusCode: 400 });
  const { serverCallId } = simulator.placeCall({ announce: false });
  const rings = recordings.start({ callLocator: { kind: 'serverCallLocator', id: serverCallId } });
  await assert.rejects(rings, { statusCode: 400, code: '8501' });
  const refused: [StartRecordingOptions, number][] = [
    [{ recordingChannel: 'unmixed', recordingFormat: 'mp3' }, 400],
    [{ recordingChannel: 'unmixed', recordingContent: 'audioVideo' }, 400],
    [
      {
        recordingStorage: {
          recordingStorageKind: 'azureBlobStorage',
          recordingDestinationContainerUrl: 'https://example.com/recordings',
        },
      },
      501,
    ],
  ];
  for (const [options, statusCode] of refused)
    await assert.rejects(recordings.start({ callLocator, ...options }), { statusCode });
  const { recordingState } = await recordings.start({ callLocator });
  assert.equal(recordingState, 'active', 'again, as nothing was refused for good');
});

test('a token opens the storage as it opens the API', async (t) => {
  const { simulator, record, recordings, file } = await start(t, {}, { entra: true });
  const { recordingId = assert.fail() } = await record();
  await recordings.stop(recordingId);
  const { chunk } = await file();
  const { url, certificate, token } = simulator.entra ?? assert.fail();
  const getToken = async () => ({ token: await token(), expiresOnTimestamp: Date.now() + 3_600_000 });
  const byToken = new CallAutomationClient(
    url,
    { getToken },
    {
      tlsOptions: { ca: certificate },
      retryOptions: { maxRetries: 0 },
      additionalPolicies: [findStorage(url)],
    },
  ).getCallRecording();
  const wav = await buffer(await byToken.downloadStreaming(chunk.contentLocation));
  assert.equal(wav.toString('latin1', 0, 4), 'RIFF');
  await byToken.delete(chunk.deleteLocation);
  await assert.rejects(byToken.downloadStreaming(chunk.contentLocation), { status: 404 });
});

test('what is not signed is not handed out', async (t) => {
  const { simulator, recordings, record, file } = await start(t);
  const { recordingId = assert.fail() } = await record();
  await recordings.stop(recordingId);
  const { chunk } = await file();
  for (const [location, method] of [
    [chunk.contentLocation, 'GET'],
    [chunk.metadataLocation, 'GET'],
    [chunk.deleteLocation, 'DELETE'],
  ] as const) {
    const response = await fetch(simulator.url + new URL(location).pathname, { method });
    assert.equal(response.status, 401);
  }
});
