import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { describe, it, type TestContext } from 'node:test';
import { startIngestion } from './ingestion.ts';
import { run } from './program.ts';

/** Starts under TELEMETRY_AUTH=identity with a managed identity that answers so. */
async function signIn(t: TestContext, status: number) {
  const asked: URL[] = [];
  const identity = createServer((request, response) => {
    asked.push(new URL(request.url ?? '', 'http://identity'));
    response.writeHead(status, { 'content-type': 'application/json' });
    const expires_on = String(Math.floor(Date.now() / 1000) + 3600);
    const token = { access_token: 'a-token', expires_on, resource: 'r', token_type: 'Bearer' };
    response.end(JSON.stringify(status === 200 ? token : { error: 'invalid_request' }));
  }).listen(0, '127.0.0.1');
  await once(identity, 'listening');
  t.after(() => identity.close());
  const address = identity.address();
  const { env } = await startIngestion(t);
  const { stdout, code } = await run(t, 'test/telemetry/sign-in.ts', {
    ...env,
    TELEMETRY_AUTH: 'identity',
    AZURE_CLIENT_ID: 'the-client-id',
    AZURE_TOKEN_CREDENTIALS: 'ManagedIdentityCredential',
    IDENTITY_ENDPOINT: `http://127.0.0.1:${typeof address === 'object' && address?.port}/token`,
    IDENTITY_HEADER: 'a-header',
  });
  assert.equal(code, 0);
  return { asked, lines: stdout.trim().split('\n') };
}

describe('the sign-in with the managed identity', () => {
  it('is tried once, as the client that was named, and its success logged in one line', async (t) => {
    const { asked, lines } = await signIn(t, 200);
    assert.equal(asked.length, 1);
    assert.equal(asked[0]?.searchParams.get('client_id'), 'the-client-id');
    assert.equal(asked[0]?.searchParams.get('resource'), 'https://monitor.azure.com');
    assert.equal(lines.length, 1);
    assert.match(lines[0] ?? '', /^info signed in/);
  });

  it('is logged in one line when it fails, with what to do', async (t) => {
    const { lines } = await signIn(t, 400);
    assert.equal(lines.length, 1);
    assert.match(lines[0] ?? '', /^warn cannot sign in .* AZURE_CLIENT_ID/);
  });
});
