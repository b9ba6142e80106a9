import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createBudget } from '../../src/telemetry/budget.ts';

test('a budget has room for a burst, then for so many a second, and counts what does not fit', () => {
  let time = 0;
  const budget = createBudget({ burst: 3, perSecond: 2, now: () => time });
  const takes = (times: number) => Array.from({ length: times }, () => budget.take());

  assert.deepEqual(takes(5), [true, true, true, false, false]);
  time += 499;
  assert.deepEqual(takes(1), [false]);
  time += 2;
  assert.deepEqual(takes(2), [true, false]);
  assert.equal(budget.suppressed, 4);
});

test('what nobody took of a budget is kept, up to its burst', () => {
  let time = 0;
  const budget = createBudget({ burst: 3, perSecond: 2, now: () => time });
  time += 3_600_000;
  assert.deepEqual([1, 2, 3, 4].map(budget.take), [true, true, true, false]);
});
