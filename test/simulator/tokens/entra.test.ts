import assert from 'node:assert/strict';
import { generateKeyPairSync, randomUUID, X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, statSync } from 'node:fs';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { json } from 'node:stream/consumers';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import { CallAutomationClient } from '@azure/communication-call-automation';
import type { TokenCredential } from '@azure/identity';
import { ClientSecretCredential, ManagedIdentityCredential } from '@azure/identity';
import { decodeJwt, SignJWT, UnsecuredJWT } from 'jose';
import type { Simulator } from '../../../simulator/simulator.ts';
import { createSimulator } from '../../../simulator/simulator.ts';
import type { Entra } from '../../../simulator/tokens/entra.ts';
import { run } from '../../scripts/support.ts';
import { freePort } from '../../support/free-port.ts';

const scope = 'https://communication.azure.com//.default'; // as the SDK has it
const target = '/calling/callConnections/none?api-version=2026-03-12';

async function start(t: TestContext): Promise<{ simulator: Simulator; entra: Entra }> {
  const simulator = await createSimulator({ entra: true });
  t.after(() => simulator.close());
  assert.ok(simulator.entra);
  return { simulator, entra: simulator.entra };
}

interface Asked {
  method?: string;
  headers?: Record<string, string>;
  body?: string;
}

/** fetch can't be told whom to trust. */
async function ask(entra: Entra, path: string, { method = 'GET', headers = {}, body }: Asked = {}) {
  const asking = request(entra.url + path, { method, headers, ca: entra.certificate, agent: false });
  asking.end(body);
  const [response] = await once(asking, 'response');
  const answer = (await json(response)) as Record<string, unknown>; // asserted by its use
  return { status: response.statusCode, headers: response.headers, body: answer };
}

const withToken = (token: string) => ({ headers: { authorization: `Bearer ${token}` } });

/** The SDK's own client, which trusts the certificate without NODE_EXTRA_CA_CERTS. */
function connect(entra: Entra, credential: TokenCredential) {
  return new CallAutomationClient(entra.url, credential, {
    tlsOptions: { ca: entra.certificate },
    retryOptions: { maxRetries: 0 },
  });
}

/** What the credential of a managed identity reads when it is made, and the system for its temporary folder. */
function setEnvironment(t: TestContext, values: Record<string, string>): () => void {
  const before = { ...process.env };
  Object.assign(process.env, values);
  const restore = () => {
    for (const name of Object.keys(values)) delete process.env[name];
    Object.assign(process.env, before);
  };
  t.after(restore);
  return restore;
}

test("this project's app takes one call and refuses the next with the managed identity alone", async (t) => {
  const { simulator } = await start(t);
  const port = await freePort();
  const origin = `http://127.0.0.1:${port}`;
  const app = run(t, 'src/main.ts', [], {
    ...simulator.env(),
    PORT: port,
    PUBLIC_URL: origin,
    MAX_CALLS: '1',
    NODE_OPTIONS: '--import=./src/telemetry.ts',
  });
  await app.says(/"ready"/);
  await app.says(/signed in to ACS with the managed identity/);

  const webhook = `${origin}/api/incoming-call`;
  const heard = Promise.withResolvers<void>();
  const call = simulator.placeCall({ app: webhook, onFrame: () => heard.resolve() });
  await heard.promise;
  await simulator.placeCall({ app: webhook }).until('rejected');
  await call.press('12#');
  call.hangUp();
  const { problem, keys } = await call.ended;
  assert.equal(problem, undefined);
  assert.equal(keys?.pressed, 3);
});

test("the SDK's managed identity opens the API, whichever identity it is", async (t) => {
  const { simulator, entra } = await start(t);
  setEnvironment(t, simulator.env());
  for (const credential of [
    new ManagedIdentityCredential(),
    new ManagedIdentityCredential({ clientId: '9a1c2f4e-0000-4000-8000-000000000001' }),
  ]) {
    const call = simulator.placeCall({ app: 'http://127.0.0.1/', announce: false });
    await connect(entra, credential).rejectCall(call.incomingCallContext);
    assert.equal(call.state, 'ended');
  }
  const credential = new ManagedIdentityCredential({ clientId: '9a1c2f4e-0000-4000-8000-000000000002' });
  const { token, expiresOnTimestamp } = await credential.getToken(scope);
  const claims = decodeJwt(token);
  assert.equal(claims.aud, 'https://communication.azure.com');
  assert.equal(claims.iss, entra.issuer);
  assert.equal(claims.appid, '9a1c2f4e-0000-4000-8000-000000000002');
  assert.equal(claims.exp, Math.round(expiresOnTimestamp / 1000));
  assert.equal(Number(claims.exp) - Number(claims.iat), 3600);

  const other = await credential.getToken('https://vault.azure.net/.default');
  assert.equal(decodeJwt(other.token).aud, 'https://vault.azure.net');
  assert.equal((await ask(entra, target, withToken(other.token))).status, 401);
});

