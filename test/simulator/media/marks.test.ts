import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createMarkReader, MARK_SAMPLES, writeMark } from '../../../simulator/media/marks.ts';

const word = fc.integer({ min: 0, max: 0xffffffff });
const pcm = (samples: number) =>
  fc.uint8Array({ minLength: samples * 2, maxLength: samples * 2 }).map((bytes) => Buffer.from(bytes));

test('marks are found however the stream is cut, and between other audio', () => {
  const frame = fc.integer({ min: MARK_SAMPLES, max: 320 }).chain(pcm);
  const frames = fc.array(fc.tuple(frame, word, word), { minLength: 1, maxLength: 4 });
  const cuts = fc.array(fc.integer({ min: 1, max: 400 }), { minLength: 1, maxLength: 20 });
  fc.assert(
    fc.property(frames, pcm(7), cuts, (marked, before, sizes) => {
      for (const [frame, call, sequence] of marked) writeMark(frame, { call, sequence });
      const stream = Buffer.concat([before, ...marked.map(([frame]) => frame)]);
      const read = createMarkReader();
      const found = [];
      for (let at = 0, cut = 0; at < stream.length; cut++) {
        const size = (sizes[cut % sizes.length] ?? 1) * 2;
        found.push(...read(stream.subarray(at, at + size)));
        at += size;
      }
      assert.deepEqual(
        found,
        marked.map(([, call, sequence]) => ({ call, sequence })),
      );
    }),
  );
});

test('a mark changes no sample by more than its least significant bit', () => {
  fc.assert(
    fc.property(pcm(MARK_SAMPLES), word, word, (frame, call, sequence) => {
      const before = Buffer.from(frame);
      writeMark(frame, { call, sequence });
      for (let at = 0; at < frame.length; at += 2) {
        assert.ok(Math.abs(frame.readInt16LE(at) - before.readInt16LE(at)) <= 1);
      }
    }),
  );
});

test('audio without marks has none, and one that was tampered with is none', () => {
  const frame = Buffer.alloc(960);
  writeMark(frame, { call: 7, sequence: 1 });
  frame[64 * 2] = (frame[64 * 2] ?? 0) ^ 1; // the first bit of the sequence
  assert.deepEqual(createMarkReader()(frame), []);
  assert.deepEqual(createMarkReader()(Buffer.alloc(960)), []);
});
