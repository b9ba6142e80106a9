// The sockets of one call: a second one, one that drops, one that comes too late.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { SimulatedCall } from '../../simulator/calls/handle.ts';
import type { Call } from '../../src/calls/call.ts';
import { catchCall, end, startApp } from '../support/app.ts';

const limits = { concurrency: true, timeout: 120_000 };

const upgrades = ({ journal }: SimulatedCall) =>
  journal.entries.filter(({ type }) => type === 'upgrade').length;

function asked({ journal }: SimulatedCall, operation: string): (number | undefined)[] {
  return journal.entries.flatMap((entry) =>
    entry.type === 'request' && entry.operation === operation ? [entry.status] : [],
  );
}

/** Resolves with the next frame of the call that begins with this text, once it is at the app. */
function heard(call: Call, data: string): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  call.on('audio', (frame) => {
    if (frame.data.startsWith(data)) resolve();
  });
  return promise;
}

const audio = (data: string) => JSON.stringify({ kind: 'AudioData', audioData: { data } });

/** A simulator whose callers say only what the test has them say. */
const mute = { frameMs: 3_600_000 };

describe('a second socket of the same call', limits, () => {
  it('takes over: the old one is closed, and the handler goes on with the same Call', async (t) => {
    const caught = catchCall();
    const app = await startApp(t, { handler: caught.handler, simulator: mute });
    const placed = app.simulator.placeCall();
    const running = await caught.call;
    await placed.until('upgrade');

    assert.equal((await placed.openMedia()).status, 101);
    const closed = await placed.until('media-closed');
    assert.deepEqual([closed.by, closed.code, closed.expected], ['app', 1008, true]);
    const arrived = heard(running, 'SECOND');
    placed.stream?.socket?.send(audio('SECONDAA'));
    await arrived;
    assert.equal(running.send(Buffer.from('echo')), true);
    assert.equal(running.signal.aborted, false);
    assert.equal(app.callgate.size, 1);
    assert.equal(caught.runs, 1, 'only the first socket starts a handler');
    assert.deepEqual(asked(placed, 'startMediaStreaming'), [], 'that was no drop');
  });

  it('is not heard twice: what the old one still says is dropped', async (t) => {
    const { handler, call } = catchCall();
    const app = await startApp(t, { handler, simulator: mute });
    const placed = app.simulator.placeCall();
    const running = await call;
    await placed.until('upgrade');
    const texts: string[] = [];
    running.on('audio', ({ data }) => {
      texts.push(data);
    });
    const old = placed.stream?.socket;
    await placed.openMedia();
    old?.send(audio('OLDX'));
    const arrived = heard(running, 'NEWX');
    await placed.until('media-closed');
    placed.stream?.socket?.send(audio('NEWX'));
    await arrived;
    assert.ok(!texts.includes('OLDX'));
  });

  it('is let in though its header names another call, which is logged', async (t) => {
    const { handler, call } = catchCall();
    const app = await startApp(t, { handler });
    const placed = app.simulator.placeCall();
    const running = await call;
    await app.log.until('call answered');
    const headers = { 'x-ms-call-connection-id': 'another' };
    assert.equal((await placed.openMedia({ headers })).status, 101);
    await app.log.until('is of another call than its binding');
    assert.equal(running.acs.callConnectionId, placed.callConnectionId, 'what ACS answered stands');
  });

  it('comes in while the process drains', async (t) => {
    const { handler, call } = catchCall();
    const app = await startApp(t, { handler });
    const placed = app.simulator.placeCall();
    const running = await call;
    await placed.until('upgrade');
    const stopped = app.callgate.stop(60_000);
    assert.equal((await placed.openMedia()).status, 101);
    assert.equal(running.signal.aborted, false);
    placed.hangUp();
    await end(running);
    await stopped;
    assert.equal((await placed.ended).outcome, 'the caller hung up');
  });
});

