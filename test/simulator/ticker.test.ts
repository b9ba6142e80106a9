import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createTicker } from '../../simulator/ticker.ts';

test('does not drift: a stall is told by the number of the next tick', async (t) => {
  let time = 0;
  const ticker = createTicker({ periodMs: 1, clock: () => time });
  t.after(() => ticker.close());
  const ticks = (late: number) => {
    const { promise, resolve } = Promise.withResolvers<number>();
    const remove = ticker.add((tick) => {
      remove();
      resolve(tick);
    });
    time += late;
    return promise;
  };
  assert.equal(await ticks(1), 1);
  assert.equal(await ticks(500), 501);
  time += 0.6; // a timer that fires a little early belongs to the tick that it was meant for
  assert.equal(ticker.tick, 502);
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
