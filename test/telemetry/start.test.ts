// Telemetry that can't be is no reason not to take calls.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { text } from 'node:stream/consumers';
import { describe, it, type TestContext } from 'node:test';
import { exitOf, startBesideAcs } from '../support/process.ts';
import { startIngestion } from './ingestion.ts';

const packages = /node_modules\/(@opentelemetry|@azure\/monitor|applicationinsights|import-in-the-middle)/;

/** The app from its start over a call to its end. */
async function takeCall(t: TestContext, env: Record<string, string>, message?: RegExp) {
  const { child, lines, said, simulator } = await startBesideAcs(t, {
    NODE_OPTIONS: '--import=./test/telemetry/record-modules.ts',
    ...env,
  });
  const stderr = text(child.stderr);
  const { media } = await simulator.placeCall({ seconds: 0.3 }).ended;
  assert.equal(media?.lost, 0);
  if (message) await said(message);
  child.kill('SIGTERM');
  assert.equal(await exitOf(child), 0);
  return {
    modules: (await stderr).split('\n'),
    told: lines
      .map((line) => JSON.stringify(line))
      .filter((line) => /telemetry|Application ?Insights/i.test(line)),
  };
}

describe('the app takes calls', { concurrency: 2 }, () => {
  it('without a connection string: nothing of the SDK is loaded, nothing is said', async (t) => {
    const { modules, told } = await takeCall(t, {});
    assert.ok(modules.some((url) => url.includes('/node_modules/@azure/communication-call-automation/')));
    assert.deepEqual([modules.filter((url) => packages.test(url)), told], [[], []]);
  });

  it('with one that is malformed: nothing of the SDK is loaded, one line says why', async (t) => {
    const written = 'InstrumentationKey=a-secret;IngestionEndpoint=here';
    const { modules, told } = await takeCall(t, { APPLICATIONINSIGHTS_CONNECTION_STRING: written });
    assert.deepEqual(
      modules.filter((url) => packages.test(url)),
      [],
    );
    assert.equal(told.length, 1, told.join('\n'));
    assert.match(told[0] ?? '', /APPLICATIONINSIGHTS_CONNECTION_STRING is not/);
    assert.doesNotMatch(told[0] ?? '', /a-secret/);
  });

  it('with an identity that nobody knows: one line says so', async (t) => {
    const identity = createServer((_request, response) => {
      response.writeHead(400, { 'content-type': 'application/json' }).end('{"error":"invalid_request"}');
    }).listen(0, '127.0.0.1');
    await once(identity, 'listening');
    t.after(() => identity.close());
    const address = identity.address();
    const { env, ...ingestion } = await startIngestion(t);
    const { modules, told } = await takeCall(
      t,
      {
        ...env,
        TELEMETRY_AUTH: 'identity',
        AZURE_TOKEN_CREDENTIALS: 'ManagedIdentityCredential',
        IDENTITY_ENDPOINT: `http://127.0.0.1:${typeof address === 'object' && address?.port}/token`,
        IDENTITY_HEADER: 'a-header',
      },
      /cannot sign in/,
    );
    assert.ok(modules.some((url) => packages.test(url)));
    assert.equal(told.length, 1, told.join('\n'));
    assert.match(told[0] ?? '', /cannot sign in to Application Insights/);
    assert.equal(ingestion.requests, 0);
  });
});
