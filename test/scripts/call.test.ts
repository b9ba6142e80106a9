import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import { parseEnv } from 'node:util';
import { findSimulator, whenReady } from '../../scripts/call-client.ts';
import { DEFAULT_PORT } from '../../simulator/cli.ts';
import type { SimulatorOptions } from '../../simulator/simulator.ts';
import { createSimulator } from '../../simulator/simulator.ts';
import type { AppOptions } from '../simulator/support/app.ts';
import { echo, startApp } from '../simulator/support/app.ts';
import { monoWav } from '../simulator/support/wav.ts';
import { freePort } from '../support/free-port.ts';
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
  assert.equal(
    refused.err,
    'stereo.wav: it needs one channel (mono), this has 2. Make one that fits: ffmpeg -i in.wav -ac 1 -ar 24000 -c:a pcm_s16le out.wav\n',
  );
});

test('files are looked at before the call', async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'callgate-'));
  t.after(() => rm(directory, { recursive: true }));
  const cases = [
    ['--in', 'none.wav', 'none.wav: there is no such file'],
    ['--in', '.', '.: it is a folder, not a file'],
    ['--out', 'none/x.wav', '--out none/x.wav: there is no such folder'],
    ['--out', '.', '--out .: it is a folder, not a file'],
  ];
  for (const [option = '', file = '', says] of cases) {
    const { code, err } = await call(t, [option, file], directory);
    assert.equal(code, 1);
    assert.equal(err, `${says}\n`);
  }
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

test('an app that does without media is no fault, unless an echo is expected', async (t) => {
  const place = await start(t, { media: null });
  assert.equal((await place('--seconds', '0.1')).code, 0);
  const { code, err } = await place('--seconds', '0.1', '--expect-echo');
  assert.equal(code, 1);
  assert.match(err, /^the app answered without media streaming$/m);
});

