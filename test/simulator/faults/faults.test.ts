import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import { decodeProtectedHeader } from 'jose';
import type { WebSocket } from 'ws';
import { ZodError } from 'zod';
import type { CallOptions, SimulatedCall } from '../../../simulator/calls/handle.ts';
import type { CallFaults, FaultChanges } from '../../../simulator/faults/faults.ts';
import { operations } from '../../../simulator/rest/operations.ts';
import type { Simulator, SimulatorOptions } from '../../../simulator/simulator.ts';
import { createSimulator } from '../../../simulator/simulator.ts';
import type { App, AppOptions } from '../support/app.ts';
import { echo, startApp } from '../support/app.ts';
import { signed } from '../support/signed.ts';

async function start(t: TestContext, appOptions: Partial<AppOptions> = {}, options: SimulatorOptions = {}) {
  const simulator = await createSimulator({ frameMs: 2, keyMs: 1, graceMs: 500, overtakeMs: 1, ...options });
  t.after(() => simulator.close());
  const app = await startApp(t, { connectionString: simulator.connectionString, ...appOptions });
  return { simulator, app };
}

const FRAMES = 50;

/** A call of so many frames from its beginning to its end. */
async function whole(simulator: Simulator, app: App, options: CallOptions = {}) {
  const call = simulator.placeCall({ app: app.webhook, seconds: FRAMES / 50, ...options });
  return { call, report: await call.ended };
}

/** The names of the events that the app got, one after another. */
const received = (app: App) =>
  app.deliveries
    .filter(({ path }) => path === '/callbacks')
    .map(({ body }) => String((body as { type: string }[])[0]?.type).replace('Microsoft.Communication.', ''));

/** What the faults did to the events of a call. */
const struck = (call: SimulatedCall) =>
  call.journal.entries.flatMap((entry) => (entry.type === 'fault' ? `${entry.fault} ${entry.event}` : []));

const isAudio = (text: string) => text.startsWith('{"kind":"AudioData"');
const usual = ['CallConnected', 'ParticipantsUpdated', 'CallDisconnected'];

test('events come twice, overtaken or never, until that is taken back', async (t) => {
  const cases: [FaultChanges, string[], string[]][] = [
    [{ duplicateEvents: true }, usual.flatMap((name) => [name, name]), usual],
    [
      { reorderEvents: true },
      ['ParticipantsUpdated', 'CallConnected', 'CallDisconnected'],
      ['CallConnected', 'CallDisconnected'], // which nothing overtakes, and which comes all the same
    ],
    [{ loseEvents: 1 }, [], usual],
    [{ delayEvents: { ms: 0 } }, usual, usual],
    [{ loseEvents: true, onlyEvents: ['CallDisconnected'] }, usual.slice(0, 2), ['CallDisconnected']],
  ];
  const { simulator, app } = await start(t, { media: null });
  for (const [faults, expected, befallen] of cases) {
    app.deliveries.length = 0;
    simulator.setFaults({ onlyEvents: usual, ...faults });
    const { call, report } = await whole(simulator, app);
    const [name = ''] = Object.keys(faults);
    assert.deepEqual(received(app), expected, name);
    assert.deepEqual(
      struck(call),
      befallen.map((event) => `${name} ${event}`),
    );
    assert.equal(report.problem, undefined, 'it is not the fault of the app');
    const nothing = Object.fromEntries(Object.keys(faults).map((field) => [field, null]));
    simulator.setFaults(nothing);
    assert.deepEqual((await whole(simulator, app)).report.events, usual);
  }
});

test('an event that was overtaken comes next', async (t) => {
  const { simulator, app } = await start(t, { media: null }, { overtakeMs: 3_600_000 });
  const faults = { reorderEvents: true, onlyEvents: ['CallConnected'] };
  const { report } = await whole(simulator, app, { faults });
  assert.deepEqual(report.events, ['ParticipantsUpdated', 'CallConnected', 'CallDisconnected']);
});