test("the SDK's client secret opens the API", async (t) => {
  const { simulator, entra } = await start(t);
  const { tenantId, clientId, clientSecret } = entra;
  const options = {
    authorityHost: entra.url,
    disableInstanceDiscovery: true,
    tlsOptions: { ca: entra.certificate },
  };
  const call = simulator.placeCall({ app: 'http://127.0.0.1/', announce: false });
  const credential = new ClientSecretCredential(tenantId, clientId, clientSecret, options);
  await connect(entra, credential).rejectCall(call.incomingCallContext);
  assert.equal(call.state, 'ended');
  const wrong = new ClientSecretCredential(tenantId, clientId, 'another', options);
  await assert.rejects(wrong.getToken(scope), /invalid_client/);
});

test('both credentials are taken over https, and of a token the signature, times and audience count', async (t) => {
  const { simulator, entra } = await start(t);
  const accessKey = /accesskey=(.*)$/.exec(simulator.connectionString)?.[1] ?? '';
  const withKey = new CallAutomationClient(`endpoint=${entra.url}/;accesskey=${accessKey}`, {
    tlsOptions: { ca: entra.certificate },
  });
  await assert.rejects(withKey.getCallConnection('none').getCallConnectionProperties(), { statusCode: 404 });
  assert.equal((await ask(entra, target, withToken(await entra.token()))).status, 404);

  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const claims = decodeJwt(await entra.token());
  const foreign = (payload: typeof claims, alg = 'RS256') =>
    new SignJWT(payload).setProtectedHeader({ alg }).sign(alg === 'RS256' ? privateKey : Buffer.alloc(32));
  const [head, payload, signature] = (await entra.token()).split('.');
  const forged = Buffer.from(JSON.stringify({ ...claims, appid: 'another' })).toString('base64url');
  const bad: [string, string, RegExp][] = [
    ['expired', await entra.token({ lifetimeSeconds: -1 }), /"exp"/],
    ['of another audience', await entra.token({ audience: 'https://vault.azure.net' }), /"aud"/],
    ['of a longer audience', await entra.token({ audience: 'https://communication.azure.com.x' }), /"aud"/],
    ['of another tenant', await entra.token({ issuer: `${entra.url}/another/v2.0` }), /"iss"/],
    ["of ACS's own making", await simulator.token(), /signature/],
    ['of a foreign key', await foreign(claims), /signature/],
    ['signed with a password', await foreign(claims, 'HS256'), /"alg"/],
    ['not signed', new UnsecuredJWT(claims).encode(), /"alg"/],
    ['changed', `${head}.${forged}.${signature}`, /signature/],
    ['cut', `${head}.${payload}`, /JWS/],
    ['garbage', 'garbage', /JWS/],
    ['dots', '..', /JWS/],
  ];
  for (const [what, token, why] of bad) {
    const { status, headers, body } = await ask(entra, target, withToken(token));
    const { code, message } = body.error as { code: string; message: string }; // asserted by its use
    assert.equal(status, 401, what);
    assert.equal(code, 'Denied', what);
    assert.match(message, why, what);
    assert.equal(headers['www-authenticate'], 'Bearer error="invalid_token"', what);
  }
});

test('a token is refused over http, and where there is no Entra ID', async (t) => {
  const { simulator, entra } = await start(t);
  const plain = await fetch(simulator.url + target, withToken(await entra.token()));
  assert.equal(plain.status, 401);
  assert.match(await plain.text(), /over https only/);

  const without = await createSimulator();
  t.after(() => without.close());
  assert.equal(without.entra, undefined);
  const unknown = await fetch(without.url + target, withToken(await entra.token()));
  assert.equal(unknown.status, 401);
  assert.match(await unknown.text(), /started with Entra ID/);
  assert.equal((await fetch(`${without.url}/msi/token`)).status, 401);
});

