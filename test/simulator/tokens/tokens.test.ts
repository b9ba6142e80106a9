import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import { createRemoteJWKSet, decodeProtectedHeader, errors, jwtVerify } from 'jose';
import { createSimulator } from '../../../simulator/simulator.ts';
import { startApp } from '../support/app.ts';

async function start(t: TestContext) {
  const simulator = await createSimulator({ slowKeysMs: 60_000 });
  t.after(() => simulator.close());
  const keys = createRemoteJWKSet(new URL(simulator.jwksUrl), { cooldownDuration: 0, timeoutDuration: 200 });
  const { audience, issuer } = simulator;
  const verify = (token: string) => jwtVerify(token, keys, { audience, issuer, algorithms: ['RS256'] });
  return { simulator, verify };
}

test('sockets carry tokens of 24 hours, callbacks of 5 minutes, each request a new one', async (t) => {
  const { simulator, verify } = await start(t);
  const app = await startApp(t, simulator);
  const call = simulator.placeCall({ app: app.webhook });
  await call.until('event', ({ event }) => event === 'MediaStreamingStarted');
  const bearer = (header = '') => header.replace(/^Bearer /, '');
  const callbacks = app.deliveries.filter(({ path }) => path === '/callbacks');
  const tokens = [...app.upgrades, ...callbacks].map(({ headers }) => bearer(headers.authorization));
  assert.equal(new Set(tokens).size, 1 + callbacks.length);
  for (const [at, token] of tokens.entries()) {
    const { payload, protectedHeader } = await verify(token);
    assert.ok(protectedHeader.kid);
    assert.equal((payload.exp ?? 0) - (payload.iat ?? 0), at === 0 ? 24 * 3600 : 300);
  }
  const [upgrade] = app.upgrades;
  assert.equal(upgrade?.headers['x-ms-call-connection-id'], call.callConnectionId);
  assert.equal(upgrade?.headers['x-ms-call-correlation-id'], call.correlationId);
});

test('the OpenID document leads to the keys', async (t) => {
  const { simulator } = await start(t);
  const response = await fetch(`${simulator.issuer}/calling/.well-known/acsopenidconfiguration`);
  const { issuer, jwks_uri } = (await response.json()) as Record<string, unknown>; // compared below
  assert.equal(issuer, simulator.issuer);
  assert.equal(jwks_uri, simulator.jwksUrl);
  assert.equal(simulator.jwksUrl, `${simulator.issuer}/calling/keys`);
});

test('keys are new at each start, and rotate with the old one still published', async (t) => {
  const { simulator, verify } = await start(t);
  const other = await start(t);
  const before = await simulator.token();
  await simulator.rotateKeys();
  const after = await simulator.token();
  assert.notEqual(decodeProtectedHeader(before).kid, decodeProtectedHeader(after).kid);
  await verify(before);
  await verify(after);
  await assert.rejects(other.verify(before));
  await simulator.rotateKeys();
  assert.equal(((await (await fetch(simulator.jwksUrl)).json()) as { keys: unknown[] }).keys.length, 2);
});

test('tokens can be of another resource, out of date, or of a key that nobody knows', async (t) => {
  const { simulator, verify } = await start(t);
  const faulty = async (token: 'wrong-audience' | 'expired' | 'foreign' | null) => {
    simulator.setFaults({ token });
    return verify(await simulator.token());
  };
  await assert.rejects(faulty('wrong-audience'), { claim: 'aud' });
  await assert.rejects(faulty('expired'), errors.JWTExpired);
  await assert.rejects(faulty('foreign'), errors.JWKSNoMatchingKey);
  await faulty(null);
});

test('the keys can be down, slow or garbled', async (t) => {
  const { simulator } = await start(t);
  const get = (timeout = 5_000) => fetch(simulator.jwksUrl, { signal: AbortSignal.timeout(timeout) });
  simulator.setFaults({ keys: 'down' });
  assert.equal((await get()).status, 503);
  simulator.setFaults({ keys: 'garbled' });
  await assert.rejects((await get()).json(), SyntaxError);
  simulator.setFaults({ keys: 'slow' });
  await assert.rejects(get(50), { name: 'TimeoutError' });
  simulator.setFaults({ keys: null });
  assert.equal((await get()).status, 200);
});
