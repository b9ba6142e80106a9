import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { createSimulator } from '../../simulator/simulator.ts';
import { freePort, run } from './support.ts';

test('runs the simulator and the app; a call goes through both; Ctrl-C ends both', async (t) => {
  const [port, appPort] = [await freePort(), await freePort()];
  const dev = run(t, 'scripts/dev.ts', ['--port', port, '--app-port', appPort]);
  await dev.says(/INFO: ready/);
  assert.match(dev.out, new RegExp(`simulator {2}http://127.0.0.1:${port} `));
  assert.match(dev.out, new RegExp(`app {8}http://127.0.0.1:${appPort} `));
  assert.match(dev.out, /npm run call/);
  assert.match(dev.out, /src\/handler\.ts/);

  const call = run(t, 'scripts/call.ts', [
    '--simulator',
    `http://127.0.0.1:${port}`,
    '--seconds',
    '1',
    '--expect-echo',
  ]);
  assert.equal(await call.exited, 0, call.err);
  assert.match(call.err, new RegExp(`calling http://127.0.0.1:${appPort}/api/incoming-call`));

  dev.kill('SIGINT');
  assert.equal(await dev.exited, 0);
  assert.match(dev.out, /stopped/, 'the app has ended in its own way');
  for (const free of [port, appPort]) await assert.rejects(fetch(`http://127.0.0.1:${free}/`));
});

test('a port that is taken gives one line', async (t) => {
  const other = createServer().listen(0, '127.0.0.1');
  t.after(() => other.close());
  await once(other, 'listening');
  const address = other.address();
  const taken = typeof address === 'object' ? String(address?.port) : '';
  const cases = [
    ['--port', taken, '--app-port', await freePort()],
    ['--port', await freePort(), '--app-port', taken],
  ];
  for (const args of cases) {
    const dev = run(t, 'scripts/dev.ts', args);
    assert.equal(await dev.exited, 1);
    assert.match(dev.err, new RegExp(`^Port ${taken} is in use.*\\n$`));
  }
});

test('--env-file runs the app alone, against whatever the file names', async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'callgate-'));
  t.after(() => rm(directory, { recursive: true }));
  const simulator = await createSimulator();
  t.after(() => simulator.close());
  const port = await freePort();
  const env = { ...simulator.env(), PORT: port, PUBLIC_URL: `http://127.0.0.1:${port}` };
  const lines = Object.entries(env).map(([name, value]) => `${name}="${value}"\n`);
  await writeFile(join(directory, 'real.env'), lines.join(''));
  const dev = run(t, 'scripts/dev.ts', ['--env-file', 'real.env'], { INIT_CWD: directory });
  await dev.says(/INFO: ready/);
  assert.doesNotMatch(dev.out, /simulator/);
  dev.kill('SIGTERM');
  assert.equal(await dev.exited, 0);

  const none = run(t, 'scripts/dev.ts', ['--env-file', 'none.env'], { INIT_CWD: directory });
  assert.equal(await none.exited, 1);
  assert.equal(none.err, 'There is no file none.env.\n');
});

test('--help', async (t) => {
  const dev = run(t, 'scripts/dev.ts', ['--help']);
  assert.equal(await dev.exited, 0);
  assert.match(dev.out, /--env-file <file>/);
});

test('a second signal ends it at once, and the app with it', async (t) => {
  const [port, appPort] = [await freePort(), await freePort()];
  const dev = run(t, 'scripts/dev.ts', ['--port', port, '--app-port', appPort]);
  await dev.says(/INFO: ready/);
  dev.kill('SIGINT');
  dev.kill('SIGTERM');
  await dev.exited;
  await assert.rejects(fetch(`http://127.0.0.1:${appPort}/`));
});