describe('a socket that drops', limits, () => {
  it('is asked for again, once, and the handler goes on with its successor', async (t) => {
    const caught = catchCall();
    const app = await startApp(t, {
      handler: caught.handler,
      calls: { limits: { askAgainMs: 100 } },
      simulator: mute,
    });
    const placed = app.simulator.placeCall();
    const running = await caught.call;
    await placed.until('event', ({ event }) => event === 'MediaStreamingStarted');
    placed.stream?.socket?.drop();
    await placed.until('upgrade', () => upgrades(placed) === 2);
    await placed.until('request', ({ operation }) => operation === 'startMediaStreaming');

    const arrived = heard(running, 'AFTER');
    placed.stream?.socket?.send(audio('AFTERAAA'));
    await arrived;
    assert.equal(running.signal.aborted, false);
    assert.deepEqual(asked(placed, 'startMediaStreaming'), [202]);

    placed.stream?.socket?.drop();
    await placed.until('upgrade', () => upgrades(placed) === 3);
    assert.deepEqual(asked(placed, 'startMediaStreaming'), [202, 202], 'once for each drop');
    assert.equal(caught.runs, 1, 'it is the same Call');
    await running.hangUp();
    assert.deepEqual(asked(placed, 'terminate'), [204]);
  });

  it('is not asked for when its successor is there already', async (t) => {
    const { handler, call } = catchCall();
    const app = await startApp(t, {
      handler,
      calls: { limits: { askAgainMs: 1_000, successorMs: 1_000 } },
      config: { maxCallMs: 3_000 },
      simulator: mute,
    });
    const placed = app.simulator.placeCall();
    const running = await call;
    await placed.until('upgrade');
    placed.stream?.socket?.drop();
    await app.log.until('media disconnected');
    assert.equal((await placed.openMedia()).status, 101);
    await end(running);
    assert.equal((await app.log.until('call ended')).reason, 'MAX_CALL_SECONDS are over');
    assert.deepEqual(asked(placed, 'startMediaStreaming'), []);
  });

  it('and whose call ACS no longer has: nothing is hung up', async (t) => {
    const { handler, call } = catchCall();
    const app = await startApp(t, { handler, calls: { limits: { askAgainMs: 50 } } });
    const placed = app.simulator.placeCall();
    const running = await call;
    await placed.until('upgrade');
    app.simulator.failNext('startMediaStreaming', { status: 404 });
    placed.stream?.socket?.drop();
    await end(running);
    assert.equal((await app.log.until('call ended')).reason, 'ACS no longer knows the call');
    await app.callgate.stop(0);
    assert.deepEqual(asked(placed, 'terminate'), []);
  });

  it('and has no successor: the call is hung up, once', async (t) => {
    const { handler, call } = catchCall();
    const app = await startApp(t, { handler, calls: { limits: { askAgainMs: 50, successorMs: 400 } } });
    const placed = app.simulator.placeCall();
    const running = await call;
    await placed.until('upgrade');
    app.simulator.failNext('startMediaStreaming', { status: 400 });
    placed.stream?.socket?.drop();
    await end(running);
    assert.equal((await placed.until('ended')).outcome, 'the app hung up');
    assert.equal((await app.log.until('call ended')).reason, 'the socket dropped and no other came');
    assert.deepEqual(asked(placed, 'startMediaStreaming'), [400]);
    await app.callgate.stop(0);
    assert.deepEqual(asked(placed, 'terminate'), [204]);
  });

  it('before CallDisconnected is the end of the call: no media is asked for, nothing hung up', async (t) => {
    const { handler, call } = catchCall();
    const app = await startApp(t, { handler });
    const placed = app.simulator.placeCall();
    const running = await call;
    await placed.until('upgrade');
    placed.stream?.socket?.drop();
    await app.log.until('media disconnected');
    placed.hangUp();
    await end(running);
    await app.callgate.stop(0);
    assert.deepEqual(asked(placed, 'startMediaStreaming'), []);
    assert.deepEqual(asked(placed, 'terminate'), []);
  });

  it('and a call that ends while media is asked for again: that is no failure', async (t) => {
    const { handler, call } = catchCall();
    const app = await startApp(t, { handler, calls: { limits: { askAgainMs: 50 } } });
    const placed = app.simulator.placeCall();
    const running = await call;
    await placed.until('upgrade');
    app.simulator.failNext('startMediaStreaming', { status: 400, delayMs: 60_000 });
    placed.stream?.socket?.drop();
    await placed.until('request', ({ operation }) => operation === 'startMediaStreaming');
    placed.hangUp();
    await end(running);
    await app.callgate.stop(0);
    assert.doesNotMatch(app.log.text, /in vain/);
  });

  it('closed by ACS in good form is a drop too', async (t) => {
    const { handler, call } = catchCall();
    const app = await startApp(t, { handler, calls: { limits: { askAgainMs: 50 } } });
    const placed = app.simulator.placeCall();
    await call;
    await placed.until('event', ({ event }) => event === 'MediaStreamingStarted');
    placed.stream?.socket?.close(1000);
    await placed.until('request', ({ operation }) => operation === 'startMediaStreaming');
    await placed.until('upgrade', () => upgrades(placed) === 2);
    assert.equal(app.callgate.size, 1);
  });

  it('while audio plays: the rest of it goes to the successor', async (t) => {
    const { handler, call } = catchCall();
    const app = await startApp(t, { handler, calls: { limits: { askAgainMs: 50 } }, simulator: mute });
    const received: Buffer[] = [];
    const placed = app.simulator.placeCall({
      onFrame: (frame) => {
        if (frame.kind === 'audio') received.push(frame.pcm);
      },
    });
    const running = await call;
    await placed.until('event', ({ event }) => event === 'MediaStreamingStarted');
    const playback = running.play(tone(2_000));
    placed.stream?.socket?.drop();
    assert.equal(await playback.finished, 'played');
    assert.ok(Buffer.concat(received).length > 0, 'heard on the second socket');
    assert.equal(upgrades(placed), 2);
  });
});

