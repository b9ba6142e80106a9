import assert from 'node:assert/strict';
import { test } from 'node:test';
import { wait } from '../../simulator/wait.ts';

test('what takes longer than a timer can does not end at once', async (t) => {
  const stop = new AbortController();
  t.after(() => stop.abort());
  const long = wait(2 ** 40, stop.signal).then(() => 'long');
  const short = wait(1, stop.signal).then(() => 'short'); // what a timer makes of a time that is too long
  assert.equal(await Promise.race([long, short]), 'short');
});
