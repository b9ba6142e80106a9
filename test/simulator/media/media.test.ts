import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import { WebSocket } from 'ws';
import type { SimulatedCall } from '../../../simulator/calls/handle.ts';
import type { CallReport } from '../../../simulator/calls/report.ts';
import type { ReceivedFrame } from '../../../simulator/media/stream.ts';
import type { SimulatorOptions } from '../../../simulator/simulator.ts';
import { createSimulator } from '../../../simulator/simulator.ts';
import type { App, AppOptions } from '../support/app.ts';
import { echo, startApp } from '../support/app.ts';

async function start(t: TestContext, appOptions: Partial<AppOptions> = {}, options: SimulatorOptions = {}) {
  const simulator = await createSimulator({ frameMs: 4, keyMs: 1, graceMs: 200, ...options });
  t.after(() => simulator.close());
  const app = await startApp(t, { connectionString: simulator.connectionString, ...appOptions });
  return { simulator, app };
}

/** The call has ended and the app has read to the end of its sockets. */
async function over(call: SimulatedCall, app: App): Promise<CallReport> {
  const report = await call.ended;
  await Promise.all(
    app.sockets.map((socket) => socket.readyState === WebSocket.CLOSED || once(socket, 'close')),
  );
  return report;
}

const audio = (pcm: Buffer) =>
  JSON.stringify({ Kind: 'AudioData', AudioData: { Data: pcm.toString('base64') } });
const stopAudio = JSON.stringify({ Kind: 'StopAudio', AudioData: null, StopAudio: {} });

test('an echo comes back whole: every frame is known by its content', async (t) => {
  const { simulator, app } = await start(t);
  const report = await simulator.placeCall({ app: app.webhook, seconds: 2 }).ended;
  assert.equal(report.problem, undefined);
  assert.equal(report.outcome, 'the caller hung up');
  const { media } = report;
  assert.ok(media);
  assert.deepEqual([media.sent, media.received, media.returned], [100, 100, 100]);
  assert.deepEqual([media.lost, media.repeated, media.foreign], [0, 0, 0]);
  assert.ok((media.roundTripMs?.p50 ?? 0) > 0);
  assert.ok((media.roundTripMs?.p99 ?? 0) >= (media.roundTripMs?.p50 ?? 0));
});

test('an app may cut its audio into pieces of any size', async (t) => {
  let rest = Buffer.alloc(0);
  const rechunk = (text: string, socket: WebSocket) => {
    const frame = JSON.parse(text);
    if (frame.kind !== 'AudioData') return;
    rest = Buffer.concat([rest, Buffer.from(frame.audioData.data, 'base64')]);
    for (; rest.length >= 700; rest = rest.subarray(700)) socket.send(audio(rest.subarray(0, 700)));
  };
  const { simulator, app } = await start(t, { onFrame: rechunk });
  const { media } = await simulator.placeCall({ app: app.webhook, seconds: 1 }).ended;
  assert.ok((media?.returned ?? 0) >= 49);
});

test('frames that are lost, repeated or of another call are counted', async (t) => {
  let heard = 0;
  let foreign: WebSocket | undefined;
  const mess = (text: string, socket: WebSocket) => {
    if (JSON.parse(text).kind !== 'AudioData') return;
    foreign ??= socket;
    if (foreign === socket) return echo(text, socket);
    heard += 1;
    if (heard === 3) return;
    echo(text, socket);
    if (heard === 5) echo(text, socket);
    if (heard === 7) echo(text, foreign);
  };
  const { simulator, app } = await start(t, { onFrame: mess }, { graceMs: 500 });
  const other = simulator.placeCall({ app: app.webhook });
  await other.until('upgrade');
  const report = await simulator.placeCall({ app: app.webhook, seconds: 1 }).ended;
  assert.deepEqual([report.media?.lost, report.media?.repeated], [1, 1]);
  other.hangUp();
  const theirs = await other.ended;
  assert.equal(theirs.media?.foreign, 1);
  assert.match(theirs.problem ?? '', /1 frames of another call/);
});

test('an app that says nothing is no echo: then nothing is lost', async (t) => {
  const { simulator, app } = await start(t, { onFrame: () => {} });
  const report = await simulator.placeCall({ app: app.webhook, seconds: 0.5 }).ended;
  assert.equal(report.problem, undefined);
  assert.equal(report.media?.lost, undefined);
  assert.equal(report.media?.roundTripMs, undefined);
});

