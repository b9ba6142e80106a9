// Whoever ends the media ends the call: each way is seen to arrive at ACS as one hang-up, for everyone.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { SimulatedCall } from '../../simulator/calls/handle.ts';
import type { AnswerFault } from '../../simulator/faults/faults.ts';
import type { Call, Handler } from '../../src/calls/call.ts';
import { type App, catchCall, end, startApp } from '../support/app.ts';

const limits = { concurrency: true, timeout: 120_000 };

/** Hang-ups that reached the simulator, by the status that they were answered with. */
function hangUps({ journal }: SimulatedCall): (number | undefined)[] {
  return journal.entries.flatMap((entry) =>
    entry.type === 'request' && entry.operation === 'terminate' ? [entry.status] : [],
  );
}

/** Waits until all that the app does for a call is done, and checks that it was hung up once. */
async function assertHungUp({ callgate, simulator }: App, call: SimulatedCall) {
  const { outcome } = await call.until('ended');
  assert.equal(outcome, 'the app hung up');
  assert.equal(callgate.size, 0, 'its slot is free');
  await callgate.stop(0);
  assert.deepEqual(hangUps(call), [204]);
  await simulator.close();
}

const connected = (call: SimulatedCall) => call.until('upgrade', ({ status }) => status === 101);

describe('a call is hung up, once', limits, () => {
  it('when its time is over', async (t) => {
    const app = await startApp(t, { config: { maxCallMs: 500 } });
    const placed = app.simulator.placeCall();
    assert.equal((await app.log.until('call ended')).reason, 'MAX_CALL_SECONDS are over');
    await assertHungUp(app, placed);
  });

  it('when nothing is received for too long', async (t) => {
    const app = await startApp(t, { config: { idleCallMs: 200 }, simulator: { frameMs: 3_600_000 } });
    const placed = app.simulator.placeCall();
    await connected(placed);
    placed.stream?.socket?.pause();
    await assertHungUp(app, placed);
    assert.equal((await app.log.until('media disconnected')).reason, 'Nothing received for too long');
  });

  const misdeeds: [string, number, (call: SimulatedCall) => void][] = [
    ['sends nonsense', 1008, repeat(100, 'nonsense')],
    ['sends binary frames', 1008, repeat(100, Buffer.alloc(960))],
    ['sends too much at once', 1009, repeat(1, 'x'.repeat(300 * 1024))],
    ['sends what is no text', 1008, repeat(100, '{"kind":"AudioData","audioData":{"data":"?"}}')],
  ];
  for (const [what, code, misbehave] of misdeeds) {
    it(`when its socket ${what}`, async (t) => {
      const app = await startApp(t, { simulator: { frameMs: 3_600_000 } });
      const placed = app.simulator.placeCall();
      await connected(placed);
      misbehave(placed);
      const closed = await placed.until('media-closed');
      assert.equal(closed.code, code);
      await assertHungUp(app, placed);
    });
  }

  const failures: [string, Handler][] = [
    [
      'throws',
      () => {
        throw new Error('as the test wants');
      },
    ],
    ['rejects', () => Promise.reject(new Error('as the test wants'))],
    [
      'has a listener that throws',
      (call) => {
        call.on('audio', () => {
          throw new Error('as the test wants');
        });
      },
    ],
    [
      'has an async listener that rejects',
      (call) => {
        call.on('audio', async () => {
          throw new Error('as the test wants');
        });
      },
    ],
    [
      'has a listener for events that throws',
      (call) => {
        call.on('event', ({ type }) => {
          if (type === 'MediaStreamingStarted') throw new Error('as the test wants');
        });
      },
    ],
    [
      'throws what is no error',
      () => {
        throw undefined;
      },
    ],
  ];
  for (const [what, handler] of failures) {
    it(`when its handler ${what}, and no other call is`, async (t) => {
      let calls = 0;
      const other = catchCall();
      const app = await startApp(t, {
        handler: (call) => (++calls === 1 ? other.handler(call) : handler(call)),
      });
      const bystander = app.simulator.placeCall();
      const untouched = await other.call;
      const placed = app.simulator.placeCall();
      const closed = await placed.until('media-closed');
      assert.deepEqual([closed.by, closed.code], ['app', 1011]);
      assert.equal((await placed.until('ended')).outcome, 'the app hung up');

      assert.equal(app.callgate.size, 1);
      assert.equal(untouched.signal.aborted, false);
      assert.equal(bystander.state, 'connected');
      await app.callgate.stop(0);
      assert.deepEqual(hangUps(placed), [204]);
    });
  }

  it('when its media has failed, though its handler never returns', async (t) => {
    const caught = catchCall(() => new Promise(() => {}));
    const app = await startApp(t, { handler: caught.handler });
    const placed = app.simulator.placeCall();
    const running = await caught.call;
    await connected(placed);
    await placed.post([placed.event('MediaStreamingFailed')]);
    await end(running);
    await assertHungUp(app, placed);
  });

  it('when the process stops', async (t) => {
    const { handler, call } = catchCall();
    const app = await startApp(t, { handler });
    const placed = app.simulator.placeCall();
    const { signal } = await call;
    await app.callgate.stop(0);
    assert.equal(signal.aborted, true);
    const closed = await placed.until('media-closed');
    assert.equal(closed.code, 1001);
    await assertHungUp(app, placed);
  });

  it('when the process stops while it is being answered', async (t) => {
    const app = await startApp(t);
    app.simulator.failNext('answerCall', { delayMs: 300 });
    const placed = app.simulator.placeCall({ order: 'media-before-answer' });
    await placed.until('answered');
    await app.callgate.stop(0);
    await assertHungUp(app, placed);
    assert.equal((await placed.until('announced', ({ what }) => what === 'call')).status, 200);
  });

  it('when the process stops before anybody has said the id of the call', async (t) => {
    const app = await startApp(t, { simulator: { callbackRetryMs: [] } });
    app.simulator.setFaults({ token: 'expired' }); // neither socket nor event gets in
    app.simulator.failNext('answerCall', { delayMs: 300 });
    const placed = app.simulator.placeCall();
    await placed.until('answered');
    await app.callgate.stop(0);
    await assertHungUp(app, placed);
  });

  it('when no socket comes after the answer', async (t) => {
    const app = await startApp(t, {
      calls: { limits: { socketMs: 200 } },
      simulator: { callbackRetryMs: [3_600_000] },
    });
    app.simulator.setFaults({ token: 'expired' }); // neither socket nor event gets in, and events come first
    const placed = app.simulator.placeCall({ order: 'events-first' });
    await assertHungUp(app, placed);
    assert.equal((await app.log.until('call ended')).reason, 'no socket came in time after the answer');
  });

  it('when its socket was refused, which ACS tells', async (t) => {
    const app = await startApp(t, { simulator: { callbackRetryMs: [20, 20, 20, 20] } });
    app.simulator.setFaults({ token: 'wrong-audience' });
    const placed = app.simulator.placeCall({ order: 'media-first' });
    await placed.until('upgrade', ({ status }) => status === 401);
    app.simulator.setFaults({ token: null });
    await assertHungUp(app, placed);
    const { help, subCode } = await app.log.until('ACS: MediaStreamingFailed');
    assert.equal(subCode, 8581);
    assert.match(String(help), /PUBLIC_URL/);
  });

  it('when its media has failed', async (t) => {
    const app = await startApp(t);
    const placed = app.simulator.placeCall();
    await connected(placed);
    await placed.post([placed.event('MediaStreamingFailed')]);
    await assertHungUp(app, placed);
  });

  it('when its handler says so', async (t) => {
    const app = await startApp(t, { handler: (call) => call.hangUp() });
    const placed = app.simulator.placeCall();
    const closed = await placed.until('media-closed');
    assert.equal(closed.code, 1000);
    await assertHungUp(app, placed);
  });

  it('when its handler says so before answerCall has returned', async (t) => {
    const app = await startApp(t, { handler: (call) => call.hangUp() });
    const placed = app.simulator.placeCall({ order: 'media-before-answer' });
    await assertHungUp(app, placed);
  });

  it('when its media was stopped on purpose and nothing came for too long', async (t) => {
    const { handler, call } = catchCall();
    const app = await startApp(t, { handler, calls: { limits: { idleMs: 400 } } });
    const placed = app.simulator.placeCall();
    const { acs } = await call;
    await acs.connection?.getCallMedia().stopMediaStreaming();
    await placed.until('event', ({ event }) => event === 'MediaStreamingStopped');
    await assertHungUp(app, placed);
    assert.equal((await app.log.until('call ended')).reason, 'nothing came for IDLE_CALL_SECONDS');
    const operations = placed.report().operations;
    assert.ok(!operations.includes('startMediaStreaming'), 'it was no drop');
  });
});