test('a late event keeps nobody waiting', async (t) => {
  const { simulator, app } = await start(t);
  const delayEvents = { ms: 3_600_000 };
  const faults = { delayEvents, onlyEvents: ['CallConnected'] };
  const call = simulator.placeCall({ app: app.webhook, order: 'events-first', faults });
  await call.until('upgrade', ({ status }) => status === 101);
  await call.until('event', ({ event }) => event === 'MediaStreamingStarted');
  assert.ok(!received(app).includes('CallConnected'));
});

test('a call ends when its late events have come', async (t) => {
  const { simulator, app } = await start(t, { media: null });
  const faults = { delayEvents: { ms: 300 }, onlyEvents: ['CallConnected'] };
  const { report } = await whole(simulator, app, { faults });
  assert.deepEqual(report.events, ['ParticipantsUpdated', 'CallDisconnected', 'CallConnected']);
});

test('an announcement may be lost, or come when the call is over', async (t) => {
  const { simulator, app } = await start(t, {}, { ringMs: 1 });
  const { report } = await whole(simulator, app, { faults: { loseEvents: true } });
  assert.equal(report.outcome, 'not answered');
  assert.equal(report.problem, 'the call was never announced');
  const { call } = await whole(simulator, app, { faults: { delayEvents: { ms: 100 } } });
  await call.until('request', ({ operation, status }) => operation === 'answerCall' && status === 404);
  assert.deepEqual(struck(call), ['delayEvents IncomingCall']);
});

test('frames that the faults lose are not lost by the app', async (t) => {
  let heard = 0;
  const count = (text: string, socket: WebSocket) => {
    if (isAudio(text)) heard += 1;
    echo(text, socket);
  };
  const { simulator, app } = await start(t, { onFrame: count });
  const { report } = await whole(simulator, app, { faults: { loseFrames: 0.5, seed: 1 } });
  const { media, problem } = report;
  assert.ok(media && media.withheld > 10 && media.withheld < 40, `${media?.withheld} were lost`);
  assert.deepEqual([media.sent + media.withheld, media.returned, media.lost], [FRAMES, media.sent, 0]);
  assert.equal(heard, media.sent);
  assert.equal(problem, undefined);
  const all = await whole(simulator, app, { faults: { loseFrames: true } });
  assert.deepEqual([all.report.media?.sent, all.report.media?.withheld], [0, FRAMES]);
});

test('bursts: so many frames at once, in order', async (t) => {
  const sent: number[] = [];
  const note = (text: string, socket: WebSocket) => {
    sent.push(simulator.calls.at(-1)?.stream?.counts.sent ?? 0);
    echo(text, socket);
  };
  const { simulator, app } = await start(t, { onFrame: note }, { graceMs: 50 });
  const { report } = await whole(simulator, app, { faults: { burstFrames: 10 } });
  // The metadata is the first of the first ten. What is left goes out at the end.
  const before = sent.filter((count) => count !== FRAMES);
  assert.deepEqual(
    before.filter((count) => count % 10 !== 9),
    [],
    'none arrives before all ten are out',
  );
  assert.ok(before.length > 0);
  assert.deepEqual([report.media?.sent, report.media?.lost, report.media?.withheld], [FRAMES, 0, 0]);
});

test('jitter: late and in order, and the round trip counts from when a frame went out', async (t) => {
  const held: number[] = [];
  const note = (text: string, socket: WebSocket) => {
    const { sent = 0, left = 0 } = simulator.calls.at(-1)?.stream?.counts ?? {};
    if (isAudio(text)) held.push(FRAMES - left - sent);
    echo(text, socket);
  };
  const { simulator, app } = await start(t, { onFrame: note }, { graceMs: 10_000 });
  const { report } = await whole(simulator, app, { faults: { jitterMs: 1_000, seed: 1 } });
  const { media } = report;
  assert.ok((held[0] ?? 0) > 0, 'the caller had said more by then');
  assert.deepEqual([media?.sent, media?.returned, media?.lost, media?.withheld], [FRAMES, FRAMES, 0, 0]);
  assert.ok((media?.roundTripMs?.p50 ?? 1_000) < 400, `${media?.roundTripMs?.p50} ms`);
});

