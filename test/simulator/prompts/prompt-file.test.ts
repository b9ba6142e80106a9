import assert from 'node:assert/strict';
import { test } from 'node:test';
import { results } from '../../../simulator/events/results.ts';
import { downloadWav, isWithinReach } from '../../../simulator/prompts/prompt-file.ts';
import { serveFiles } from '../support/files.ts';
import { monoWav } from '../support/wav.ts';

const sound = { sampleRate: 16_000, samples: Int16Array.of(1, -2, 3) };
const wav = monoWav(sound);
const { signal } = new AbortController();

test('only what plain http serves on this machine is within reach', () => {
  for (const near of ['http://127.0.0.1:1/a.wav', 'http://localhost/a.wav', 'http://[::1]:8080/a.wav'])
    assert.ok(isWithinReach(near), near);
  const far = ['http://example.com/a.wav', 'http://127.0.0.1.example.com/', 'http://localhost@example.com/'];
  for (const uri of [...far, 'https://127.0.0.1/', 'file:///etc/hosts', 'data:audio/wav;base64,', 'menu.wav'])
    assert.ok(!isWithinReach(uri), uri);
});

test('a WAV file is downloaded', async (t) => {
  const { url } = await serveFiles(t, { '/a.wav': wav });
  assert.deepEqual(await downloadWav(`${url}/a.wav`, { signal }), { sound });
});

test('no file: missing, elsewhere, cut off, too large, too slow, or nobody there', async (t) => {
  const files = await serveFiles(t, {
    '/a.wav': wav,
    '/moved.wav': (response) => response.writeHead(302, { location: '/a.wav' }).end(),
    '/cut.wav': (response) =>
      response.writeHead(200, { 'content-length': 99 }).write(wav, () => response.destroy()),
    '/endless.wav': (response) => response.writeHead(200).write(wav),
    '/never.wav': () => {},
  });
  const from = (path: string, limits: { timeoutMs?: number; maxBytes?: number } = {}) =>
    downloadWav(`${files.url}${path}`, { signal, ...limits });
  const missing = { failure: results.noFile };
  assert.deepEqual(await from('/b.wav'), missing);
  assert.deepEqual(await from('/moved.wav'), missing);
  assert.deepEqual(files.asked.includes('/a.wav'), false);
  assert.deepEqual(await from('/cut.wav'), missing);
  assert.deepEqual(await from('/a.wav', { maxBytes: wav.length - 1 }), missing);
  assert.deepEqual(await from('/endless.wav', { timeoutMs: 50 }), missing);
  assert.deepEqual(await from('/never.wav', { timeoutMs: 50 }), missing);
  assert.deepEqual(await downloadWav('http://127.0.0.1:1/a.wav', { signal }), missing);
  assert.deepEqual(await from('/a.wav', { maxBytes: wav.length }), { sound });
});

test('a call that ends leaves its file', async (t) => {
  const over = new AbortController();
  const files = await serveFiles(t, { '/never.wav': () => over.abort() });
  const limits = { signal: over.signal, timeoutMs: 600_000 };
  assert.deepEqual(await downloadWav(`${files.url}/never.wav`, limits), { failure: results.noFile });
});

test('no format that is played: another file, or a WAV without a sample', async (t) => {
  const { url } = await serveFiles(t, {
    '/a.mp3': Buffer.from('ID3 something'),
    '/empty.wav': monoWav({ sampleRate: 16_000, samples: new Int16Array(0) }),
  });
  for (const path of ['/a.mp3', '/empty.wav'])
    assert.deepEqual(await downloadWav(url + path, { signal }), { failure: results.badFile });
});