describe('a call that is over for ACS', limits, () => {
  it('is not hung up', async (t) => {
    const { handler, call } = catchCall();
    const app = await startApp(t, { handler });
    const placed = app.simulator.placeCall();
    const running: Call = await call;
    placed.hangUp();
    await end(running);
    await app.callgate.stop(0);
    assert.deepEqual(hangUps(placed), []);
    assert.equal(app.callgate.size, 0);
  });

  it('is over here, though its handler never returns', async (t) => {
    const caught = catchCall(() => new Promise(() => {}));
    const app = await startApp(t, { handler: caught.handler });
    const placed = app.simulator.placeCall();
    const running = await caught.call;
    placed.hangUp();
    await end(running);
    assert.equal(app.callgate.size, 0, 'its slot is free');
    await app.callgate.stop(3_600_000);
    assert.deepEqual(hangUps(placed), []);
  });

  it('is not hung up after any other end that it has told', async (t) => {
    for (const type of ['AnswerFailed', 'ConnectFailed', 'CreateCallFailed', 'CallDisconnected']) {
      const { handler, call } = catchCall();
      const app = await startApp(t, { handler });
      const placed = app.simulator.placeCall();
      const running = await call;
      await placed.post([placed.event(type)]);
      await end(running);
      const closed = await placed.until('media-closed');
      assert.equal(closed.code, 1000);
      await app.callgate.stop(0);
      assert.deepEqual(hangUps(placed), [], type);
    }
  });

  it('is hung up in vain, which does no harm', async (t) => {
    const { handler, call } = catchCall();
    const app = await startApp(t, { handler });
    const placed = app.simulator.placeCall();
    const running = await call;
    app.simulator.failNext('terminate', { status: 404 });
    await running.hangUp();
    await app.log.until('ACS had ended the call already');
    assert.equal(app.callgate.size, 0);
    assert.deepEqual(hangUps(placed), [404]);
  });
});

