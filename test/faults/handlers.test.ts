// Handlers that fail while other calls run in the same process: what those lose, which is nothing.

import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { startBesideAcs } from '../support/process.ts';
import { assertLostNothing } from './lossless.ts';

const limits = { timeout: 120_000 };

/** Ten calls on an app whose handlers fail when they are told to. */
async function startCalls(t: TestContext) {
  const { simulator } = await startBesideAcs(t, {}, 'test/faults/failing-app.ts');
  const calls = Array.from({ length: 10 }, () => simulator.placeCall({ seconds: 5 }));
  await Promise.all(
    calls.map(({ until }) => until('event', ({ event }) => event === 'MediaStreamingStarted')),
  );
  return calls;
}

describe('a handler in the midst of others', limits, () => {
  it('that throws, and one that rejects, ends its call with 1011 and a hang-up, and no other call loses a frame', async (t) => {
    const [throwing, rejecting, ...others] = await startCalls(t);
    assert.ok(throwing && rejecting);
    await throwing.press('1');
    await rejecting.press('2');
    for (const call of [throwing, rejecting]) {
      const { by, code } = await call.until('media-closed');
      assert.deepEqual([by, code], ['app', 1011]);
      const { outcome, operations } = await call.ended;
      assert.deepEqual([outcome, operations], ['the app hung up', ['answerCall', 'terminate']]);
    }
    await Promise.all(others.map(assertLostNothing));
  });

  it('that blocks for 200 ms makes no call lose a frame, its own neither', async (t) => {
    const calls = await startCalls(t);
    const [blocking] = calls;
    assert.ok(blocking);
    await blocking.press('333');
    await Promise.all(calls.map(assertLostNothing));
    for (const call of calls) {
      assert.ok(Number(call.report().media?.roundTripMs?.max) > 150, 'each of them had to wait');
    }
  });
});