test('keys stay where they are between the frames', async (t) => {
  const kinds: string[] = [];
  const onFrame = (text: string) => kinds.push(JSON.parse(text).kind);
  const { simulator, app } = await start(t, { onFrame });
  await whole(simulator, app, { digits: '1', faults: { burstFrames: 500, loseFrames: true } });
  assert.deepEqual(kinds, ['AudioMetadata', 'DtmfData'], 'nor is either of them ever lost');
});

test("a WebSocket that is cut and comes back: the frames in between are nobody's fault", async (t) => {
  const { simulator, app } = await start(t);
  simulator.setFaults({ dropMediaAfterMs: 20, returnMediaAfterMs: 1 });
  const call = simulator.placeCall({ app: app.webhook, digits: '1', seconds: FRAMES / 50 });
  const { by, expected } = await call.until('media-closed');
  assert.deepEqual([by, expected], ['simulator', false]);
  await call.until('upgrade', () => app.sockets.length === 3);
  simulator.setFaults({ dropMediaAfterMs: null, returnMediaAfterMs: null });
  const { media, keys, problem } = await call.ended;
  assert.deepEqual([media?.repeated, media?.foreign], [0, 0]);
  assert.ok(!media?.lost, `${media?.lost} lost`);
  assert.deepEqual(keys, { wanted: 1, pressed: 1 });
  assert.equal(problem, undefined);
});

test('a caller waits for media that is to come back, unless the app gives it up', async (t) => {
  const { simulator, app } = await start(t);
  const faults = { dropMediaAfterMs: 20, returnMediaAfterMs: 400 };
  const patient = simulator.placeCall({ app: app.webhook, seconds: FRAMES / 50, faults });
  await patient.until('upgrade', () => app.sockets.length === 2);
  assert.equal(patient.state, 'connected', 'though it had all been said by then');
  patient.hangUp();
  const given = simulator.placeCall({
    app: app.webhook,
    seconds: FRAMES / 50,
    faults: { ...faults, returnMediaAfterMs: 3_600_000 },
  });
  await given.until('announced', ({ what }) => what === 'call');
  await given.until('media-closed');
  await app.connections[1]?.getCallMedia().stopMediaStreaming();
  assert.equal((await given.ended).outcome, 'the caller hung up');
});

test('media that the app has stopped does not come back by itself', async (t) => {
  const { simulator, app } = await start(t);
  const faults = { dropMediaAfterMs: 1_000, returnMediaAfterMs: 0 };
  const call = simulator.placeCall({ app: app.webhook, faults });
  await call.until('announced', ({ what }) => what === 'call');
  await call.until('upgrade');
  await app.connections[0]?.getCallMedia().stopMediaStreaming();
  await call.until('media-closed', ({ code }) => code === 1000 || code === 1005);
  const other = simulator.placeCall({ app: app.webhook, faults });
  await other.until('upgrade', () => app.upgrades.length === 3);
  assert.equal(call.stream?.live, false);
});

test('a slow reader: what the app sends waits, and comes at the end of the call', async (t) => {
  let heard = 0;
  const many = Promise.withResolvers<void>();
  const onFrame = (text: string, socket: WebSocket) => {
    echo(text, socket);
    heard += 1;
    if (heard > 100) many.resolve();
  };
  const { simulator, app } = await start(t, { onFrame });
  const slowReader = { readMs: 0, pauseMs: 3_600_000 };
  const call = simulator.placeCall({ app: app.webhook, faults: { slowReader } });
  await many.promise;
  assert.equal(call.stream?.counts.received, 0);
  call.hangUp();
  const { media } = await call.ended;
  assert.ok(media && media.returned >= 100, `${media?.returned} came back`);
  assert.equal(media.lost, 0);
});