describe('a hang-up that fails', limits, () => {
  const faults: [string, AnswerFault, unknown[]][] = [
    ['a 500', { status: 500 }, [500, 204]],
    ['a 429 that says when to come again', { status: 429, headers: { 'retry-after': '1' } }, [429, 204]],
    ['a reset', { cut: true }, [undefined, 204]],
    ['a reset though it was done', { cut: true, applied: true }, [undefined, 204]],
  ];
  for (const [what, fault, statuses] of faults) {
    it(`(${what}) is tried again, and the slot is free meanwhile`, async (t) => {
      const { handler, call } = catchCall();
      const app = await startApp(t, { handler });
      const placed = app.simulator.placeCall();
      const running = await call;
      app.simulator.failNext('terminate', fault);
      const done = running.hangUp();
      assert.equal(app.callgate.size, 0);
      await done;
      assert.deepEqual(hangUps(placed), statuses);
      assert.equal(placed.state, 'ended');
      await app.log.until('hung up');
    });
  }

  it('(no answer at all) is tried again within its time', async (t) => {
    const { handler, call } = catchCall();
    const app = await startApp(t, { handler, calls: { limits: { hangUpMs: 6_000 } } });
    const placed = app.simulator.placeCall();
    const running = await call;
    app.simulator.failNext('terminate', { delayMs: 3_600_000, applied: false });
    await running.hangUp();
    assert.equal(hangUps(placed).length, 2);
    assert.equal(placed.state, 'ended');
  });

  it('(no answer at all) is given up when its time is over', async (t) => {
    const { handler, call } = catchCall();
    const app = await startApp(t, { handler, calls: { limits: { hangUpMs: 300 } } });
    const placed = app.simulator.placeCall();
    const running = await call;
    app.simulator.failNext('terminate', { delayMs: 3_600_000, applied: false, times: 99 });
    await running.hangUp();
    await app.log.until('the hang-up failed');
    assert.ok(hangUps(placed).length <= 3);
    assert.equal(app.callgate.size, 0);
  });

  it('for good is logged, and the slot is free', async (t) => {
    const { handler, call } = catchCall();
    const app = await startApp(t, { handler, calls: { limits: { hangUpMs: 200 } } });
    const placed = app.simulator.placeCall();
    const running = await call;
    app.simulator.failNext('terminate', { status: 500, times: 10 });
    await running.hangUp();
    const line = await app.log.until('the hang-up failed');
    assert.equal(line.level, 50);
    assert.equal(app.callgate.size, 0);
    assert.deepEqual(hangUps(placed), [500], 'given up after hangUpMs');
  });
});

describe('a process that stops', limits, () => {
  it('lets calls go on, and is done when the last has ended', async (t) => {
    const { handler, call } = catchCall();
    const app = await startApp(t, { handler });
    const placed = app.simulator.placeCall();
    const running = await call;
    const stopped = app.callgate.stop(3_600_000);
    assert.equal((await fetch(`${app.url}/readyz`)).status, 503);
    assert.equal(running.signal.aborted, false);
    placed.hangUp();
    await stopped;
    assert.equal(running.signal.aborted, true);
    assert.deepEqual(hangUps(placed), []);
  });

  it('waits no longer for a hang-up than it has time', async (t) => {
    const { handler, call } = catchCall();
    const app = await startApp(t, { handler });
    app.simulator.placeCall();
    await call;
    app.simulator.failNext('terminate', { delayMs: 4_000 });
    await app.callgate.stop(0, 100);
    assert.ok(!app.log.lines.some(({ msg }) => msg?.includes('hung up')), 'it is still under way');
  });
});

function repeat(times: number, frame: string | Buffer) {
  return ({ stream }: SimulatedCall) => {
    for (let i = 0; i < times; i++) stream?.socket?.send(frame);
  };
}