test('frames are as ACS sends them, in either format', async (t) => {
  for (const [audioFormat, sampleRate] of [
    ['Pcm24KMono', 24_000],
    ['Pcm16KMono', 16_000],
  ] as const) {
    const frames: { kind: string; audioMetadata: object; audioData: Record<string, unknown> }[] = [];
    const onFrame = (text: string) => frames.push(JSON.parse(text));
    const { simulator, app } = await start(t, {
      onFrame,
      media: { audioFormat, audioChannelType: 'unmixed' },
    });
    await over(simulator.placeCall({ app: app.webhook, from: '+15550100', seconds: 0.2 }), app);
    const [metadata, ...rest] = frames;
    const length = sampleRate / 25;
    assert.equal(metadata?.kind, 'AudioMetadata');
    assert.partialDeepStrictEqual(metadata?.audioMetadata, {
      encoding: 'PCM',
      sampleRate,
      channels: 1,
      length,
    });
    assert.equal(rest.length, 10);
    for (const { kind, audioData } of rest) {
      assert.equal(kind, 'AudioData');
      assert.equal(Buffer.from(String(audioData.data), 'base64').length, length);
      assert.equal(audioData.participantRawID, '4:+15550100');
      assert.equal(typeof audioData.silent, 'boolean');
      assert.ok(Date.parse(String(audioData.timestamp)));
    }
  }
});

test('mixed audio names nobody', async (t) => {
  const frames: string[] = [];
  const { simulator, app } = await start(t, { onFrame: (text) => frames.push(text) });
  await over(simulator.placeCall({ app: app.webhook, seconds: 0.1 }), app);
  assert.equal(frames.length, 6);
  assert.ok(frames.every((text) => !text.includes('participantRawID')));
});

test('a caller may say a sound, and then nothing', async (t) => {
  const heard: { data: string; silent: boolean }[] = [];
  const onFrame = (text: string) => heard.push(JSON.parse(text).audioData);
  const { simulator, app } = await start(t, { onFrame });
  const sound = { sampleRate: 24_000, samples: new Int16Array(480).fill(1234) };
  await over(simulator.placeCall({ app: app.webhook, sound, marked: false, seconds: 0.1 }), app);
  const frames = heard.slice(1);
  assert.deepEqual(
    frames.map(({ silent }) => silent),
    [false, true, true, true, true],
  );
  assert.deepEqual(Buffer.from(frames[0]?.data ?? '', 'base64'), Buffer.from(sound.samples.buffer));
});

test('keys come as DtmfData, if the app asked for them', async (t) => {
  for (const enableDtmfTones of [true, false]) {
    const keys: string[] = [];
    const onFrame = (text: string) => {
      const frame = JSON.parse(text);
      if (frame.kind === 'DtmfData') keys.push(frame.dtmfData.data);
    };
    const { simulator, app } = await start(t, { onFrame, media: { enableDtmfTones } });
    await over(simulator.placeCall({ app: app.webhook, digits: '12#', seconds: 1 }), app);
    assert.deepEqual(keys, enableDtmfTones ? ['1', '2', '#'] : []);
  }
});

test('what the app says is heard in real time, and StopAudio empties the buffer', async (t) => {
  const said = Buffer.alloc(960 * 50, 7);
  const say = (socket: WebSocket) => socket.send(audio(said));
  const { simulator, app } = await start(t, { onSocket: say, onFrame: () => {} });
  const stopped = Promise.withResolvers<number>();
  const onFrame = ({ kind }: ReceivedFrame) => {
    if (kind === 'stop') stopped.resolve(call.stream?.waitingMs ?? -1);
  };
  const call = simulator.placeCall({ app: app.webhook, sound: 'silence', seconds: 0.4, onFrame });
  await call.until('upgrade');
  app.sockets[0]?.once('message', () => app.sockets[0]?.send(stopAudio));
  assert.equal(await stopped.promise, 0);
  const { media } = await call.ended;
  assert.ok(media);
  assert.equal(media.stops, 1);
  assert.equal(media.heardMs + media.stoppedMs, 1_000);
  assert.ok(media.heardMs < 400, `${media.heardMs} ms were heard`);
});

test('the audio of a call is kept, both sides of it', async (t) => {
  const { simulator, app } = await start(t);
  const keep = async (keepSeconds: number) => {
    const call = simulator.placeCall({ app: app.webhook, seconds: 0.5, keepSeconds });
    await call.ended;
    return call.stream?.audio() ?? assert.fail();
  };
  const firstFrame = (pcm: Buffer) => {
    const begin = pcm.findIndex((byte) => byte !== 0);
    assert.ok(begin >= 0);
    const start = begin - (begin % 960);
    return pcm.subarray(start, start + 960);
  };
  const { sampleRate, caller, app: heard } = await keep(60);
  assert.equal(sampleRate, 24_000);
  assert.deepEqual(firstFrame(heard), firstFrame(caller), 'an echo is what was said');
  assert.equal((await keep(0.1)).caller.length, 960 * 5);
});

