import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import { createTicker } from '../../../simulator/media/ticker.ts';

/** A ticker on a clock of the test's own. */
function start(t: TestContext, { periodMs = 20, turns = 1 } = {}) {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const time = { now: 0 };
  const late: number[] = [];
  const ticker = createTicker({ periodMs, turns, clock: () => time.now, onTurn: (ms) => late.push(ms) });
  t.after(() => ticker.close());
  const pass = (ms: number) => {
    time.now += ms;
    t.mock.timers.tick(ms);
  };
  return { ticker, time, pass, late };
}

test('does not drift: a stall is told by the number of the next tick', (t) => {
  const { ticker, time, pass } = start(t);
  const ticks: number[] = [];
  ticker.add((tick) => ticks.push(tick));
  pass(20);
  time.now += 10_000; // nothing ran in the meantime
  pass(20);
  time.now += 7; // late, so the next one is due the sooner
  pass(20);
  pass(13);
  assert.deepEqual(ticks, [1, 502, 503, 504]);
});

test('a timer that fires a little early has come for the tick that it was meant for', (t) => {
  const { ticker, time, pass } = start(t);
  const ticks: number[] = [];
  ticker.add((tick) => ticks.push(tick));
  time.now -= 0.6;
  pass(20);
  assert.deepEqual(ticks, [1]);
});

test('a tick that takes long delays none but itself', (t) => {
  const { ticker, time, pass } = start(t);
  const ticks: number[] = [];
  ticker.add((tick) => {
    ticks.push(tick);
    time.now += 15;
  });
  pass(20);
  pass(5);
  pass(5);
  assert.deepEqual(ticks, [1, 2, 3]);
});

test('calls take turns within a period, each once in it', (t) => {
  const { ticker, pass } = start(t, { periodMs: 20, turns: 4 });
  const turns: number[] = [];
  for (const listener of [0, 1, 2, 3]) ticker.add(() => turns.push(listener));
  for (let i = 0; i < 8; i++) pass(5);
  assert.equal(turns.length, 8);
  for (let i = 0; i < 4; i++) assert.notEqual(turns[i], turns[(i + 1) % 4]);
  assert.deepEqual(turns.slice(4), turns.slice(0, 4));
});

test('rests while nobody listens, and goes on without a jump', (t) => {
  const { ticker, pass } = start(t);
  const ticks: number[] = [];
  const remove = ticker.add((tick) => ticks.push(tick));
  pass(20);
  remove();
  pass(1_000);
  ticker.add((tick) => ticks.push(tick));
  pass(20);
  assert.deepEqual(ticks, [1, 52]);
});

test('tells when a tick was due, and how late its turn was through: of missed ones, the first', (t) => {
  const { ticker, time, pass, late } = start(t, { turns: 4 });
  const due: number[] = [];
  const remove = ticker.add((_tick, dueAt) => {
    due.push(dueAt);
    time.now += 3;
  });
  pass(20);
  assert.deepEqual([due, late], [[20], [3]]);
  time.now += 117; // the turn of 40 is missed, and those after it
  pass(20);
  assert.deepEqual(due.slice(1), [160]);
  assert.deepEqual(late.slice(1), [160 + 3 - 40]);
  remove();
  pass(20);
  assert.equal(late.length, 2, 'a turn without anyone has nothing to be late');
});
