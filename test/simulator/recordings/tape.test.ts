import assert from 'node:assert/strict';
import { test } from 'node:test';
import { toSamples } from '../../../simulator/media/wav.ts';
import { createTape } from '../../../simulator/recordings/tape.ts';

const said = (speaker: string, value: number, samples = 320) => ({
  speaker,
  pcm: Buffer.from(new Int16Array(samples).fill(value).buffer),
  silent: value === 0,
});
const values = (channel: Buffer) => [...toSamples(channel)].filter((_, at) => at % 320 === 0);

test('who comes late is silent until then, and who falls silent afterwards', () => {
  const tape = createTape(true, new Map());
  tape.add([], 16_000);
  tape.add([said('a', 1)], 16_000);
  tape.add([said('a', 2), said('b', 3)], 16_000);
  tape.add([said('a', 0), said('b', 4)], 16_000);
  assert.equal(tape.ms, 80);
  assert.deepEqual(tape.channels().map(values), [
    [0, 1, 2, 0],
    [0, 0, 3, 4],
  ]);
});

test('five are kept apart, and nobody sits on the place of another', () => {
  const tape = createTape(true, new Map([['late', 1]]));
  tape.add(
    ['a', 'b', 'c', 'd', 'e'].map((speaker, at) => said(speaker, at + 1)),
    16_000,
  );
  tape.add([said('late', 9)], 16_000);
  assert.deepEqual(tape.channels().map(values), [
    [1, 0],
    [0, 9],
    [2, 0],
    [3, 0],
    [4, 0],
  ]);
});

test('a mix is at 16 kHz whatever the call is at, and nothing that happens to a frame later changes it', () => {
  const tape = createTape(false, new Map());
  const frame = said('a', 5, 480);
  tape.add([frame, said('b', 6, 480)], 24_000);
  frame.pcm.fill(0);
  const same = said('a', 7);
  tape.add([same], 16_000);
  same.pcm.fill(0);
  const [mixed = Buffer.alloc(0), ...others] = tape.channels();
  assert.equal(others.length, 0);
  assert.deepEqual([...toSamples(mixed)], [...new Array(320).fill(11), ...new Array(320).fill(7)]);
});

test('it ends after ten minutes', () => {
  const tape = createTape(false, new Map());
  for (let at = 0; at < 30_010; at++) tape.add([], 16_000);
  assert.equal(tape.ms, 600_000);
  assert.equal(tape.channels()[0]?.length, 600 * 32_000);
});