test('what the app says while nothing is read is not late, and comes once it is read', async (t) => {
  let skew = 0;
  const { simulator, app } = await start(t, {}, { clock: () => performance.now() + skew });
  const echoed = Promise.withResolvers<void>();
  let paused = false;
  const onFrame = () => {
    if (!paused) echoed.resolve();
  };
  const call = simulator.placeCall({ app: app.webhook, onFrame });
  await echoed.promise;
  call.stream?.socket?.pause();
  paused = true;
  const unread = Promise.withResolvers<void>();
  app.sockets[0]?.on('message', () => (call.stream?.counts.sent ?? 0) > 100 && unread.resolve());
  await unread.promise;
  skew = 10_000;
  assert.equal(call.report().media?.lost, 0);
  call.stream?.socket?.resume();
  call.hangUp();
  const { media } = await call.ended;
  assert.ok(media && media.returned > 50);
  assert.equal(media.lost, 0);
  assert.ok((media.roundTripMs?.max ?? 10_000) < 10_000);
});

test('a slow reader reads in between, and goes on once that is taken back', async (t) => {
  const { simulator, app } = await start(t);
  simulator.setFaults({ slowReader: { readMs: 1, pauseMs: 20 } });
  const { report } = await whole(simulator, app);
  assert.deepEqual([report.media?.returned, report.media?.lost], [FRAMES, 0]);
  simulator.setFaults({ slowReader: null });
  assert.equal((await whole(simulator, app)).report.media?.returned, FRAMES);
});

test('with the same seed the same calls have the same luck, whatever else goes on', async (t) => {
  const faults: CallFaults = {
    duplicateEvents: 0.5,
    reorderEvents: 0.5,
    loseEvents: 0.3,
    onlyEvents: usual,
    loseFrames: 0.5,
  };
  const said = {
    sampleRate: 24_000,
    samples: Int16Array.from({ length: 480 * FRAMES }, (_, at) => at / 480 + 1),
  };

  async function run(seed: number, together: boolean) {
    const heard = new Map<string, number[]>();
    const onFrame = (text: string, socket: WebSocket) => {
      if (!isAudio(text)) return;
      const id = String(app.upgrades[app.sockets.indexOf(socket)]?.headers['x-ms-call-correlation-id']);
      const pcm = Buffer.from(JSON.parse(text).audioData.data, 'base64');
      heard.set(id, [...(heard.get(id) ?? []), pcm.readInt16LE()]);
    };
    const { simulator, app } = await start(t, { onFrame }, { seed });
    simulator.setFaults(faults);
    const place = () => whole(simulator, app, { order: 'events-first', sound: said, marked: false });
    const calls = [];
    if (together) calls.push(...(await Promise.all([place(), place(), place()])));
    else for (let nth = 0; nth < 3; nth++) calls.push(await place());
    return calls.map(({ call, report }) => ({
      faults: struck(call),
      events: report.events.filter((name) => usual.includes(name)),
      heard: heard.get(call.id),
    }));
  }

  const once = await run(1, false);
  assert.deepEqual(await run(1, true), once);
  const other = await run(2, false);
  for (const part of ['faults', 'heard'] as const) {
    assert.notDeepEqual(other[0]?.[part], once[0]?.[part], part);
    assert.notDeepEqual(once[1]?.[part], once[0]?.[part], 'nor has each call the same');
  }
});

test('a seed begins anew where it is set, and a call may have one of its own', async (t) => {
  const { simulator, app } = await start(t, { media: null });
  const luck = async (seed?: number) => {
    const faults = {
      loseEvents: 0.5,
      duplicateEvents: 0.5,
      onlyEvents: usual,
      ...(seed !== undefined && { seed }),
    };
    return struck((await whole(simulator, app, { faults })).call);
  };
  simulator.setFaults({ seed: 7 });
  const first = [await luck(), await luck(), await luck()];
  simulator.setFaults({ seed: 7 });
  assert.deepEqual([await luck(), await luck(), await luck()], first);
  assert.deepEqual(await luck(8), await luck(8));
  assert.equal(simulator.faults.seed, 7);
  simulator.setFaults({ seed: null });
  assert.notEqual(simulator.faults.seed, null, 'a run that went wrong can be had again');
});