test('what is no audio is not heard, and the report says why', async (t) => {
  const talk = (socket: WebSocket) => {
    socket.send(audio(Buffer.alloc(961)));
    socket.send(Buffer.alloc(960));
    socket.send('hello');
  };
  const { simulator, app } = await start(t, { onSocket: talk, onFrame: () => {} });
  const report = await simulator.placeCall({ app: app.webhook, seconds: 0.2 }).ended;
  assert.deepEqual(report.media?.unheard, {
    'an odd number of bytes, so not 16-bit PCM': 1,
    'a binary frame': 1,
    'not JSON': 1,
  });
  assert.equal(report.media?.heardMs, 0);
  assert.match(report.problem ?? '', /did not hear what the app said: an odd number/);
});

test('on a stream that is not bidirectional nothing is heard', async (t) => {
  const { simulator, app } = await start(t, { media: { enableBidirectional: false } });
  const report = await simulator.placeCall({ app: app.webhook, seconds: 0.5 }).ended;
  assert.equal(report.media?.heardMs, 0);
  assert.equal(report.media?.unheard['the stream is not bidirectional'], 25);
});

test('an upgrade that is refused fails the media, not the call', async (t) => {
  const { simulator, app } = await start(t, { upgradeStatus: 403 });
  const call = simulator.placeCall({ app: app.webhook });
  const { status } = await call.until('upgrade');
  assert.equal(status, 403);
  await call.until('event', ({ event }) => event === 'MediaStreamingFailed');
  assert.equal(call.state, 'connected');
  const body = app.deliveries.findLast(({ path }) => path === '/callbacks')?.body;
  assert.match(JSON.stringify(body), /"code":400,"subCode":8581/);
  call.hangUp();
  assert.equal((await call.ended).problem, 'the app refused the media WebSocket: 403');
});

test('a socket that the app closes is told', async (t) => {
  const { simulator, app } = await start(t, { onSocket: (socket) => socket.close(1011, 'a handler threw') });
  const call = simulator.placeCall({ app: app.webhook });
  const closed = await call.until('media-closed');
  assert.deepEqual([closed.by, closed.code, closed.reason], ['app', 1011, 'a handler threw']);
  call.hangUp();
  assert.equal((await call.ended).problem, 'the app closed the media WebSocket: 1011 a handler threw');
});

test('a dropped socket: frames go on over the next one, and no frame is sent twice', async (t) => {
  const { simulator, app } = await start(t);
  simulator.setFaults({ dropMediaAfterMs: 40 });
  const call = simulator.placeCall({ app: app.webhook });
  const { by } = await call.until('media-closed');
  assert.equal(by, 'simulator');
  simulator.setFaults({ dropMediaAfterMs: null });
  await app.connections[0]?.getCallMedia().startMediaStreaming();
  await call.until('upgrade', ({ status }) => status === 101 && app.sockets.length === 2);
  const sent = call.stream?.counts.sent ?? 0;
  const more = Promise.withResolvers<void>();
  app.sockets[1]?.on('message', () => (call.stream?.counts.sent ?? 0) > sent + 5 && more.resolve());
  await more.promise;
  call.hangUp();
  const { media } = await call.ended;
  assert.equal(media?.repeated, 0);
});

test('another socket takes over; raw frames and a cut are for the test to send', async (t) => {
  const frames: string[] = [];
  const raw = Promise.withResolvers<void>();
  const onFrame = (text: string) => {
    frames.push(text);
    if (text === 'garbage') raw.resolve();
  };
  const { simulator, app } = await start(t, { onFrame });
  const call = simulator.placeCall({ app: app.webhook });
  await call.until('upgrade');
  const first = call.stream?.socket;
  const { status, socket } = await call.openMedia({ headers: { 'x-ms-call-connection-id': 'another' } });
  assert.equal(status, 101);
  assert.equal(call.stream?.socket, socket);
  assert.equal(app.upgrades[1]?.headers['x-ms-call-connection-id'], 'another');
  first?.drop();
  assert.equal((await call.until('media-closed')).expected, true);
  socket?.send('garbage');
  await raw.promise;
});

