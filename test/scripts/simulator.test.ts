import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { get } from 'node:https';
import { test } from 'node:test';
import { parseEnv } from 'node:util';
import { CallAutomationClient } from '@azure/communication-call-automation';
import { run } from './support.ts';

test('alone, it prints the environment that an app needs, and nothing else, to stdout', async (t) => {
  const simulator = run(t, 'simulator/main.ts', ['--port', '0']);
  await simulator.says(/npm run call/);
  assert.ok(simulator.out.split('\n').every((line) => line === '' || /^export [A-Z_]+='[^']+'$/.test(line)));
  const env = parseEnv(simulator.out);
  assert.deepEqual(Object.keys(env).sort(), [
    'ACS_AUDIENCE',
    'ACS_CONNECTION_STRING',
    'ACS_ISSUER',
    'ACS_JWKS_URL',
    'EVENT_GRID_KEY',
    'PUBLIC_URL',
  ]);
  const client = new CallAutomationClient(env.ACS_CONNECTION_STRING ?? '', { allowInsecureConnection: true });
  await assert.rejects(client.getCallConnection('none').getCallConnectionProperties(), { statusCode: 404 });
  assert.equal((await fetch(env.ACS_JWKS_URL ?? '')).status, 200);
  simulator.kill('SIGTERM');
  assert.equal(await simulator.exited, 0);
});

test('with --entra, the environment is that of an app with a managed identity', async (t) => {
  const simulator = run(t, 'simulator/main.ts', ['--port', '0', '--entra']);
  await simulator.says(/npm run call/);
  const env = parseEnv(simulator.out);
  assert.deepEqual(Object.keys(env).sort(), [
    'ACS_AUDIENCE',
    'ACS_ENDPOINT',
    'ACS_ISSUER',
    'ACS_JWKS_URL',
    'EVENT_GRID_KEY',
    'IDENTITY_ENDPOINT',
    'IDENTITY_HEADER',
    'NODE_EXTRA_CA_CERTS',
    'PUBLIC_URL',
  ]);
  const { ACS_ENDPOINT = '', NODE_EXTRA_CA_CERTS = '' } = env;
  const asking = get(`${ACS_ENDPOINT}/calling/keys`, { ca: readFileSync(NODE_EXTRA_CA_CERTS), agent: false });
  const [response] = await once(asking, 'response');
  response.resume();
  assert.equal(response.statusCode, 200);
  simulator.kill('SIGTERM');
  assert.equal(await simulator.exited, 0);
  assert.equal(existsSync(NODE_EXTRA_CA_CERTS), false);
});

test('with --seed, its faults begin with that', async (t) => {
  const simulator = run(t, 'simulator/main.ts', ['--port', '0', '--seed', '7']);
  await simulator.says(/npm run call/);
  const { ACS_ISSUER } = parseEnv(simulator.out);
  const faults = (await (await fetch(`${ACS_ISSUER}/_simulator/faults`)).json()) as { seed: number };
  assert.equal(faults.seed, 7);
});

test('says what is wrong with how it was called, and helps', async (t) => {
  const wrong = run(t, 'simulator/main.ts', ['--port', 'x']);
  assert.equal(await wrong.exited, 1);
  assert.match(wrong.err, /^error: .*port/);
  const unsound = run(t, 'simulator/main.ts', ['--seed', '-1']);
  assert.equal(await unsound.exited, 1);
  assert.match(unsound.err, /^error: .*whole number/);
  const help = run(t, 'simulator/main.ts', ['--help']);
  assert.equal(await help.exited, 0);
  assert.match(help.out, /--app <url>.*--entra/s);
});
