import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { parseEnv } from 'node:util';
import { findSimulator } from '../../scripts/call-client.ts';
import { run } from '../scripts/support.ts';
import { freePort } from '../support/free-port.ts';
import { readmeApp, startReadmeApp } from './support/readme-app.ts';

test('the app in the README: is formatted as npm run check wants it', async () => {
  const text = await readmeApp();
  const biome = ['node_modules/@biomejs/biome/bin/biome', 'format', '--stdin-file-path=simulator/app.mjs'];
  const { stdout } = spawnSync(process.execPath, biome, { input: text, encoding: 'utf8' });
  assert.equal(stdout, text);
});

test('the app in the README: takes calls, with nothing but the environment that is printed', async (t) => {
  const app = `http://127.0.0.1:${await freePort()}/api/incoming-call`;
  const printed = run(t, 'simulator/main.ts', ['--port', '0', '--app', app]);
  await printed.says(/npm run call/);
  const { PUBLIC_URL = '', ACS_CONNECTION_STRING = '' } = parseEnv(printed.out);
  const running = await startReadmeApp(t, { PUBLIC_URL, ACS_CONNECTION_STRING });
  const simulator = await findSimulator(/http:[^;]+/.exec(ACS_CONNECTION_STRING)?.[0] ?? '');
  assert.ok(simulator);
  const placed = await simulator.place({ digits: '1' });
  const call = await simulator.ended(placed.id);
  assert.equal(call.outcome, 'transferred', JSON.stringify(call));
  assert.equal(call.problem, undefined);
  assert.deepEqual(call.operations, ['answerCall', 'recognize', 'transferToParticipant']);
  assert.equal(running.err, '');
});
