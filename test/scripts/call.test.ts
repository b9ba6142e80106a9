import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import type { SimulatorOptions } from '../../simulator/simulator.ts';
import { createSimulator } from '../../simulator/simulator.ts';
import type { AppOptions } from '../simulator/support/app.ts';
import { startApp } from '../simulator/support/app.ts';
import { monoWav } from '../simulator/support/wav.ts';
import { run } from './support.ts';

async function call(t: TestContext, args: string[], cwd = tmpdir()) {
  const running = run(t, 'scripts/call.ts', args, { INIT_CWD: cwd });
  const code = await running.exited;
  return { out: running.out, err: running.err, code };
}

/** A simulator and an app that run already. */
async function start(t: TestContext, appOptions: Partial<AppOptions> = {}, options: SimulatorOptions = {}) {
  const simulator = await createSimulator({
    frameMs: 4,
    keyMs: 1,
    graceMs: 300,
    eventGridRetryMs: [],
    ...options,
  });
  t.after(() => simulator.close());
  const app = await startApp(t, { connectionString: simulator.connectionString, ...appOptions });
  return (...args: string[]) => call(t, ['--simulator', simulator.url, '--app', app.webhook, ...args]);
}

test('a call through a simulator that runs: progress, then a summary', async (t) => {
  const place = await start(t);
  const { out, err, code } = await place('--seconds', '2', '--dtmf', '12#', '--expect-echo');
  assert.equal(code, 0, err);
  assert.match(err, /^calling http.*\n {2}0 s {2}.*\d frames sent, \d+ received$/m);
  assert.match(out, /^time to answer {2}\d/m);
  assert.match(out, /^frames {10}100 sent, 100 received, 0 lost/m);
  assert.match(out, /^round trip {6}p50 [\d.]+ ms, p99 [\d.]+ ms$/m);
  assert.match(out, /^events.*CallConnected.*CallDisconnected$/m);
  assert.match(out, /^ended {11}the caller hung up$/m);
});

test('several calls side by side, as JSON', async (t) => {
  const place = await start(t);
  const { out, code } = await place('--calls', '3', '--seconds', '1', '--json');
  assert.equal(code, 0);
  const { ok, calls } = JSON.parse(out);
  assert.equal(ok, true);
  assert.equal(calls.length, 3);
  for (const { media } of calls) assert.equal(media.returned, 50);
});

test('--in is what the caller says, --out what was said and heard', async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'callgate-'));
  t.after(() => rm(directory, { recursive: true }));
  const samples = new Int16Array(16_000).fill(2_000);
  await writeFile(join(directory, 'in.wav'), monoWav({ sampleRate: 16_000, samples }));
  const simulator = await createSimulator({ frameMs: 4, graceMs: 300 });
  t.after(() => simulator.close());
  const app = await startApp(t, simulator);
  const args = ['--simulator', simulator.url, '--app', app.webhook, '--in', 'in.wav', '--out', 'out.wav'];
  const { code, err, out } = await call(t, args, directory);
  assert.equal(code, 0, err);
  assert.match(out, /50 sent, 50 received, 0 lost/);
  const wav = await readFile(join(directory, 'out.wav'));
  assert.equal(wav.readUInt16LE(22), 2);
  assert.ok(Math.abs(wav.readInt16LE(44 + 4 * 5_000) - 2_000) <= 1);
  assert.ok(Math.abs(wav.readInt16LE(46 + 4 * 5_000) - 2_000) <= 1);

  await writeFile(join(directory, 'stereo.wav'), monoWav({ sampleRate: 16_000, samples }, { channels: 2 }));
  const refused = await call(t, ['--in', 'stereo.wav'], directory);
  assert.equal(refused.code, 1);
  assert.equal(refused.err.trim(), 'stereo.wav: it needs one channel (mono), this has 2');
  assert.match((await call(t, ['--in', 'none.wav'], directory)).err, /^none\.wav: it cannot be read$/m);
});

test('a handler that does not echo is no fault, unless an echo is expected', async (t) => {
  const place = await start(t, { onFrame: () => {} });
  const quiet = await place('--seconds', '1');
  assert.equal(quiet.code, 0);
  assert.match(quiet.out, /handler does not echo: loss not measured/);
  const strict = await place('--seconds', '1', '--expect-echo');
  assert.equal(strict.code, 1);
  assert.match(strict.err, /^the handler does not echo$/m);
});

test('a call that goes wrong exits 1 and says why', async (t) => {
  const cases: [Partial<AppOptions>, RegExp][] = [
    [{ status: () => 401 }, /status 401 \(is EVENT_GRID_KEY/],
    [{ upgradeStatus: 403 }, /^the app refused the media WebSocket: 403$/m],
    [{ onSocket: (socket) => socket.close(1011) }, /^the app closed the media WebSocket: 1011$/m],
    [{ media: null }, /^the app answered without media streaming$/m],
  ];
  for (const [appOptions, why] of cases) {
    const simulator = await createSimulator({ frameMs: 4, eventGridRetryMs: [] });
    t.after(() => simulator.close());
    const app = await startApp(t, { connectionString: simulator.connectionString, ...appOptions });
    const args = ['--simulator', simulator.url, '--app', app.webhook, '--seconds', '1'];
    const { code, err } = await call(t, args);
    assert.equal(code, 1);
    assert.match(err, why);
  }
});

test('frames that get lost are a fault', async (t) => {
  let frames = 0;
  const place = await start(t, {
    onFrame(frame, socket) {
      const { kind, audioData } = JSON.parse(frame);
      if (kind !== 'AudioData' || ++frames === 10) return;
      socket.send(JSON.stringify({ kind: 'AudioData', audioData: { data: audioData.data } }));
    },
  });
  const { code, err } = await place('--seconds', '1');
  assert.equal(code, 1);
  assert.match(err, /^1 of 50 frames were lost$/m);
});

test('says what is wrong with how it was called', async (t) => {
  assert.match((await call(t, ['--help'])).out, /--expect-echo/);
  const nobody = await call(t, ['--simulator', 'http://127.0.0.1:1']);
  assert.equal(nobody.code, 1);
  assert.match(nobody.err, /^No simulator answers at http:\/\/127\.0\.0\.1:1\.$/m);
  for (const args of [
    ['--calls', '0'],
    ['--seconds', 'x'],
    ['--dtmf', 'hello'],
    ['--simulator', 'here'],
    ['--wrong'],
  ]) {
    const { code, err } = await call(t, args);
    assert.equal(code, 1, args.join(' '));
    assert.match(err, /^error: /);
  }
});

test('with nothing running, it starts a simulator and the app, and ends them', async (t) => {
  const { code, err, out } = await call(
    t,
    ['--simulator-port-is-free'].slice(1).concat('--seconds', '1', '--expect-echo'),
  );
  assert.equal(code, 0, err);
  assert.match(out, /50 sent, 50 received, 0 lost/);
});

test('a signal hangs up, and the summary comes all the same', async (t) => {
  const simulator = await createSimulator({ frameMs: 4, graceMs: 300 });
  t.after(() => simulator.close());
  const app = await startApp(t, simulator);
  const args = ['--simulator', simulator.url, '--app', app.webhook, '--seconds', '3600'];
  const placing = run(t, 'scripts/call.ts', args);
  await placing.says(/connected/);
  placing.kill('SIGINT');
  assert.equal(await placing.exited, 0, placing.err);
  assert.match(placing.out, /^ended {11}the caller hung up$/m);
});