test('a call that goes wrong exits 1 and says why', async (t) => {
  const cases: [Partial<AppOptions>, RegExp][] = [
    [{ status: () => 401 }, /status 401 \(is EVENT_GRID_KEY/],
    [{ upgradeStatus: 403 }, /^the app refused the media WebSocket: 403$/m],
    [{ onSocket: (socket) => socket.close(1011) }, /^the app closed the media WebSocket: 1011$/m],
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

test('an app that hangs up is no fault, and its log knows why', async (t) => {
  const simulator = await createSimulator({ graceMs: 300 });
  t.after(() => simulator.close());
  const { webhook, connections } = await startApp(t, {
    connectionString: simulator.connectionString,
    onFrame: () => connections[0]?.hangUp(true).catch(() => {}), // a second one comes too late
  });
  const { code, out } = await call(t, ['--simulator', simulator.url, '--app', webhook]);
  assert.equal(code, 0);
  assert.match(
    out,
    /^ended {11}the app hung up after \d+(\.\d)? m?s: its log says why \(the terminal it runs in\)$/m,
  );
});

test('where nothing was said, an echo is not missed', async (t) => {
  const simulator = await createSimulator({ frameMs: 60_000 });
  t.after(() => simulator.close());
  const { webhook, connections } = await startApp(t, simulator);
  const placing = run(t, 'scripts/call.ts', ['--simulator', simulator.url, '--app', webhook]);
  await simulator.until('announced', ({ what }) => what === 'call');
  await simulator.until('upgrade');
  await connections[0]?.hangUp(true);
  assert.equal(await placing.exited, 0);
  assert.match(placing.out, /^frames {10}0 sent, 0 received$/m);
  assert.doesNotMatch(placing.out, /echo|round trip/);
});

test('a simulator that goes away is told in a line', async (t) => {
  const simulator = run(t, 'simulator/main.ts', ['--port', '0']);
  await simulator.says(/npm run call/);
  const { ACS_CONNECTION_STRING: connectionString = '', ACS_ISSUER: url = '' } = parseEnv(simulator.out);
  const { webhook } = await startApp(t, { connectionString });
  const placing = run(t, 'scripts/call.ts', ['--simulator', url, '--app', webhook, '--seconds', '3600']);
  await placing.says(/ 1 connected/);
  simulator.kill('SIGTERM');
  assert.equal(await placing.exited, 1);
  assert.ok(placing.err.endsWith(`\nThe simulator at ${url} went away (has it been ended?).\n`), placing.err);
});

test('says when it waits for an app, and what to do if none comes', async () => {
  let waits = 0;
  const nobody = `http://127.0.0.1:${await freePort()}`;
  const onWait = () => {
    waits += 1;
  };
  await assert.rejects(whenReady(`${nobody}/api/incoming-call`, { timeoutMs: 1_200, onWait }), {
    message: `No app answers at ${nobody} after 1.2 s. The terminal it runs in may say why.`,
  });
  assert.equal(waits, 1);
});

test('--silent: the caller says nothing, and hears all the same', async (t) => {
  const heard: number[] = [];
  const place = await start(t, {
    onFrame(frame, socket) {
      const { kind, audioData } = JSON.parse(frame);
      if (kind === 'AudioData') heard.push(Buffer.from(audioData.data, 'base64').readInt16LE(700));
      echo(frame, socket);
    },
  });
  const { code, out } = await place('--silent', '--seconds', '1');
  assert.equal(code, 0);
  assert.match(out, /50 sent, 50 received, 0 lost/);
  assert.deepEqual(new Set(heard), new Set([0]));
});

test('keys that there was no time for are told', async (t) => {
  const place = await start(t, {}, { keyMs: 60_000 });
  assert.match((await place('--seconds', '1', '--dtmf', '123#')).out, /^keys {12}0 of 4 pressed$/m);
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
    ['--from', 'junk'],
    ['--silent', '--in', 'x.wav'],
    ['--wrong'],
  ]) {
    const { code, err } = await call(t, args);
    assert.equal(code, 1, args.join(' '));
    assert.match(err, /^error: .*\nSee npm run call -- --help\n$/);
  }
  // What is left of `npm run call --seconds 3`.
  assert.match((await call(t, ['3'])).err, /^error: too many.* Do the options come after the dashes/);
});

test('with nothing running, it starts a simulator and the app, and ends them', async (t) => {
  if (await findSimulator(`http://127.0.0.1:${DEFAULT_PORT}`)) return t.skip('a simulator runs');
  const { code, err, out } = await call(t, ['--seconds', '1', '--expect-echo']);
  assert.equal(code, 0, err);
  assert.match(out, /50 sent, 50 received, 0 lost/);
});

test('a signal hangs up, and the summary comes all the same', async (t) => {
  const simulator = await createSimulator({ frameMs: 4, graceMs: 300 });
  t.after(() => simulator.close());
  const app = await startApp(t, simulator);
  const args = ['--simulator', simulator.url, '--app', app.webhook, '--seconds', '3600'];
  const placing = run(t, 'scripts/call.ts', args);
  await placing.says(/\b1 connected/);
  placing.kill('SIGINT');
  assert.equal(await placing.exited, 0, placing.err);
  assert.match(placing.out, /^ended {11}the caller hung up$/m);
});

test('--scenario: how a call goes as a file has it, and what of it is not as expected', async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'callgate-'));
  t.after(() => rm(directory, { recursive: true }));
  const place = await start(t);
  const file = join(directory, 'menu.json');
  const play = async (scenario: object) => {
    await writeFile(file, JSON.stringify({ description: 'keys', ...scenario }));
    return place('--scenario', file);
  };
  const keys = { on: { media: 'open' }, after: 2, do: { press: '12' } }; // 400 ms here, so that it is seen on its way
  const steps = [keys, { do: { hangUp: true } }];
  const good = await play({ steps, expect: { outcome: 'the caller hung up', events: ['CallDisconnected'] } });
  assert.equal(good.code, 0, good.err);
  assert.match(good.err, /^ {2}0 s {2}waiting for step 1 of 2 \(media open\)\nas expected: keys$/m);
  assert.match(good.out, /^keys {12}2 of 2 pressed$/m);

  const wrong = await play({ steps, expect: { outcome: 'transferred' } });
  assert.equal(wrong.code, 1);
  assert.match(wrong.err, /^the outcome was not 'transferred': the caller hung up$/m);

  const refused = await play({ expect: {}, steps: [{ do: { jump: true } }], retries: 3 });
  assert.equal(refused.code, 1);
  assert.equal(refused.out, '');
  assert.match(refused.err, /menu\.json: steps\.0\.do: .*jump.*\n.*menu\.json: the scenario: .*retries/s);
  const none = await place('--scenario', join(directory, 'none.json'));
  assert.match(none.err, /none\.json: there is no such file\n$/);
});
