import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createNumberedEar, makeNumbered } from '../../../scripts/soak/menu.ts';
import { writeMark } from '../../../simulator/media/marks.ts';

const frames = (from: number, to: number) => {
  const audio = makeNumbered(to * 20);
  return Array.from({ length: to - from }, (_, at) =>
    audio.subarray((from + at) * 960, (from + at + 1) * 960),
  );
};

function hear(...heard: Buffer[][]) {
  const ear = createNumberedEar();
  for (const frame of heard.flat()) assert.equal(ear.take(frame), true);
  return ear;
}

test('each frame of numbered audio is told from those beside it, and from a caller', () => {
  const { heard, gaps, take } = hear(frames(0, 10_001), frames(0, 3), frames(0, 1));
  // The ten thousandth is as the first again.
  assert.deepEqual(heard, [10_000, 1, 3, 1]);
  assert.deepEqual(gaps, []);
  const spoken = Buffer.alloc(960);
  writeMark(spoken, { call: 1, sequence: 1 });
  assert.equal(take(spoken), false);
});

test('a frame that is missing, comes twice or is spoilt is noticed', () => {
  const [first, second] = frames(0, 2);
  assert.ok(first && second);
  assert.equal(hear(frames(0, 5), frames(6, 8)).gaps.length, 2);
  assert.equal(hear(frames(0, 5), frames(4, 5)).gaps.length, 1);
  assert.equal(hear([first], [second.subarray(2)]).gaps.length, 1);
  assert.equal(hear([second]).gaps.length, 1, 'nor is it a beginning');
});
