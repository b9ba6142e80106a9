// What the app tells of its calls and requests: events in the log, and what telemetry is told beside it.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { callKeys, type EventName, events } from '../../src/telemetry/names.ts';
import { type CallTags, noTelemetry, type UpgradeFacts } from '../../src/telemetry/telemetry.ts';
import { type App, catchCall, end, startApp } from '../support/app.ts';
import type { LogLine } from '../support/log-lines.ts';

const limits = { concurrency: true, timeout: 120_000 };
const standardKeys = ['level', 'time', 'pid', 'hostname', 'msg', 'event', ...callKeys];

const isEvent = (name: unknown): name is EventName => typeof name === 'string' && Object.hasOwn(events, name);

/** An event in the log has the keys of its name, of the right type, and no other, but for an error that stays here. */
function assertKeys(line: LogLine) {
  assert.ok(isEvent(line.event), String(line.event));
  const { properties, measurements }: Record<string, readonly string[]> = events[line.event];
  const isError = (key: string) => key === 'error' && /failed|refused/.test(String(line.event));
  for (const [key, value] of Object.entries(line)) {
    if (standardKeys.includes(key) || isError(key)) continue;
    if (measurements?.includes(key)) assert.ok(Number.isFinite(value), `${line.event}: ${key}`);
    else assert.ok(properties?.includes(key) && typeof value !== 'object', `${line.event}: ${key}`);
  }
}

/** The events that telemetry would get: at info and above. */
const eventsOf = ({ log }: App, wanted: (line: LogLine) => boolean) =>
  log.lines.filter((line) => line.event !== undefined && Number(line.level) >= 30 && wanted(line));

/** Telemetry that remembers what it was told. */
function rememberAll() {
  const upgrades: UpgradeFacts[] = [];
  const requests: CallTags[] = [];
  const tagged: CallTags[] = [];
  return {
    upgrades,
    /** Whose calls something was run for. */
    requests,
    /** Whose calls a request was about. */
    tagged,
    telemetry: {
      ...noTelemetry,
      upgrade: (facts: UpgradeFacts) => upgrades.push(facts),
      within<T>(tags: CallTags, run: () => T): T {
        requests.push(tags);
        return run();
      },
      tag: (tags: CallTags) => tagged.push({ ...tags }),
    },
  };
}

