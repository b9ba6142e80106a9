// POST /api/callbacks/:binding: what ACS says of a call, in whatever order and however often.

import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { gzipSync } from 'node:zlib';
import type { SimulatedCall } from '../../simulator/calls/handle.ts';
import type { CallEvent } from '../../src/calls/events.ts';
import { type AppOptions, catchCall, end, startApp } from '../support/app.ts';

const limits = { concurrency: true, timeout: 120_000 };

/** An app with one call that runs, and the events that its handler has got; the simulator's own are through. */
async function startCall(t: TestContext, options: AppOptions = {}) {
  const { handler, call } = catchCall();
  const app = await startApp(t, { handler, ...options });
  const placed = app.simulator.placeCall({ order: 'events-first' });
  const running = await call;
  await placed.until('event', ({ event }) => event === 'MediaStreamingStarted');
  const events: CallEvent[] = [];
  running.on('event', (event) => {
    events.push(event);
  });
  return { app, placed, running, events, types: () => events.map(({ type }) => type) };
}

/** Where ACS was told to post its events. */
async function callbackUri(placed: SimulatedCall): Promise<string> {
  const { body } = await placed.until('request', ({ operation }) => operation === 'answerCall');
  return (body as { callbackUri: string }).callbackUri;
}

describe('an event', limits, () => {
  it('that comes twice counts once, in one delivery, in two and by retries', async (t) => {
    const { placed, types, running } = await startCall(t);
    const event = placed.event('PlayCompleted');
    assert.equal((await placed.post([event, event])).status, 200);
    assert.equal((await placed.post([event])).status, 200);
    const last = placed.event('PlayCanceled');
    await placed.post([last]);
    assert.deepEqual(types(), ['PlayCompleted', 'PlayCanceled']);
    assert.equal(running.signal.aborted, false);
  });

  it('is told from another that says the same', async (t) => {
    const { placed, types } = await startCall(t);
    await placed.post([placed.event('PlayStarted'), placed.event('PlayStarted')]);
    assert.deepEqual(types(), ['PlayStarted', 'PlayStarted']);
  });

  it('reaches the handler in the order of its delivery, with what it says', async (t) => {
    const { placed, events, types } = await startCall(t);
    const names = Array.from({ length: 50 }, (_, n) => `PlayStarted${n}`);
    await placed.post(names.map((name) => placed.event(name, { n: name })));
    assert.deepEqual(types(), names);
    assert.equal(events[7]?.data.n, 'PlayStarted7');
    assert.equal(events[7]?.data.callConnectionId, placed.callConnectionId);
  });

  it('may come before the others that it follows: the call goes on', async (t) => {
    const { handler, call } = catchCall();
    const app = await startApp(t, { handler });
    app.simulator.setFaults({ duplicateEvents: true });
    const placed = app.simulator.placeCall({ order: 'media-first' });
    const running = await call;
    await placed.post([placed.event('ParticipantsUpdated'), placed.event('MediaStreamingStarted')]);
    await placed.post([placed.event('CallConnected')]);
    assert.equal(running.signal.aborted, false);
    placed.hangUp();
    await end(running);
    await placed.ended;
  });

  it('of another call, under the binding of this one, is ignored with a warning', async (t) => {
    const { app, placed, events, running } = await startCall(t);
    await placed.post([placed.event('CallDisconnected', { callConnectionId: 'another' })]);
    await app.log.until('it is of another call than its binding');
    assert.equal(running.signal.aborted, false);
    assert.deepEqual(events, []);
    assert.equal(app.callgate.size, 1);
  });

  it('under the binding of another call is ignored too', async (t) => {
    const { app, placed, running } = await startCall(t);
    const other = app.simulator.placeCall();
    await other.until('event', ({ event }) => event === 'MediaStreamingStarted');
    await other.post([placed.event('CallDisconnected')]);
    await app.log.until('it is of another call than its binding');
    assert.equal(running.signal.aborted, false);
    assert.equal(app.callgate.size, 2);
  });

  it('says which call it is, until the answer does: the first one counts', async (t) => {
    const app = await startApp(t, { incoming: { answerMs: 1_000 } });
    app.simulator.setFaults({ token: 'expired' });
    app.simulator.failNext('answerCall', { delayMs: 3_600_000, applied: true });
    const placed = app.simulator.placeCall({ order: 'events-first' });
    await placed.until('announced', ({ status }) => status === 503);
    app.simulator.setFaults({ token: null });
    await placed.post([placed.event('CallConnected')]);
    await placed.post([placed.event('CallDisconnected', { callConnectionId: 'another' })]);
    await app.log.until('it is of another call than its binding');
    assert.equal(app.callgate.size, 1);
    await placed.post([placed.event('CallDisconnected')]);
    assert.equal((await app.log.until('call ended')).reason, 'CallDisconnected');
  });

  it('of a type that nobody knows is passed on, and is a debug line', async (t) => {
    const { app, placed, types, running } = await startCall(t);
    await placed.post([placed.event('NewInTheNextVersion'), { ...placed.event('X'), type: 'Other.Thing' }]);
    assert.deepEqual(types(), ['NewInTheNextVersion', 'Other.Thing']);
    const line = app.log.lines.find(({ type }) => type === 'NewInTheNextVersion');
    assert.equal(line?.level, 20);
    assert.equal(running.signal.aborted, false);
  });

  it('of a failure is explained in plain words', async (t) => {
    const { app, placed } = await startCall(t);
    for (const [subCode, words] of [
      [8565, /speech/],
      [8567, /speech/],
      [7509, /correlation id/],
    ] as const) {
      const resultInformation = { code: 400, subCode, message: 'the caller is +15550100' };
      await placed.post([placed.event('PlayFailed', { resultInformation })]);
      const line = app.log.lines.find((entry) => entry.subCode === subCode);
      assert.match(String(line?.help), words);
      assert.equal(line?.level, 40);
    }
    assert.ok(!app.log.text.includes('the caller is'));
  });

  it('of a call that is over makes no state and is no error', async (t) => {
    const { app, placed, running } = await startCall(t);
    placed.hangUp();
    await end(running);
    await placed.ended;
    for (const type of ['CallConnected', 'MediaStreamingFailed', 'CallDisconnected']) {
      assert.equal((await placed.post([placed.event(type)])).status, 200);
    }
    assert.equal(app.callgate.size, 0);
    assert.ok(!placed.report().operations.includes('terminate'));
  });

  it('of a call that this process never had makes no state', async (t) => {
    const signing = { CALL_SIGNING_KEY: 'k'.repeat(32) };
    const first = await startApp(t, { env: signing });
    const second = await startApp(t, { env: { ...signing, ...first.simulator.env() } });
    const placed = first.simulator.placeCall();
    const there = (await callbackUri(placed)).replace(first.url, second.url);
    const response = await fetch(there, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${await first.simulator.token(300)}`,
        'content-type': 'application/json',
      },
      body: JSON.stringify([placed.event('CallConnected')]),
    });
    assert.equal(response.status, 200);
    assert.equal(second.callgate.size, 0);
  });

  it('comes in for an hour after the longest call, and no longer', async (t) => {
    let now = Date.now();
    const { placed, running } = await startCall(t, {
      env: { MAX_CALL_SECONDS: '7200' },
      calls: { now: () => now },
    });
    await running.hangUp();
    now += (7200 + 3600 - 300) * 1000;
    assert.equal((await placed.post([placed.event('PlayStarted')])).status, 200);
    now += 600_000;
    assert.equal((await placed.post([placed.event('PlayStarted')])).status, 403);
  });
});

describe('a callback', limits, () => {
  it('needs a token and the binding of its purpose, before its body is looked at', async (t) => {
    const { app, placed } = await startCall(t);
    const uri = await callbackUri(placed);
    const { body } = await placed.until('request', ({ operation }) => operation === 'answerCall');
    const { transportUrl } = (body as { mediaStreamingOptions: { transportUrl: string } })
      .mediaStreamingOptions;
    const media = transportUrl.split('/').at(-1);
    const token = await app.simulator.token(300);
    const post = (url: string, headers: Record<string, string>, sent = 'not JSON') =>
      fetch(url, { method: 'POST', body: sent, headers }).then(({ status }) => status);

    assert.equal(await post(uri, {}), 401);
    assert.equal(await post(uri, { authorization: 'Bearer a.b.c' }), 401);
    assert.equal(await post(uri, {}, 'x'.repeat(2 * 1024 * 1024)), 401, 'not even its length counts');
    const authorization = `Bearer ${token}`;
    assert.equal(await post(`${app.url}/api/callbacks`, { authorization }), 403);
    assert.equal(await post(`${app.url}/api/callbacks`, {}), 401);
    assert.equal(await post(`${app.url}/api/callbacks/${media}`, { authorization }), 403);
    assert.equal(await post(`${uri.slice(0, -1)}`, { authorization }), 403);
    assert.equal(await post(`${app.url}/api/callbacks/x`, { authorization }), 403);
    assert.equal(await post(uri, { authorization }), 415, 'fetch says that text is text');
  });

  it('is an array of events, or one: whatever else is in it is skipped', async (t) => {
    const { app, placed, types } = await startCall(t);
    const good = placed.event('PlayStarted');
    const bad = [
      null,
      7,
      'x',
      [],
      {},
      { ...good, id: 7 },
      { ...good, id: '' },
      { ...good, type: undefined },
      { ...good, type: 'of +15550100 Failed' },
      { ...good, type: 'Microsoft.Communication.' },
      { ...good, data: undefined },
      { ...good, data: { callConnectionId: 7 } },
      { ...good, id: 'x'.repeat(2_000) },
    ];
    assert.equal((await placed.post([...bad, good, ...bad])).status, 200);
    assert.equal((await placed.post(placed.event('PlayCompleted'))).status, 200);
    assert.deepEqual(types(), ['PlayStarted', 'PlayCompleted']);
    const skipped = app.log.lines.filter(({ msg }) => msg?.includes('no event: skipped'));
    assert.ok(skipped.length >= 1 && skipped.length <= 5, 'a bounded number of lines');
  });

  it('takes events whose optional parts are nonsense', async (t) => {
    const { placed, types } = await startCall(t);
    const resultInformation = { code: 'x', subCode: null };
    const odd = {
      resultInformation,
      operationContext: 7,
      correlationId: {},
      serverCallId: 'x'.repeat(9_999),
    };
    await placed.post([placed.event('PlayFailed', odd)]);
    assert.deepEqual(types(), ['PlayFailed']);
  });

  it('needs no content type, but no wrong one, and is bounded', async (t) => {
    const { app, placed, types } = await startCall(t);
    const uri = await callbackUri(placed);
    const authorization = `Bearer ${await app.simulator.token(300)}`;
    const post = async (body: string | Uint8Array, headers: Record<string, string> = {}) => {
      const sent = { method: 'POST', body: Buffer.from(body), headers: { authorization, ...headers } };
      return (await fetch(uri, sent)).status;
    };
    const json = { 'content-type': 'application/json' };
    const event = () => JSON.stringify([placed.event('PlayStarted')]);
    assert.equal(await post(event()), 200);
    assert.equal(await post(event(), { 'content-type': 'application/cloudevents-batch+json' }), 200);
    assert.equal(await post(event(), { 'content-type': 'text/plain' }), 415);
    assert.equal(await post(gzipSync(event()), { ...json, 'content-encoding': 'gzip' }), 415);
    assert.equal(await post('[{', json), 400);
    assert.equal(await post('', json), 400);
    assert.equal(await post('"text"', json), 400);
    assert.equal(await post(event().padEnd(1024 * 1024), json), 200);
    assert.equal(await post(event().padEnd(1024 * 1024 + 1), json), 413);
    assert.deepEqual(types(), ['PlayStarted', 'PlayStarted', 'PlayStarted']);
  });

  it('is served while the process drains', async (t) => {
    const { app, placed, running } = await startCall(t);
    const stopped = app.callgate.stop(60_000);
    assert.equal((await placed.post([placed.event('CallDisconnected')])).status, 200);
    await end(running);
    await stopped;
  });

  it('of many ids costs a call a bounded amount: the oldest are forgotten', async (t) => {
    const { placed, events } = await startCall(t);
    const first = placed.event('PlayStarted');
    await placed.post([first]);
    const many = Array.from({ length: 1_000 }, () => placed.event('PlayStarted'));
    for (let at = 0; at < many.length; at += 100) {
      assert.equal((await placed.post(many.slice(at, at + 100))).status, 200);
    }
    await placed.post([many[999], first]);
    assert.equal(events.length, 1_002, 'the last one is known, the first is new again');
  });
});
