import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createVoice } from '../../../simulator/media/voice.ts';

const sound = { sampleRate: 24_000, samples: new Int16Array(720).fill(300) }; // a frame and a half
const frames = (options: { loop: boolean }) => {
  const voice = createVoice({ sound, sampleRate: 24_000, ...options });
  return Array.from({ length: 4 }, () => {
    const { pcm, silent } = voice.next();
    return { pcm: Buffer.from(pcm), silent };
  });
};

test('says a sound once, then nothing', () => {
  const said = frames({ loop: false });
  assert.deepEqual(
    said.map(({ silent }) => silent),
    [false, false, true, true],
  );
  assert.equal(said[1]?.pcm.readInt16LE(239 * 2), 300);
  assert.equal(said[1]?.pcm.readInt16LE(240 * 2), 0);
});

test('or over and over', () => {
  const said = frames({ loop: true });
  assert.deepEqual(
    said.map(({ silent }) => silent),
    [false, false, false, false],
  );
});

test('speaks at the rate of the call', () => {
  const { pcm } = createVoice({ sound, sampleRate: 16_000, loop: false }).next();
  assert.equal(pcm.length, 640);
});