describe('a call tells', limits, () => {
  it('each milestone, with all of its ids and with nothing of another call', async (t) => {
    const { telemetry, upgrades, requests, tagged } = rememberAll();
    const app = await startApp(t, {
      handler(call) {
        call.play(new Int16Array(10 * call.format.sampleRate));
        call.on('dtmf', () => call.stop());
      },
      telemetry,
      simulator: { keyMs: 1 },
    });
    const placed = [app.simulator.placeCall(), app.simulator.placeCall()];
    for (const call of placed) {
      const told = (name: EventName) =>
        app.log.until(({ event, correlationId }) => event === name && correlationId === call.correlationId);
      await call.until('event', ({ event }) => event === 'MediaStreamingStarted');
      await Promise.all([told('call.first_frame_in'), told('call.first_audio_out')]);
      const event = call.event('PlayStarted');
      await call.post([event, event]);
      await call.press('1');
      await told('call.barge_in');
    }
    for (const call of placed) call.hangUp();
    await Promise.all(placed.map((call) => call.ended));

    for (const { callConnectionId, correlationId } of placed) {
      const lines = eventsOf(app, (line) => line.correlationId === correlationId);
      lines.forEach(assertKeys);
      const call = lines[0]?.call;
      assert.match(String(call), /^[0-9a-f]{32}$/);
      assert.ok(lines.every((line) => line.call === call));
      assert.deepEqual(lines.map(({ event, type = '' }) => `${event} ${type}`.trim()).toSorted(), [
        'call.acs_event CallConnected',
        'call.acs_event CallDisconnected',
        'call.acs_event MediaStreamingStarted',
        'call.announced',
        'call.answered',
        'call.barge_in',
        'call.ended',
        'call.first_audio_out',
        'call.first_frame_in',
        'call.media_connected',
        'call.media_disconnected',
      ]);
      const [first, ...others] = lines;
      assert.equal(first?.event, 'call.announced');
      for (const line of others) assert.equal(line.callConnectionId, callConnectionId, String(line.event));
      const find = (name: EventName) => lines.find(({ event }) => event === name);
      const missing = (name: EventName) =>
        events[name].measurements.filter((key) => find(name)?.[key] === undefined);
      assert.deepEqual(missing('call.ended'), []);
      assert.deepEqual(missing('call.answered'), []);
      assert.deepEqual(missing('call.first_audio_out'), []);
      assert.equal(find('call.ended')?.duplicates, 1);
      const unheardMs = Number(find('call.barge_in')?.unheardMs);
      assert.ok(unheardMs > 0 && unheardMs < 10_000, `${unheardMs} ms were left to say`);
      assert.partialDeepStrictEqual(
        upgrades.find((facts) => facts.call === call),
        { outcome: 'accepted', status: 101, route: '/ws/:binding', correlationId },
      );
      // The answer, and the handler's own requests.
      assert.ok(requests.filter((tags) => tags.call === call).length >= 2);
      const about = tagged.filter((tags) => tags.call === call);
      assert.ok(about.length >= 4, 'the announcement and each callback');
      assert.ok(about.some((tags) => tags.callConnectionId === callConnectionId));
    }
    assert.ok(
      tagged.every(({ correlationId }) => placed.some((call) => call.correlationId === correlationId)),
    );
    const keys: string[] = [...callKeys];
    assert.deepEqual(
      tagged.flatMap(Object.keys).filter((key) => !keys.includes(key)),
      [],
    );
    assert.equal(eventsOf(app, ({ call }) => call !== undefined).length, 22);
  });

  it('which call an event is of that comes after its end', async (t) => {
    const { telemetry, tagged } = rememberAll();
    const { handler, call } = catchCall();
    const app = await startApp(t, { handler, telemetry });
    const placed = app.simulator.placeCall();
    const { id } = await call;
    placed.hangUp();
    await placed.ended;
    tagged.length = 0;
    await placed.post([placed.event('PlayCompleted')]);
    const { callConnectionId, correlationId } = placed;
    assert.deepEqual(tagged.at(-1), { call: id, callConnectionId, correlationId });
  });

  it('who was not answered, and why', async (t) => {
    const app = await startApp(t, { env: { MAX_CALLS: '1' } });
    const told = async (name: EventName, facts: object) => {
      const line = await app.log.until(({ event }) => event === name);
      assertKeys(line);
      assert.partialDeepStrictEqual(line, facts);
      return line;
    };
    app.simulator.failNext('answerCall', { status: 403 });
    const placed = app.simulator.placeCall({ announce: false });
    await app.announce(placed.announcement);
    const failed = await told('call.answer_failed', { status: 403, timedOut: false, retry: true });
    assert.match(String(failed.help), /role/);
    assert.equal(failed.correlationId, placed.correlationId);

    assert.equal((await app.announce(placed.announcement)).status, 200);
    const busy = app.simulator.placeCall({ announce: false });
    await app.announce(busy.announcement);
    await told('call.rejected', { reason: 'at_capacity', correlationId: busy.correlationId });

    const stopped = app.callgate.stop(1_000);
    const late = app.simulator.placeCall({ announce: false });
    await app.announce(late.announcement);
    await told('call.postponed', { reason: 'draining', correlationId: late.correlationId });
    placed.hangUp();
    await stopped;
    await told('call.ended', { correlationId: placed.correlationId });
  });

  it('how its media and its handler fail, and how it was hung up', async (t) => {
    const { telemetry, requests } = rememberAll();
    const { handler, call } = catchCall();
    const app = await startApp(t, { handler, telemetry });
    const placed = app.simulator.placeCall({ sound: 'silence' });
    const running = await call;
    running.on('audio', () => {
      throw Object.assign(new TypeError('of the handler, with what it was told in confidence'), {
        code: 'E_OWN',
      });
    });
    await placed.ended;
    const [failed] = eventsOf(app, ({ event }) => event === 'call.handler_failed');
    assert.partialDeepStrictEqual(failed, { type: 'TypeError', code: 'E_OWN' });
    const hungUp = await app.log.until(({ event }) => event === 'call.hung_up');
    assert.ok(Number(hungUp.hangUpMs) >= 0);
    assert.equal(hungUp.correlationId, placed.correlationId);
    assert.equal(requests.filter((tags) => tags.call === running.id).length, 3, 'answer, handler, hang-up');
    eventsOf(app, () => true).forEach(assertKeys);
  });

  it('that its socket dropped, and that it could not be hung up', async (t) => {
    const { handler, call } = catchCall();
    const app = await startApp(t, {
      handler,
      calls: { limits: { askAgainMs: 60_000, successorMs: 1 } },
    });
    const placed = app.simulator.placeCall();
    const running = await call;
    await placed.until('event', ({ event }) => event === 'MediaStreamingStarted');
    app.simulator.failNext('terminate', { status: 400 });
    placed.stream?.socket?.drop();
    await end(running);
    const failed = await app.log.until(({ event }) => event === 'call.hang_up_failed');
    assert.equal(failed.status, 400);
    const [dropped] = eventsOf(app, ({ event }) => event === 'call.media_disconnected');
    assert.partialDeepStrictEqual(dropped, { code: 1006, ours: false });
    eventsOf(app, () => true).forEach(assertKeys);
  });
});

