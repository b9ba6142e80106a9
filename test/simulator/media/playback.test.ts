import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createPlayback } from '../../../simulator/media/playback.ts';

const frameBytes = 4;

test('plays in real time what came in pieces of any size', () => {
  const playback = createPlayback({ frameBytes, leadFrames: 0 });
  playback.push(Buffer.from([1, 2, 3]));
  playback.push(Buffer.from([4, 5]));
  assert.deepEqual(playback.next(), Buffer.from([1, 2, 3, 4]));
  assert.deepEqual(playback.next(), Buffer.from([5, 0, 0, 0]));
  assert.equal(playback.next(), undefined);
  assert.equal(playback.heardMs, 25);
});

test('an empty buffer waits for its lead, so that jitter is not heard', () => {
  const playback = createPlayback({ frameBytes, leadFrames: 2 });
  playback.push(Buffer.alloc(4, 1));
  assert.equal(playback.next(), undefined);
  playback.push(Buffer.alloc(4, 2));
  assert.equal(playback.next(), undefined);
  assert.deepEqual(playback.next(), Buffer.alloc(4, 1));
  assert.deepEqual(playback.next(), Buffer.alloc(4, 2));
  assert.equal(playback.next(), undefined);
  playback.push(Buffer.alloc(4, 3));
  assert.equal(playback.next(), undefined, 'and so it does each time');
});

test('StopAudio empties the buffer at once and tells how much', () => {
  const playback = createPlayback({ frameBytes, leadFrames: 0 });
  playback.push(Buffer.alloc(40));
  playback.next();
  assert.equal(playback.stop(), 180);
  assert.equal(playback.waitingMs, 0);
  assert.equal(playback.next(), undefined);
  assert.equal(playback.heardMs, 20);
});

test('takes no more than it holds', () => {
  const playback = createPlayback({ frameBytes, limitMs: 40 });
  assert.equal(playback.push(Buffer.alloc(8)), true);
  assert.equal(playback.push(Buffer.alloc(2)), false);
  assert.equal(playback.waitingMs, 40);
});