test('one call may misbehave while others are good, and the other way round', async (t) => {
  const { simulator, app } = await start(t);
  const place = async (faults: unknown) => {
    const response = await fetch(`${simulator.url}/_simulator/calls`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ app: app.webhook, seconds: FRAMES / 50, faults }),
    });
    return { status: response.status, text: await response.text() };
  };
  assert.equal((await place({ loseFrames: true, token: 'foreign' })).status, 200);
  const bad = simulator.calls[0];
  assert.ok(bad);
  const [report, good] = await Promise.all([bad.ended, whole(simulator, app)]);
  assert.deepEqual([report.media?.sent, good.report.media?.sent], [0, FRAMES]);
  const { keys } = (await (await fetch(simulator.jwksUrl)).json()) as { keys: { kid: string }[] };
  const isForeign = ({ id }: SimulatedCall) => {
    const upgrade = app.upgrades.find(({ headers }) => headers['x-ms-call-correlation-id'] === id);
    const { kid } = decodeProtectedHeader(upgrade?.headers.authorization?.replace('Bearer ', '') ?? '');
    return keys.every((key) => key.kid !== kid);
  };
  assert.deepEqual([isForeign(bad), isForeign(good.call)], [true, false]);

  simulator.setFaults({ loseFrames: true });
  const spared = await whole(simulator, app, { faults: { loseFrames: null } });
  assert.equal(spared.report.media?.sent, FRAMES);
  for (const [faults, field] of [
    [{ loseFrames: 2 }, 'faults.loseFrames'],
    [{ keys: 'down' }, 'faults'],
  ] as const) {
    const { status, text } = await place(faults);
    assert.equal(status, 400);
    assert.ok(JSON.parse(text).error.message.startsWith(`${field}: `), text);
  }
});

test('a fault that cannot be is refused by the name of its field, and changes nothing', async (t) => {
  const { simulator } = await start(t);
  const before = simulator.faults;
  const bad: [Record<string, unknown>, string][] = [
    [{ seed: 0.5 }, 'seed'],
    [{ duplicateEvents: 'yes' }, 'duplicateEvents'],
    [{ reorderEvents: -0.1 }, 'reorderEvents'],
    [{ loseEvents: 1.5 }, 'loseEvents'],
    [{ delayEvents: 60_000 }, 'delayEvents'],
    [{ delayEvents: { ms: 2 ** 31 } }, 'delayEvents.ms'],
    [{ delayEvents: { ms: 1, share: 2 } }, 'delayEvents.share'],
    [{ onlyEvents: 'CallConnected' }, 'onlyEvents'],
    [{ jitterMs: -1 }, 'jitterMs'],
    [{ burstFrames: 0 }, 'burstFrames'],
    [{ loseFrames: Number.MAX_VALUE }, 'loseFrames'],
    [{ dropMediaAfterMs: 0.5 }, 'dropMediaAfterMs'],
    [{ returnMediaAfterMs: '1' }, 'returnMediaAfterMs'],
    [{ slowReader: { readMs: 0, pauseMs: 0 } }, 'slowReader.pauseMs'],
  ];
  for (const [faults, field] of bad) {
    const response = await fetch(`${simulator.url}/_simulator/faults`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ keys: 'down', ...faults }),
    });
    const text = await response.text();
    assert.equal(response.status, 400, field);
    assert.ok(JSON.parse(text).error.message.startsWith(`${field}: `), text);
    assert.throws(
      () => simulator.setFaults({ keys: 'down', ...faults }),
      (error) => error instanceof ZodError && error.issues[0]?.path.join('.') === field,
    );
  }
  assert.deepEqual(simulator.faults, before);
});

test('the answer of every operation can be spoiled: its status, its headers, its time, and whether there is one', async (t) => {
  const { simulator } = await start(t);
  for (const { name, method, path } of operations) {
    const target = `${path.replaceAll(/\{\w+\}/g, 'none')}?api-version=2026-03-12`;
    const ask = () => signed(simulator, target, { method });
    simulator.failNext(name, { status: 429, headers: { 'Retry-After': '7' }, delayMs: 1 });
    simulator.failNext(name, { cut: true });
    const answer = await ask();
    assert.deepEqual([answer.status, answer.headers.get('retry-after')], [429, '7'], name);
    await answer.text();
    await assert.rejects(ask(), TypeError, name);
    assert.ok([400, 404].includes((await ask()).status), `${name} is as it was`);
  }
});
