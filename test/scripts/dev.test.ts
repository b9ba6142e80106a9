import assert from 'node:assert/strict';
import { once } from 'node:events';
import { cp, mkdir, mkdtemp, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { createSimulator } from '../../simulator/simulator.ts';
import { freePort } from '../support/free-port.ts';
import { run } from './support.ts';

test('runs the simulator and the app; a call goes through both; Ctrl-C ends both', async (t) => {
  const [port, appPort] = [await freePort(), await freePort()];
  const dev = run(t, 'scripts/dev.ts', ['--port', port, '--app-port', appPort]);
  await dev.says(/INFO: ready/);
  assert.match(dev.out, new RegExp(`simulator {2}http://127.0.0.1:${port} `));
  assert.match(dev.out, new RegExp(`app {8}http://127.0.0.1:${appPort} `));
  assert.match(dev.out, new RegExp(`npm run call -- --simulator http://127.0.0.1:${port}\n`));
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
  // The events of the call that telemetry would get, as lines for people.
  for (const event of [
    'call announced',
    'call answered',
    'media connected',
    'the first audio came in',
    'the first audio went out',
    'ACS: CallDisconnected',
    'media disconnected',
    'call ended',
  ]) {
    await dev.says(new RegExp(`^\\[\\d\\d:\\d\\d:\\d\\d\\] INFO: ${event}( \\{.*\\})?$`, 'm'));
  }

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
  const free = await freePort();
  const cases = [
    [taken, free, `Port ${taken} `],
    [free, taken, `Port ${taken} `],
    [taken, taken, 'a port each'],
  ];
  for (const [port = '', appPort = '', says = ''] of cases) {
    const dev = run(t, 'scripts/dev.ts', ['--port', port, '--app-port', appPort]);
    assert.equal(await dev.exited, 1);
    assert.match(dev.err, new RegExp(`^.*${says}.*--port.*--app-port.*\\n$`));
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
  await writeFile(
    join(directory, 'real.env'),
    lines.filter((line) => !line.startsWith('ACS_AUDIENCE')).join(''),
  );
  await dev.says(/real\.env was saved.*\n[\s\S]*The app ended with 78\. Mend it/);
  await writeFile(join(directory, 'real.env'), lines.join(''));
  await dev.says(ready(2));
  dev.kill('SIGTERM');
  assert.equal(await dev.exited, 0);

  const none = run(t, 'scripts/dev.ts', ['--env-file', 'none.env'], { INIT_CWD: directory });
  assert.equal(await none.exited, 1);
  assert.equal(none.err, 'There is no file none.env.\n');
});

test('each save starts the app again, however it is done, and the simulator goes on', async (t) => {
  const { dev, handler, url } = await runCopy(t);
  const { audience } = await identify(url);
  const source = await readFile(handler, 'utf8');
  for (const starts of [2, 3]) {
    await saveByRename(handler, `${source}// ${starts}\n`);
    await dev.says(ready(starts));
  }
  await writeFile(handler, source);
  await dev.says(ready(4));
  const folder = join(dirname(handler), 'menus', 'main');
  await mkdir(folder, { recursive: true });
  await dev.says(ready(5));
  await saveByRename(join(folder, 'sales.ts'), 'export {};\n');
  await dev.says(ready(6));
  assert.match(dev.out, /^src\/menus\/main\/sales\.ts was saved/m);
  assert.equal((await identify(url)).audience, audience);
});

test('an app that has crashed starts again once it is mended; a handler that throws is told', async (t) => {
  const { dev, handler, url } = await runCopy(t);
  await saveByRename(handler, 'this is no TypeScript');
  await dev.says(/SyntaxError[\s\S]*The app ended with 1\. Mend it and save: it starts again\.\n/);
  await saveByRename(handler, "export function handler() { throw new Error('boom'); }");
  await dev.says(ready(2));
  const call = run(t, 'scripts/call.ts', ['--simulator', url]);
  assert.equal(await call.exited, 1);
  assert.match(call.err, /^the app closed the media WebSocket: 1011 The handler failed$/m);
  assert.match(
    call.out,
    /^ended {11}the app hung up after .*: its log says why \(the terminal it runs in\)$/m,
  );
  assert.match(dev.out, /ERROR: the handler failed \{.*\}\n {4}error: \{\n/);
});

/** A dev of a copy of the project, whose files may be saved. */
async function runCopy(t: TestContext) {
  const root = join(import.meta.dirname, '../..');
  const copy = await mkdtemp(join(tmpdir(), 'callgate-dev-'));
  t.after(() => rm(copy, { recursive: true }));
  for (const part of ['package.json', 'scripts', 'simulator', 'src']) {
    await cp(join(root, part), join(copy, part), { recursive: true });
  }
  await symlink(join(root, 'node_modules'), join(copy, 'node_modules'), 'junction');
  const port = await freePort();
  const dev = run(t, join(copy, 'scripts/dev.ts'), ['--port', port, '--app-port', await freePort()]);
  await dev.says(ready(1));
  return { dev, handler: join(copy, 'src/handler.ts'), url: `http://127.0.0.1:${port}` };
}

const ready = (times: number) => new RegExp(`(INFO: ready[^]*){${times}}`);

/** As vim, JetBrains, git and sed -i save: the old file goes, and another comes in its place. */
async function saveByRename(file: string, text: string) {
  await writeFile(`${file}~`, text);
  await rename(`${file}~`, file);
}

async function identify(url: string) {
  return (await (await fetch(`${url}/_simulator/`)).json()) as { audience: string }; // the simulator's own shape
}

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
