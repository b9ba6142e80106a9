import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRepeatability } from '../../../simulator/rest/repeatability.ts';

test('what comes again takes effect once, while it runs and afterwards', async () => {
  const { once } = createRepeatability();
  const after = () => {};
  let runs = 0;
  const run = async () => ({ body: ++runs, after });
  const [first, second] = await Promise.all([once('a', run), once('a', run)]);
  assert.deepEqual(first, { effect: { body: 1, after }, replayed: false });
  assert.deepEqual(second, { effect: { body: 1 }, replayed: true });
  assert.deepEqual(await once('a', run), second);
  assert.equal((await once('b', run)).replayed, false);
});

test('what was refused is tried anew', async () => {
  const { once } = createRepeatability();
  await assert.rejects(
    once('a', async () => {
      throw new Error('refused');
    }),
    /refused/,
  );
  assert.equal((await once('a', async () => ({}))).replayed, false);
});

test('only so many are remembered', async () => {
  const { once } = createRepeatability(2);
  const isKnown = async (key: string) => (await once(key, async () => ({}))).replayed;
  for (const key of ['a', 'b', 'c']) await isKnown(key);
  assert.deepEqual([await isKnown('b'), await isKnown('c'), await isKnown('a')], [true, true, false]);
});