test('after a stall the frames that it held up are sent, and are late', async (t) => {
  let stalled = 0;
  const clock = () => performance.now() + stalled;
  const begun = Promise.withResolvers<void>();
  const onFrame = (text: string) => {
    if (JSON.parse(text).kind === 'AudioData') begun.resolve();
  };
  const { simulator, app } = await start(t, { onFrame }, { frameMs: 20, clock });
  const call = simulator.placeCall({ app: app.webhook, seconds: 1 });
  await begun.promise;
  stalled = 600;
  const { media } = await call.ended;
  assert.equal(media?.sent, 50);
  assert.ok((media?.late ?? 0) >= 28, `${media?.late} were late`);
});

test('a slow reader: what the app sends waits on its side', async (t) => {
  const flooded = Promise.withResolvers<number>();
  const flood = (socket: WebSocket) => {
    const frame = audio(Buffer.alloc(48_000));
    const go = () => {
      if (socket.bufferedAmount > 8_000_000) return flooded.resolve(socket.bufferedAmount);
      for (let i = 0; i < 100; i++) socket.send(frame);
      setImmediate(go);
    };
    socket.once('message', go);
  };
  const { simulator, app } = await start(t, { onSocket: flood, onFrame: () => {} });
  const call = simulator.placeCall({ app: app.webhook });
  await call.until('upgrade');
  call.stream?.socket?.pause();
  assert.ok((await flooded.promise) > 8_000_000);
});

test('a caller whom nobody hears hangs up all the same', async (t) => {
  for (const appOptions of [
    { media: null },
    { upgradeStatus: 403 },
    { media: { startMediaStreaming: false } },
  ]) {
    const { simulator, app } = await start(t, appOptions);
    const report = await simulator.placeCall({ app: app.webhook, seconds: 1 }).ended;
    assert.equal(report.outcome, 'the caller hung up');
  }
  const { simulator, app } = await start(t, { onSocket: (socket) => socket.close(1011) });
  assert.equal(
    (await simulator.placeCall({ app: app.webhook, seconds: 1 }).ended).outcome,
    'the caller hung up',
  );
});

test('media that was stopped can be started at once', async (t) => {
  const { simulator, app } = await start(t);
  const call = simulator.placeCall({ app: app.webhook });
  await call.until('upgrade');
  const media = app.connections[0]?.getCallMedia();
  await media?.stopMediaStreaming();
  await call.until('media-closed', ({ expected }) => expected);
  await media?.startMediaStreaming();
  await call.until('upgrade', () => app.sockets.length === 2);
  assert.equal(call.report().problem, undefined);
});

test('an app that says goodbye on the WebSocket before it hangs up has done nothing wrong', async (t) => {
  const { simulator, app } = await start(t, { onSocket: (socket) => socket.close(1000) });
  const call = simulator.placeCall({ app: app.webhook });
  await call.until('media-closed');
  await app.connections[0]?.hangUp(true);
  assert.equal((await call.ended).problem, undefined);
});

test('an app whose handler failed is told from one that hangs up, though its hang-up overtakes its close', async (t) => {
  const { simulator, app } = await start(t, {}, { graceMs: 60_000 });
  const endWith = async (code: number) => {
    const call = simulator.placeCall({ app: app.webhook });
    await call.until('announced', ({ what }) => what === 'call');
    await call.until('upgrade');
    const socket = app.sockets.at(-1);
    socket?.close(code);
    socket?.pause(); // it can't see the answer to its close
    await app.connections.at(-1)?.hangUp(true);
    await call.until('event', ({ event }) => event === 'CallDisconnected');
    assert.ok(call.journal.entries.every(({ type }) => type !== 'media-closed'));
    socket?.resume();
    return call.ended;
  };
  const failed = await endWith(1011);
  assert.equal(failed.problem, 'the app closed the media WebSocket: 1011');
  assert.equal(failed.outcome, 'the app hung up');
  assert.ok((failed.lastedMs ?? -1) >= 0);
  assert.equal((await endWith(1000)).problem, undefined);
});

test('keys that the caller had no time for are told', async (t) => {
  const { simulator, app } = await start(t);
  const pressing = { app: app.webhook, digits: '123' };
  assert.deepEqual((await simulator.placeCall({ ...pressing, seconds: 1 }).ended).keys, {
    wanted: 3,
    pressed: 3,
  });
  const slow = await start(t, {}, { keyMs: 60_000 });
  const cut = slow.simulator.placeCall({ ...pressing, app: slow.app.webhook, seconds: 0.1 });
  assert.deepEqual((await cut.ended).keys, { wanted: 3, pressed: 0 });
});
