import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { userCredential } from '../../scripts/doctor/azure.ts';
import { locate, readAzdEnvironment } from '../../scripts/doctor/locate.ts';
import { startApp } from '../support/app.ts';
import { freePort } from '../support/free-port.ts';
import { run } from './support.ts';

/** As on a machine without azd and az, with nothing set but this. */
async function doctor(t: TestContext, args: string[], env: NodeJS.ProcessEnv = {}) {
  const bare = {
    PATH: dirname(process.execPath),
    PUBLIC_URL: '',
    ACS_CONNECTION_STRING: '',
    ACS_ENDPOINT: '',
  };
  const running = run(t, 'scripts/doctor.ts', args, { ...bare, ...env });
  const code = await running.exited;
  return { out: running.out, err: running.err, code };
}

async function folder(t: TestContext): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'callgate-doctor-'));
  t.after(() => rm(path, { recursive: true }));
  return path;
}

test('a line for each check, a sum, and 0 where nothing is wrong', async (t) => {
  const { url, simulator } = await startApp(t);
  const { out, err, code } = await doctor(t, [`${url}/ws/a-secret?token=secret`], simulator.env());
  assert.equal(code, 0, out);
  assert.equal(err, '');
  assert.match(out, new RegExp(`^\n${url}\n\n {2}ok +https `));
  assert.match(out, /^ {2}ok +WebSocket +an upgrade without a token gets 401 and a challenge$/m);
  assert.match(out, /^ {2}unchecked +subscription .*\n +→ run this in the folder that azd up was run in/m);
  assert.match(out, /^9 ok, 0 wrong, 3 unchecked$/m);
  assert.doesNotMatch(out, /secret/);
});

test('1 where anything is wrong; as JSON, too', async (t) => {
  const port = await freePort();
  const { out, code } = await doctor(t, ['--json'], {
    PUBLIC_URL: `http://127.0.0.1:${port}`,
    ACS_JWKS_URL: `http://127.0.0.1:${port}/keys`,
  });
  assert.equal(code, 1);
  const { ok, url, checks } = JSON.parse(out);
  assert.equal(ok, false);
  assert.equal(url, `http://127.0.0.1:${port}`);
  assert.partialDeepStrictEqual(checks[1], { name: 'alive', verdict: 'wrong' });
});

test('--env-file is what npm run dev takes; what is set besides wins', async (t) => {
  const { url, simulator } = await startApp(t);
  const path = await folder(t);
  const env = Object.entries({ ...simulator.env(), PUBLIC_URL: url, ACS_AUDIENCE: 'not a GUID' });
  await writeFile(join(path, 'app.env'), env.map(([name, value]) => `${name}='${value}'\n`).join(''));
  const wrong = await doctor(t, ['--env-file', 'app.env', '--json'], {
    INIT_CWD: path,
  });
  assert.deepEqual(
    JSON.parse(wrong.out).checks.flatMap(({ name, verdict }: Record<string, string>) =>
      verdict === 'wrong' ? [name] : [],
    ),
    ['audience'],
  );
  const right = await doctor(t, ['--env-file', 'app.env'], {
    INIT_CWD: path,
    ACS_AUDIENCE: simulator.audience,
  });
  assert.equal(right.code, 0, right.out);
});

test('without an Azure sign-in it says so', async (t) => {
  const { url, simulator } = await startApp(t);
  const { out, code } = await doctor(t, [url], {
    ...simulator.env(),
    EVENT_SUBSCRIPTION_ID:
      '/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/rg/providers/Microsoft.EventGrid/systemTopics/t/eventSubscriptions/s',
  });
  assert.equal(code, 0);
  assert.match(out, /unchecked +subscription +there is no Azure sign-in here\n +→ azd auth login/);
});

test('says what is wrong with how it was called, and helps', async (t) => {
  const [nowhere, strange, noFile, help] = await Promise.all([
    doctor(t, []),
    doctor(t, ['callgate']),
    doctor(t, ['--env-file', 'none.env']),
    doctor(t, ['--help']),
  ]);
  assert.deepEqual([nowhere.code, strange.code, noFile.code, help.code], [1, 1, 1, 0]);
  assert.match(nowhere.err, /Which app\?/);
  assert.match(strange.err, /^error: .*https/);
  assert.match(noFile.err, /no file none\.env/);
  assert.match(help.out, /--json/);
});

test('azd: its values are those of its own deployment, and of no other app', async (t) => {
  const path = await folder(t);
  assert.deepEqual(readAzdEnvironment(path, undefined), {});
  await mkdir(join(path, '.azure/dev'), { recursive: true });
  await writeFile(join(path, '.azure/config.json'), '{"version":1,"defaultEnvironment":"dev"}');
  await writeFile(join(path, '.azure/dev/.env'), 'APP_URL="https://app.example"\nACS_AUDIENCE="a"\n');
  const azd = readAzdEnvironment(path, undefined);
  assert.deepEqual({ ...azd }, { APP_URL: 'https://app.example', ACS_AUDIENCE: 'a' });
  assert.deepEqual(readAzdEnvironment(path, 'other'), {});

  const found = locate(undefined, { LOG_LEVEL: 'info' }, azd);
  assert.equal(found?.url.origin, 'https://app.example');
  assert.equal(found.settings.ACS_AUDIENCE, 'a');
  assert.equal(found.settings.LOG_LEVEL, 'info');
  const other = locate(undefined, { PUBLIC_URL: 'https://tunnel.example/' }, azd);
  assert.equal(other?.url.origin, 'https://tunnel.example');
  assert.equal(other.settings.ACS_AUDIENCE, undefined);
  assert.equal(locate(undefined, {}, {}), undefined);
});

test("azd's sign-in is taken", { skip: process.platform === 'win32' }, async (t) => {
  const path = await folder(t);
  const azd = `#!/bin/sh\necho '{"token":"mine","expiresOn":"2999-01-01T00:00:00Z"}'\n`;
  await writeFile(join(path, 'azd'), azd, { mode: 0o755 });
  const before = process.env.PATH;
  t.after(() => {
    process.env.PATH = before;
  });
  process.env.PATH = `${path}${delimiter}${before}`;
  const token = await userCredential(undefined, 10_000).getToken('https://management.azure.com/.default');
  assert.equal(token?.token, 'mine');
});