describe('the gate tells', limits, () => {
  it('each upgrade that it refuses, with its reason, and whose call it was for', async (t) => {
    const { telemetry, upgrades } = rememberAll();
    const { handler, call } = catchCall();
    const app = await startApp(t, { handler, telemetry });
    const placed = app.simulator.placeCall();
    const running = await call;
    app.simulator.setFaults({ token: 'wrong-audience' });
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    await placed.openMedia({ headers: { traceparent } });
    await placed.openMedia({ url: `${app.url.replace('http', 'ws')}/ws?secret=1` });
    const [mine, plain] = upgrades.filter(({ outcome }) => outcome === 'refused');
    const { checkMs, ...facts } = mine ?? {};
    assert.ok(Number(checkMs) >= 0);
    assert.deepEqual(facts, {
      route: '/ws/:binding',
      outcome: 'refused',
      status: 401,
      reason: 'audience',
      call: running.id,
      correlationId: placed.correlationId,
      traceparent,
    });
    assert.partialDeepStrictEqual(plain, {
      route: '/ws',
      status: 403,
      reason: 'no_binding',
      call: undefined,
      correlationId: undefined,
    });
    const refused = eventsOf(app, ({ event }) => event === 'request.refused');
    assert.partialDeepStrictEqual(
      refused.map(({ purpose, reason, status, call }) => ({ purpose, reason, status, call })),
      [
        { purpose: 'media', reason: 'audience', status: 401, call: running.id },
        { purpose: 'media', reason: 'no_binding', status: 403, call: undefined },
      ],
    );
  });

  it('that a socket was opened only to be closed', async (t) => {
    const { telemetry, upgrades } = rememberAll();
    const { handler, call } = catchCall();
    const app = await startApp(t, { handler, telemetry, env: { WS_REFUSE: 'close' } });
    const placed = app.simulator.placeCall();
    await call;
    app.simulator.setFaults({ token: 'expired' });
    await placed.openMedia();
    assert.partialDeepStrictEqual(upgrades.at(-1), { outcome: 'refused', status: 101, reason: 'expired' });
  });

  it('what Event Grid was refused for', async (t) => {
    const app = await startApp(t);
    await app.announce([{}], { 'x-event-grid-key': 'wrong' });
    const [refused] = eventsOf(app, ({ event }) => event === 'request.refused');
    assert.partialDeepStrictEqual(refused, { purpose: 'incoming-call', reason: 'wrong_key', status: 401 });
    assertKeys(refused ?? {});
  });
});

describe('the numbers', limits, () => {
  it('are of all calls, those that have ended too', async (t) => {
    const app = await startApp(t, {
      env: { MAX_CALLS: '7' },
      handler: (call) => {
        call.on('audio', (frame) => {
          call.send(frame);
        });
      },
    });
    const first = app.simulator.placeCall();
    await app.log.until('the first audio went out');
    await first.post([first.event('NewInTheNextVersion'), first.event('PlayStarted')]);
    first.stream?.socket?.send('nonsense');
    await app.log.until('malformed message');
    const during = app.callgate.stats();
    assert.partialDeepStrictEqual(during, { calls: 1, maxCalls: 7, upgradesWaiting: 0 });
    assert.ok(Number(during.keysAgeMs) >= 0 && during.bufferedBytes >= 0);
    assert.ok(during.totals.framesIn > 0 && during.totals.bytesOut > 0);
    first.hangUp();
    await first.ended;
    const after = app.callgate.stats();
    assert.equal(after.calls, 0);
    assert.ok(after.totals.framesIn >= during.totals.framesIn);
    assert.partialDeepStrictEqual(after.totals, {
      malformed: 1,
      keysFetched: 1,
      keysFailed: 0,
      duplicates: 0,
    });
    assert.partialDeepStrictEqual(after.totals.events, { other: 1, PlayStarted: 1, CallDisconnected: 1 });
    const second = app.simulator.placeCall();
    await second.until('event', ({ event }) => event === 'MediaStreamingStarted');
    second.hangUp();
    await second.ended;
    const last = app.callgate.stats().totals;
    assert.ok(last.framesIn > after.totals.framesIn);
    assert.equal(last.events.CallDisconnected, 2);
  });
});
