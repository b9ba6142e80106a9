import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compareCalls, compareRefusals } from '../../../scripts/soak/totals.ts';

test('strangers and the refusals in the log are as many, for each reason', () => {
  // Two of them have one reason.
  const strangers = { 'no token': 2, 'a forged binding': 3, 'a forged event': 4 };
  const logged = [
    ['no_token', 2],
    ['bad_binding', 7],
  ] as const;
  assert.deepEqual(compareRefusals(strangers, new Map(logged)), []);
  assert.deepEqual(compareRefusals(strangers, new Map([...logged, ['no_token', 3]])), [
    'refusals in the log for no_token: 3, not 2',
  ]);
  assert.deepEqual(compareRefusals(strangers, new Map([['no_token', 2]])), [
    'refusals in the log for bad_binding: 0, not 7',
  ]);
});

test('each call is in the log once, with a hang-up if the app made it, whenever that came', () => {
  const calls = { placed: 5, endedBy: { 'the caller hung up': 3, 'the app hung up': 1 } };
  const logged = new Map([
    ['call.announced', 5],
    ['call.answered', 5],
    ['call.ended', 5],
    ['call.hung_up', 1],
  ]);
  assert.deepEqual(compareCalls(calls, logged), []);
  logged.set('call.hung_up', 2).set('call.answered', 6);
  assert.deepEqual(compareCalls(calls, logged), [
    'lines in the log of call.answered: 6, not 5',
    'lines in the log of call.hung_up: 2, not 1',
  ]);
});