describe('media that is stopped on purpose', limits, () => {
  it('may be started again: the handler goes on with the same Call', async (t) => {
    const { handler, call } = catchCall();
    const app = await startApp(t, {
      handler,
      calls: { limits: { askAgainMs: 20, successorMs: 100, idleMs: 3_000 } },
      config: { maxCallMs: 6_000 },
      simulator: mute,
    });
    const placed = app.simulator.placeCall();
    const running = await call;
    await placed.until('event', ({ event }) => event === 'MediaStreamingStarted');
    const media = running.acs.connection?.getCallMedia();
    await media?.stopMediaStreaming();
    await placed.until('media-closed');
    await app.log.until('media disconnected');
    assert.equal(running.send(Buffer.from('no socket')), false);

    await media?.startMediaStreaming();
    await placed.until('upgrade', () => upgrades(placed) === 2);
    const arrived = heard(running, 'AGAIN');
    placed.stream?.socket?.send(audio('AGAINAAA'));
    await arrived;
    assert.equal(running.signal.aborted, false);
    assert.deepEqual(asked(placed, 'startMediaStreaming'), [202], 'by the handler alone');
    await end(running);
    assert.equal((await app.log.until('call ended')).reason, 'MAX_CALL_SECONDS are over', 'it was not idle');
  });

  it('is under the idle limit, whatever event comes late', async (t) => {
    const { handler, call } = catchCall();
    const app = await startApp(t, {
      handler,
      calls: { limits: { askAgainMs: 3_600_000, successorMs: 3_600_000, idleMs: 1_000 } },
      simulator: mute,
    });
    const placed = app.simulator.placeCall();
    const running = await call;
    await placed.until('event', ({ event }) => event === 'MediaStreamingStarted');
    await running.acs.connection?.getCallMedia().stopMediaStreaming();
    await app.log.until('media disconnected');
    await placed.post([placed.event('MediaStreamingStarted')]);
    await end(running);
    assert.equal((await app.log.until('call ended')).reason, 'nothing came for IDLE_CALL_SECONDS');
  });

  it('counts as such when its event comes after the close', async (t) => {
    const { handler, call } = catchCall();
    const app = await startApp(t, {
      handler,
      calls: { limits: { askAgainMs: 3_600_000, successorMs: 3_600_000, idleMs: 300 } },
      simulator: { ...mute },
    });
    const placed = app.simulator.placeCall();
    const running = await call;
    await placed.until('upgrade');
    placed.stream?.socket?.close(1000);
    await app.log.until('media disconnected');
    await placed.post([placed.event('MediaStreamingStopped')]);
    await end(running);
    assert.equal((await app.log.until('call ended')).reason, 'nothing came for IDLE_CALL_SECONDS');
  });
});

describe('the socket of a call that this process does not have', limits, () => {
  it('is refused when the call has ended', async (t) => {
    const { handler, call } = catchCall();
    const app = await startApp(t, { handler });
    const placed = app.simulator.placeCall();
    const running = await call;
    await placed.until('upgrade');
    await running.hangUp();
    assert.equal((await placed.openMedia()).status, 403);
    assert.equal(app.callgate.size, 0);
  });

  it('is let in soon after the answer, when another process answered: as a call, and hung up as one', async (t) => {
    const signing = { CALL_SIGNING_KEY: 'k'.repeat(32) };
    const first = await startApp(t, { env: signing });
    const { handler, call } = catchCall();
    const second = await startApp(t, {
      handler,
      env: {
        ...signing,
        ...first.simulator.env(),
      },
    });
    const placed = first.simulator.placeCall({ order: 'events-first' });
    const { url } = await addresses(placed);
    await placed.until('upgrade');
    const there = url.replace(first.url.replace('http', 'ws'), second.url.replace('http', 'ws'));
    assert.equal((await placed.openMedia({ url: there })).status, 101);
    const running = await call;
    assert.equal(running.from, undefined);
    assert.equal(running.acs.callConnectionId, placed.callConnectionId);
    await running.hangUp();
    assert.equal(placed.state, 'ended');
  });

  it('is refused later', async (t) => {
    const signing = { CALL_SIGNING_KEY: 'k'.repeat(32) };
    const first = await startApp(t, { env: signing });
    const second = await startApp(t, {
      env: { ...signing, ...first.simulator.env() },
      calls: { now: () => Date.now() + 61_000 },
    });
    const placed = first.simulator.placeCall();
    const { url } = await addresses(placed);
    await placed.until('upgrade');
    const there = url.replace(first.url.replace('http', 'ws'), second.url.replace('http', 'ws'));
    assert.equal((await placed.openMedia({ url: there })).status, 403);
  });
});

/** Where ACS was told to bring the media. */
async function addresses(placed: SimulatedCall): Promise<{ url: string }> {
  const { body } = await placed.until('request', ({ operation }) => operation === 'answerCall');
  const { mediaStreamingOptions } = body as { mediaStreamingOptions: { transportUrl: string } };
  return { url: mediaStreamingOptions.transportUrl };
}

/** Something to play. @param ms how long, in milliseconds */
function tone(ms: number): Buffer {
  return Buffer.alloc(ms * 48, 7);
}