test('a token is for those who prove themselves, and ask for it as they should', async (t) => {
  const { simulator, entra } = await start(t);
  const { IDENTITY_ENDPOINT = '', IDENTITY_HEADER = '' } = simulator.env();
  const proven = { 'x-identity-header': IDENTITY_HEADER };
  const identity = async (query: string, headers: Record<string, string> = proven) =>
    (await fetch(`${IDENTITY_ENDPOINT}?${query}`, { headers })).status;
  const good = 'api-version=2019-08-01&resource=https://communication.azure.com/';
  assert.equal(await identity(good), 200);
  assert.equal(await identity(good, {}), 401);
  assert.equal(await identity(good, { 'x-identity-header': 'undefined' }), 401);
  assert.equal(await identity(good.replace('2019-08-01', '2017-09-01')), 400);
  assert.equal(await identity('api-version=2019-08-01'), 400);

  const endpoint = `/${entra.tenantId}/oauth2/v2.0/token`;
  const form = {
    grant_type: 'client_credentials',
    client_id: entra.clientId,
    client_secret: entra.clientSecret,
    scope,
  };
  const client = async (changes: Partial<typeof form>, path = endpoint) => {
    const body = new URLSearchParams({ ...form, ...changes }).toString();
    const headers = { 'content-type': 'application/x-www-form-urlencoded' };
    const answer = await ask(entra, path, { method: 'POST', headers, body });
    return `${answer.status} ${answer.body.error ?? answer.body.token_type}`;
  };
  assert.equal(await client({}), '200 Bearer');
  assert.equal(await client({ client_secret: 'another' }), '401 invalid_client');
  assert.equal(await client({ client_id: 'another' }), '401 invalid_client');
  assert.equal(await client({ grant_type: 'password' }), '400 unsupported_grant_type');
  assert.equal(await client({ scope: 'https://communication.azure.com' }), '400 invalid_scope');
  assert.match(await client({}, '/another/oauth2/v2.0/token'), /^415 /);
  const plain = await fetch(simulator.url + endpoint, {
    method: 'POST',
    headers: { 'content-type': 'application/json' }, // or it would not get that far
    body: new URLSearchParams(form).toString(),
  });
  assert.equal(plain.status, 401, 'a secret is not taken over http');
});

test('of another origin nothing is taken over https either', async (t) => {
  const { entra } = await start(t);
  const from = async (origin: string) =>
    (await ask(entra, '/_simulator/faults', { headers: { origin } })).status;
  assert.equal(await from(entra.url), 200);
  assert.equal(await from(entra.url.replace('https', 'http')), 403);
  assert.equal(await from('https://evil.example'), 403);
});

test('the certificate is for this machine, certifies no other, and goes with the simulator', async (t) => {
  const { simulator, entra } = await start(t);
  const certificate = new X509Certificate(entra.certificate);
  assert.equal(certificate.ca, false);
  assert.equal(certificate.checkHost('localhost'), 'localhost');
  assert.equal(certificate.checkIP('127.0.0.1'), '127.0.0.1');
  assert.equal(certificate.checkIP('::1'), '::1');
  assert.equal(certificate.checkHost('example.com'), undefined);
  const days = (certificate.validToDate.getTime() - Date.now()) / (24 * 3600 * 1000);
  assert.ok(days > 1 && days < 8, `${days} days`);
  assert.equal(statSync(dirname(entra.certificateFile)).mode & 0o777, 0o700);

  await simulator.close();
  assert.equal(existsSync(dirname(entra.certificateFile)), false);
  await assert.rejects(ask(entra, target), { code: 'ECONNREFUSED' });
});

test('a start that fails leaves nothing open', async (t) => {
  const port = Number(await freePort());
  const missing = join(tmpdir(), randomUUID());
  const restore = setEnvironment(t, { TMPDIR: missing, TEMP: missing });
  await assert.rejects(createSimulator({ port, entra: true }), { code: 'ENOENT' });
  restore();
  const simulator = await createSimulator({ port });
  await simulator.close();
});
