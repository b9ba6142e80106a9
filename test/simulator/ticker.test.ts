import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Ticker } from '../../simulator/ticker.ts';
import { createTicker } from '../../simulator/ticker.ts';

/** The next tick once the clock has gone on by so much. */
function nextTick(ticker: Ticker, time: { now: number }, elapsed: number): Promise<number> {
  const { promise, resolve } = Promise.withResolvers<number>();
  const remove = ticker.add((tick) => {
    remove();
    resolve(tick);
  });
  time.now += elapsed;
  return promise;
}

test('does not drift: a stall is told by the number of the next tick', async (t) => {
  const time = { now: 0 };
  const ticker = createTicker({ periodMs: 4, turns: 1, clock: () => time.now });
  t.after(() => ticker.close());
  assert.equal(await nextTick(ticker, time, 4), 1);
  assert.equal(await nextTick(ticker, time, 2_000), 501);
  assert.equal(
    await nextTick(ticker, time, 3.4),
    502,
    'a timer that fires early has come for the tick it was meant for',
  );
});

test('a tick that takes long delays none but itself', async (t) => {
  const time = { now: 0 };
  const ticker = createTicker({ periodMs: 4, turns: 1, clock: () => time.now });
  t.after(() => ticker.close());
  const ticks: number[] = [];
  const { promise, resolve } = Promise.withResolvers<void>();
  ticker.add((tick) => {
    ticks.push(tick);
    time.now = tick * 4 + 3; // three quarters of a period at work
    setImmediate(() => {
      time.now = (tick + 1) * 4;
    });
    if (ticks.length === 4) resolve();
  });
  time.now = 4;
  await promise;
  assert.deepEqual(ticks, [1, 2, 3, 4]);
});

test('calls take turns within a period', async (t) => {
  const ticker = createTicker({ periodMs: 8, turns: 4 });
  t.after(() => ticker.close());
  const turns: number[] = [];
  const { promise, resolve } = Promise.withResolvers<void>();
  for (const listener of [0, 1, 2, 3]) {
    ticker.add(() => {
      turns.push(listener);
      if (turns.length === 16) resolve();
    });
  }
  await promise;
  for (const listener of [0, 1, 2, 3]) assert.equal(turns.filter((one) => one === listener).length, 4);
});

test('rests while nobody listens, and ends with the process', async (t) => {
  const ticker = createTicker({ periodMs: 1 });
  t.after(() => ticker.close());
  const { promise, resolve } = Promise.withResolvers<void>();
  let calls = 0;
  const remove = ticker.add(() => {
    calls += 1;
    if (calls < 3) return;
    remove();
    resolve();
  });
  await promise;
  assert.equal(calls, 3);
});
