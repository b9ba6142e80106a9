import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isMischief, mischiefs } from '../../../scripts/soak/mischief.ts';
import { type CallPlan, createPlan } from '../../../scripts/soak/plan.ts';

function deal(seed: number, count: number, left = 1_000): CallPlan[] {
  const plan = createPlan({ seed, oneIn: 20 });
  return Array.from({ length: count }, () => plan.next(left)).filter((call) => call !== undefined);
}

test('a seed deals the same calls again, another one others', () => {
  assert.deepEqual(deal(1, 200), deal(1, 200));
  assert.notDeepEqual(deal(1, 200), deal(2, 200));
});

test('of twenty calls one misbehaves and one is played to for long; all kinds have their turn', () => {
  const calls = deal(3, 20 * mischiefs.length);
  for (let at = 0; at < calls.length; at += 20) {
    const kinds = calls.slice(at, at + 20).map(({ kind }) => kind);
    assert.equal(kinds.filter(isMischief).length, 1);
    assert.equal(kinds.filter((kind) => kind === 'playback').length, 1);
    assert.equal(kinds.filter((kind) => kind === 'barge-in').length, 3);
  }
  const tricks = calls.map(({ kind }) => kind).filter(isMischief);
  assert.deepEqual(tricks.toSorted(), mischiefs.toSorted());
  assert.ok(calls.some(({ endedBy }) => endedBy === 'app'));
  const short = calls.filter(({ kind }) => kind === 'echo').map(({ seconds }) => seconds);
  assert.ok(Math.min(...short) >= 5 && Math.max(...short) <= 60);
});

test('what no longer fits into the run is a short call, and at its end there is none', () => {
  for (const { kind, seconds } of deal(4, 100, 12)) {
    assert.equal(isMischief(kind) || kind === 'playback', false);
    assert.ok(seconds >= 5 && seconds <= 12, `${seconds}`);
  }
  assert.deepEqual(deal(4, 1, 4.9), []);
  assert.ok(
    deal(4, 100, 45).some(({ kind }) => kind === 'playback'),
    'a long playback may go on for a while',
  );
});
