import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createCaller } from '../../simulator/caller.ts';
import { createMarkReader } from '../../simulator/marks.ts';

const sound = { sampleRate: 24_000, samples: new Int16Array(720).fill(300) }; // a frame and a half
const frames = (options: { loop: boolean; mark: number | undefined }) => {
  const caller = createCaller({ sound, sampleRate: 24_000, ...options });
  return Array.from({ length: 4 }, () => caller.next());
};

test('says a sound once, then nothing', () => {
  const said = frames({ loop: false, mark: undefined });
  assert.deepEqual(
    said.map(({ silent }) => silent),
    [false, false, true, true],
  );
  assert.deepEqual(
    said.map(({ sequence }) => sequence),
    [0, 1, 2, 3],
  );
  assert.equal(said[1]?.pcm.readInt16LE(239 * 2), 300);
  assert.equal(said[1]?.pcm.readInt16LE(240 * 2), 0);
});

test('or over and over', () => {
  const said = frames({ loop: true, mark: undefined });
  assert.deepEqual(
    said.map(({ silent }) => silent),
    [false, false, false, false],
  );
});

test('marks each frame, silent ones too, which stay silent', () => {
  const said = frames({ loop: false, mark: 7 });
  const read = createMarkReader();
  assert.deepEqual(
    said.flatMap(({ pcm }) => read(pcm)),
    [0, 1, 2, 3].map((sequence) => ({ call: 7, sequence })),
  );
  assert.deepEqual(
    said.map(({ silent }) => silent),
    [false, false, true, true],
  );
});

test('speaks at the rate of the call', () => {
  const { pcm } = createCaller({ sound, sampleRate: 16_000, loop: false, mark: undefined }).next();
  assert.equal(pcm.length, 640);
});
