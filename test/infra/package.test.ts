// What azd deploys, done here: uploaded, installed and started as App Service does it.

import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, type TestContext, test } from 'node:test';
import { WebSocket } from 'ws';
import { createSimulator } from '../../simulator/simulator.ts';
import { freePort } from '../support/free-port.ts';
import { type Bicep, bicepMissing, startBicep } from './bicep.ts';
import { deploy, path } from './deployed-folder.ts';
import { startFirst, unshareMissing } from './first-process.ts';
import { added, appSettings, resolveAll, type Settings, siteConfigOf } from './settings.ts';
import { type Evaluated, evaluate } from './variants.ts';
import { packaged } from './webappignore.ts';

const project = join(import.meta.dirname, '../..');
const sizeOf = (folder: string, files: readonly string[]) =>
  files.reduce((sum, file) => sum + statSync(join(folder, file)).size, 0);

describe('what azd deploys', { skip: bicepMissing() }, () => {
  let bicep: Bicep;
  let deployed: Evaluated;
  let scratch: string;
  let app: string;

  before(async () => {
    scratch = mkdtempSync(join(tmpdir(), 'callgate-deployed-'));
    bicep = startBicep();
    deployed = await evaluate(bicep);
    app = deploy(project, scratch, resolveAll(appSettings(deployed, 'ready')));
  });
  after(async () => {
    await bicep.close();
    rmSync(scratch, { recursive: true, force: true });
  });

  test('the upload: sources and package files, less than 1 MB', () => {
    const uploaded = packaged(project);
    const there = ['.npmrc', 'node_modules', 'package-lock.json', 'package.json', 'src'];
    assert.deepEqual(readdirSync(app).sort(), there);
    for (const file of uploaded) assert.doesNotMatch(file, /\.env|test|simulator|\.wav$|\.pem$/);
    assert.ok(sizeOf(project, uploaded) < 1024 * 1024);
  });

  test('the build: what the lock file says, without Node itself and what only development needs', () => {
    interface Lock {
      packages: Record<string, { dev?: boolean; optional?: boolean; devOptional?: boolean }>;
    }
    const read = (file: string): Lock => JSON.parse(readFileSync(join(app, file), 'utf8'));
    const wanted = Object.entries(read('package-lock.json').packages)
      .filter(([name, { dev, optional, devOptional }]) => name && !dev && !optional && !devOptional)
      .map(([name]) => name);
    assert.deepEqual(Object.keys(read('node_modules/.package-lock.json').packages).sort(), wanted.sort());
    for (const absent of ['node', '.bin/node', 'typescript', '@biomejs', 'commander', 'fast-check']) {
      assert.ok(!existsSync(join(app, 'node_modules', absent)), absent);
    }
    const files = readdirSync(join(scratch, 'node_modules'), { recursive: true, encoding: 'utf8' });
    const size = sizeOf(join(scratch, 'node_modules'), files);
    assert.ok(size < 200 * 1024 * 1024, `${size} bytes`);
  });

  describe('started', { skip: unshareMissing() }, () => {
    /** As App Service starts it: the command is the last line of a script that is PID 1. */
    async function start(t: TestContext, env: Settings) {
      const script = join(mkdtempSync(join(scratch, 'start-')), 'startup.sh');
      const command = String(siteConfigOf(deployed, 'ready').appCommandLine);
      writeFileSync(script, `#!/bin/sh\ncd "${app}"\nPATH="$PATH:${app}" ${command}\n`);
      const first = startFirst(script, { ...env, PATH: path });
      t.after(() => first.kill());
      const { port } = await first.log.until('listening');
      return { ...first, url: `http://127.0.0.1:${port}` };
    }

    test('with the settings of the template: answers the handshake, refuses a stranger, ends on SIGTERM', async (t) => {
      const { url, log, signal, exited } = await start(t, {
        ...resolveAll(appSettings(deployed, 'ready')),
        ...added,
        PORT: await freePort(),
      });
      assert.equal((await fetch(`${url}/healthz`)).status, 200);
      const handshake = await fetch(`${url}/api/incoming-call`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'aeg-event-type': 'SubscriptionValidation' },
        body: JSON.stringify([
          {
            eventType: 'Microsoft.EventGrid.SubscriptionValidationEvent',
            data: { validationCode: 'a-code' },
          },
        ]),
      });
      assert.deepEqual(await handshake.json(), { validationResponse: 'a-code' });
      assert.equal(await upgrade(`${url}/ws`), 401);

      signal('SIGTERM');
      await log.until('stopped');
      assert.equal(await exited, 0);
    });

    // Only where the keys come from differs, since those of ACS sign for nobody here; and App Service's own variables
    // are left out, since with them the app refuses a local issuer.
    test('with a call: goes on with it after SIGTERM, takes no other, and ends with it', async (t) => {
      const simulator = await createSimulator({ waitMs: 20_000 });
      t.after(() => simulator.close());
      const port = await freePort();
      const settings = resolveAll(appSettings(deployed, 'key'));
      for (const name of ['ACS_AUDIENCE', 'ACS_CONNECTION_STRING', 'EVENT_GRID_KEY']) {
        assert.ok(settings[name], `the template sets ${name}`);
      }
      const { url, log, signal, exited } = await start(t, {
        ...settings,
        ...simulator.env(),
        PORT: port,
        PUBLIC_URL: `http://127.0.0.1:${port}`,
      });
      await log.until('ready');

      const heard = Promise.withResolvers<void>();
      let isStopping = false;
      const call = simulator.placeCall({
        app: `${url}/api/incoming-call`,
        onFrame: () => isStopping && heard.resolve(),
      });
      await call.until('upgrade', ({ status }) => status === 101);
      signal('SIGTERM');
      await log.until('stopping');
      isStopping = true;
      await heard.promise;
      assert.equal((await fetch(`${url}/readyz`)).status, 503);
      const late = simulator.placeCall({ app: `${url}/api/incoming-call` });
      await late.until('announced', ({ what, status }) => what === 'call' && status !== 200);

      call.hangUp();
      const { outcome, problem, media } = await call.ended;
      assert.deepEqual([outcome, problem, media?.lost], ['the caller hung up', undefined, 0]);
      assert.equal(await exited, 0);
    });
  });
});

/** The status that a WebSocket without a token gets. */
function upgrade(url: string): Promise<number | undefined> {
  const { promise, resolve, reject } = Promise.withResolvers<number | undefined>();
  const socket = new WebSocket(url);
  socket.on('error', reject);
  socket.on('open', () => resolve(101));
  socket.on('unexpected-response', (_request, response) => resolve(response.statusCode));
  return promise.finally(() => socket.terminate());
}
