import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, it, type TestContext } from 'node:test';
import type { TokenCredential } from '@azure/identity';
import { WebSocketServer } from 'ws';
import { createAzure } from '../../scripts/doctor/azure.ts';
import type { Finding, Patient, Settings } from '../../scripts/doctor/check.ts';
import { examine } from '../../scripts/doctor/examine.ts';
import { type AppOptions, startApp } from '../support/app.ts';
import { freePort } from '../support/free-port.ts';

const nobody: TokenCredential = {
  async getToken() {
    throw new Error('no azd, no az');
  },
};
const somebody: TokenCredential = {
  getToken: async () => ({ token: 'eyJ.users.own', expiresOnTimestamp: 0 }),
};

/** Looks, and returns the findings by name. */
async function look(url: string, patient: Partial<Patient> = {}): Promise<Record<string, Finding>> {
  const lines = await examine({
    url: new URL(url),
    azure: createAzure({ credential: nobody, patienceMs: 10_000 }),
    patienceMs: 10_000,
    ...patient,
    // Nobody on the net is asked for keys.
    settings: { ACS_JWKS_URL: 'http://127.0.0.1:9/keys', ...patient.settings },
  });
  return Object.fromEntries(lines.map(({ name, ...finding }) => [name, finding]));
}

const verdicts = (findings: Record<string, Finding>) =>
  Object.fromEntries(Object.entries(findings).map(([name, { verdict }]) => [name, verdict]));

/** A well app, its environment, and a look at it. */
async function start(t: TestContext, options: AppOptions = {}) {
  const app = await startApp(t, options);
  const settings = { ...app.simulator.env(), PUBLIC_URL: app.url };
  return {
    ...app,
    look: (other: Settings = {}, patient: Partial<Patient> = {}) =>
      look(app.url, { settings: { ...settings, ...other }, ...patient }),
  };
}

/** A server that isn't Callgate. */
async function serve(t: TestContext, listener: RequestListener) {
  const server = createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  const { port } = server.address() as AddressInfo; // a TCP server has no other kind
  return { server, url: `http://127.0.0.1:${port}` };
}

/** Answers as Callgate does to a probe, and to all else as told. */
const alive =
  (otherwise: RequestListener): RequestListener =>
  (request, response) => {
    if (request.url === '/healthz') response.end('{"status":"ok"}');
    else otherwise(request, response);
  };

const answer =
  (status: number, body = '', headers: Record<string, string> = {}): RequestListener =>
  (_request, response) => {
    response.writeHead(status, headers).end(body);
  };

describe('the doctor, at the app with a local ACS', () => {
  it('finds all well that can be seen, and says what can not', async (t) => {
    const { look } = await start(t);
    const findings = await look();
    assert.deepEqual(verdicts(findings), {
      https: 'ok',
      alive: 'ok',
      ready: 'ok',
      WebSocket: 'ok',
      handshake: 'ok',
      'event key': 'ok',
      'signing keys': 'ok',
      audience: 'ok',
      resource: 'unchecked',
      'sign-in': 'ok',
      role: 'unchecked',
      subscription: 'unchecked',
    });
    assert.match(findings['event key']?.found ?? '', /with it 200/);
    for (const { verdict, advice } of Object.values(findings)) {
      assert.equal(advice === undefined, verdict === 'ok', 'advice, and only where there is something to do');
    }
  });

  it('knows nothing of an environment: that is unchecked, not wrong', async (t) => {
    const { url, simulator } = await start(t);
    const findings = await look(url, { settings: { ACS_JWKS_URL: simulator.jwksUrl } });
    const { https, alive, ready, WebSocket, handshake, 'event key': key, ...rest } = verdicts(findings);
    assert.deepEqual(new Set([https, alive, ready, WebSocket, handshake, key]), new Set(['ok']));
    assert.deepEqual(rest, {
      'signing keys': 'ok',
      audience: 'unchecked',
      resource: 'unchecked',
      'sign-in': 'unchecked',
      role: 'unchecked',
      subscription: 'unchecked',
    });
  });

  it('prints no secret, and no token either', async (t) => {
    const { look, simulator } = await start(t);
    const findings = [await look(), await look({ EVENT_GRID_KEY: 'k'.repeat(40), ACS_AUDIENCE: 'x' })];
    const text = JSON.stringify(findings);
    assert.ok(!text.includes(simulator.eventGridKey) && !text.includes('kkkk'));
    assert.doesNotMatch(text, /accesskey|eyJ/i);
  });

  it('WS_REFUSE=close is a refusal as well', async (t) => {
    const { look } = await start(t, { env: { WS_REFUSE: 'close' } });
    const { WebSocket } = await look();
    assert.equal(WebSocket?.verdict, 'ok');
    assert.match(WebSocket.found, /4401/);
  });

  it('without signing keys: not ready, and no keys', async (t) => {
    const { look, simulator } = await start(t, {
      env: { ACS_JWKS_URL: 'http://127.0.0.1:9/calling/keys' },
      ready: false,
    });
    const { ready, 'signing keys': keys } = await look({ ACS_JWKS_URL: 'http://127.0.0.1:9/calling/keys' });
    assert.equal(ready?.verdict, 'wrong');
    assert.match(ready.found, /503/);
    assert.equal(keys?.verdict, 'wrong');

    simulator.setFaults({ keys: 'garbled' });
    assert.equal((await look())['signing keys']?.verdict, 'wrong');
    assert.equal(
      (await look({ ACS_JWKS_URL: 'http://issuer.example/keys' }))['signing keys']?.verdict,
      'wrong',
    );
  });

  it('an app without EVENT_GRID_KEY, or with a reference to it that is not resolved', async (t) => {
    for (const EVENT_GRID_KEY of ['', '@Microsoft.KeyVault(VaultName=kv;SecretName=event-grid-key)']) {
      const { look } = await start(t, { env: { EVENT_GRID_KEY } });
      const { 'event key': key, handshake } = await look();
      assert.equal(key?.verdict, 'wrong');
      assert.match(`${key.found} ${key.advice}`, /no EVENT_GRID_KEY .*Key Vault/);
      assert.equal(handshake?.verdict, 'ok', 'that one needs no key');
    }
  });

  it('an app with another EVENT_GRID_KEY', async (t) => {
    const { look } = await start(t);
    const { 'event key': key } = await look({ EVENT_GRID_KEY: 'k'.repeat(40) });
    assert.equal(key?.verdict, 'wrong');
    assert.match(key.found, /another EVENT_GRID_KEY/);
    assert.equal(
      (await look({ EVENT_GRID_KEY: '' }))['event key']?.verdict,
      'ok',
      'an unknown one is not tried',
    );
  });

  it('an app that takes events but can answer no call', async (t) => {
    const { look } = await start(t, { env: { ACS_CONNECTION_STRING: '' } });
    const { 'event key': key } = await look();
    assert.equal(key?.verdict, 'wrong');
    assert.match(key.advice ?? '', /ACS_ENDPOINT/);
  });

  it('an audience that is no GUID', async (t) => {
    const { look } = await start(t);
    const arm = '/subscriptions/x/resourceGroups/y/providers/Microsoft.Communication/communicationServices/z';
    const { audience } = await look({ ACS_AUDIENCE: arm });
    assert.equal(audience?.verdict, 'wrong');
    assert.match(audience.found, /ARM id/);
    assert.equal((await look({ ACS_AUDIENCE: 'callgate' })).audience?.verdict, 'wrong');
  });

  it('an access key that ACS refuses, and one that is malformed', async (t) => {
    const { look, simulator } = await start(t);
    const refused = await look({ ACS_CONNECTION_STRING: `endpoint=${simulator.url}/;accesskey=a2V5` });
    assert.equal(refused['sign-in']?.verdict, 'wrong');
    assert.match(refused['sign-in'].found, /401/);
    const malformed = await look({ ACS_CONNECTION_STRING: 'endpoint=x' });
    assert.equal(malformed['sign-in']?.verdict, 'wrong');
    assert.doesNotMatch(malformed['sign-in'].found, /endpoint=x/);
  });
});

describe('the doctor, at something else', () => {
  it('that does not answer: one line says so, the rest was not asked', async () => {
    const findings = await look(`http://127.0.0.1:${await freePort()}`);
    assert.equal(findings.alive?.verdict, 'wrong');
    assert.match(findings.alive.found, /nothing listens/);
    for (const name of ['ready', 'WebSocket', 'handshake', 'event key']) {
      assert.equal(findings[name]?.verdict, 'unchecked');
    }
  });

  it('that never answers', async (t) => {
    const { url } = await serve(t, () => {});
    const { alive } = await look(url, { patienceMs: 50 });
    assert.match(alive?.found ?? '', /no answer in time/);
  });

  it('that answers 404, as App Service does before a deployment', async (t) => {
    const { url } = await serve(t, answer(404, '<html>'));
    const { alive } = await look(url);
    assert.equal(alive?.verdict, 'wrong');
    assert.match(alive.advice ?? '', /azd deploy/);
  });

  it('that leads to a sign-in', async (t) => {
    const { url } = await serve(t, answer(302, '', { location: 'https://login.example' }));
    assert.equal((await look(url)).alive?.verdict, 'wrong');
  });

  it('that is locked: as it should be with RESTRICT_ACCESS, else wrong', async (t) => {
    const { url } = await serve(t, answer(403));
    const locked = await look(url, { settings: { RESTRICT_ACCESS: 'true' } });
    assert.equal(locked.alive?.verdict, 'unchecked');
    assert.equal(locked.WebSocket?.verdict, 'unchecked');
    assert.equal((await look(url)).alive?.verdict, 'wrong');
  });

  it('that has only plain http', async () => {
    const { https } = await look('http://callgate.invalid');
    assert.equal(https?.verdict, 'wrong');
  });

  it('that lets sockets in without a token', async (t) => {
    const { server, url } = await serve(t, alive(answer(200)));
    const sockets = new WebSocketServer({ server });
    t.after(() => sockets.close());
    const { WebSocket } = await look(url, { patienceMs: 500 });
    assert.equal(WebSocket?.verdict, 'wrong');
    assert.match(WebSocket.found, /let in/);

    sockets.on('connection', (socket) => socket.close(1000));
    assert.equal((await look(url, { patienceMs: 500 })).WebSocket?.verdict, 'wrong', 'a close is no refusal');
  });

  it('that makes an ordinary request of an upgrade, or refuses it with a 401 of its own', async (t) => {
    const plain = await serve(t, alive(answer(426, '{}')));
    assert.match((await look(plain.url)).WebSocket?.advice ?? '', /Upgrade and Connection/);
    const foreign = await serve(t, alive(answer(401, '{}', { 'www-authenticate': 'Bearer' })));
    assert.match((await look(foreign.url)).WebSocket?.advice ?? '', /App Service authentication/);
    const silent = await serve(t, alive(answer(401, '{"error":{"code":"missing_token"}}')));
    assert.equal((await look(silent.url)).WebSocket?.verdict, 'wrong', 'without a challenge');
  });

  it('that cuts an upgrade off, or never answers it', async (t) => {
    const { server, url } = await serve(t, alive(answer(200)));
    server.on('upgrade', (_request, socket) => socket.destroy());
    assert.match((await look(url)).WebSocket?.found ?? '', /cut off/);
    server.removeAllListeners('upgrade').on('upgrade', () => {});
    assert.match((await look(url, { patienceMs: 200 })).WebSocket?.found ?? '', /no answer in time/);
  });

  it('that does not answer the handshake, or with another code', async (t) => {
    for (const body of ['', '{"validationResponse":"x"}']) {
      const { url } = await serve(t, alive(answer(200, body)));
      assert.equal((await look(url)).handshake?.verdict, 'wrong');
    }
  });

  it('that takes events of strangers: and the key is not for it', async (t) => {
    const seen: unknown[] = [];
    const { url } = await serve(
      t,
      alive((request, response) => {
        seen.push(request.headers['x-event-grid-key']);
        response.end();
      }),
    );
    const settings = { EVENT_GRID_KEY: 'k'.repeat(40), PUBLIC_URL: 'https://calls.example.com' };
    assert.equal((await look(url, { settings }))['event key']?.verdict, 'wrong');
    const { url: refusing } = await serve(
      t,
      alive((request, response) => {
        seen.push(request.headers['x-event-grid-key']);
        response.writeHead(401).end();
      }),
    );
    assert.equal((await look(refusing, { settings }))['event key']?.verdict, 'ok');
    assert.ok(seen.length > 0);
    assert.deepEqual(new Set(seen), new Set([undefined]));
  });

  it('whose answer has no end', async (t) => {
    const { url } = await serve(t, (_request, response) => {
      const more = () => {
        while (response.writable && response.write('x'.repeat(65_536)));
      };
      response.on('drain', more);
      more();
    });
    assert.match((await look(url)).alive?.found ?? '', /more than/);
  });
});

describe('the doctor, with an Azure sign-in', () => {
  const group =
    '/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/rg-callgate-test/providers';
  const acs = `${group}/Microsoft.Communication/communicationServices/acs-test`;
  const topic = `${group}/Microsoft.EventGrid/systemTopics/evgt-test`;
  const subscription = `${topic}/eventSubscriptions/incoming-call-test`;
  const audience = randomUUID();

  const pointing = (endpointBaseUrl: string, more: object = {}) => ({
    properties: {
      provisioningState: 'Succeeded',
      destination: { endpointType: 'WebHook', properties: { endpointBaseUrl } },
      filter: { includedEventTypes: ['Microsoft.Communication.IncomingCall'] },
      ...more,
    },
  });

  /** Azure Resource Manager, as far as it is asked here, and the doctor's look through it. */
  async function start(t: TestContext, resources: Record<string, object>) {
    const asked: string[] = [];
    const { url } = await serve(t, (request, response) => {
      const { pathname, searchParams } = new URL(request.url ?? '', 'http://localhost');
      asked.push(pathname);
      assert.match(searchParams.get('api-version') ?? '', /^20\d\d-\d\d-\d\d$/);
      if (request.headers.authorization !== 'Bearer eyJ.users.own') return answer(401)(request, response);
      const resource = resources[pathname];
      const status = resource && 'status' in resource ? Number(resource.status) : 200;
      answer(resource ? status : 404, JSON.stringify(resource))(request, response);
    });
    const azure = createAzure({ credential: somebody, baseUrl: url, patienceMs: 10_000 });
    return {
      asked,
      look: (settings: Settings) => look('https://127.0.0.1:9', { azure, settings }),
    };
  }
  const here = 'https://127.0.0.1:9/api/incoming-call';
  const deployed = { ACS_AUDIENCE: audience, EVENT_SUBSCRIPTION_ID: subscription };
  const all = {
    [acs]: { properties: { immutableResourceId: audience.toUpperCase() } },
    [topic]: { properties: { source: acs } },
    [subscription]: pointing(here),
  };

  it('finds the resource by its topic, its audience, and that calls are announced here', async (t) => {
    const { look } = await start(t, all);
    const { resource, subscription } = await look(deployed);
    assert.deepEqual([resource?.verdict, subscription?.verdict], ['ok', 'ok']);
  });

  it('an audience of another resource: says the right one', async (t) => {
    const { look } = await start(t, all);
    const { resource } = await look({ ...deployed, ACS_AUDIENCE: randomUUID() });
    assert.equal(resource?.verdict, 'wrong');
    assert.match(resource.advice ?? '', new RegExp(audience, 'i'));
  });

  it('a subscription that points elsewhere, leaves out calls, has failed, or is gone', async (t) => {
    const failed = pointing(here, { provisioningState: 'Failed' });
    const others = pointing(here, {
      filter: { includedEventTypes: ['Microsoft.Communication.SMSReceived'] },
    });
    const cases: [object | undefined, RegExp][] = [
      [pointing('https://elsewhere.example/api/incoming-call'), /points to elsewhere\.example/],
      [pointing('https://127.0.0.1:9/api/events'), /points to/],
      [others, /leaves out/],
      [failed, /Failed/],
      [undefined, /does not exist/],
    ];
    for (const [found, words] of cases) {
      const { [subscription]: _, ...rest } = all;
      const { look } = await start(t, found ? { ...rest, [subscription]: found } : rest);
      const finding = (await look(deployed)).subscription;
      assert.equal(finding?.verdict, 'wrong');
      assert.match(finding.found, words);
    }
  });

  it('a subscription that was never made, and one that nobody told it of', async (t) => {
    const { look, asked } = await start(t, all);
    assert.equal((await look({ INCOMING_CALLS_READY: 'false' })).subscription?.verdict, 'wrong');
    assert.equal((await look({ ACS_AUDIENCE: audience })).subscription?.verdict, 'unchecked');
    assert.deepEqual(asked, []);
  });

  it('ACS_RESOURCE_ID alone: looks through all subscriptions of the resource', async (t) => {
    const list = `${acs}/providers/Microsoft.EventGrid/eventSubscriptions`;
    const elsewhere = pointing('https://elsewhere.example/');
    const settings = { ACS_AUDIENCE: audience, ACS_RESOURCE_ID: acs };
    const one = await start(t, { ...all, [list]: { value: [elsewhere, pointing(here)] } });
    const well = await one.look(settings);
    assert.deepEqual([well.resource?.verdict, well.subscription?.verdict], ['ok', 'ok']);
    const none = await start(t, { ...all, [list]: { value: [elsewhere] } });
    assert.equal((await none.look(settings)).subscription?.verdict, 'wrong');
  });

  it("the app's identity: whether it has the role that answers calls", async (t) => {
    const roleOf = (principalId: string, role: string) => ({
      properties: {
        principalId,
        roleDefinitionId: `/providers/Microsoft.Authorization/roleDefinitions/${role}`,
      },
    });
    const answersCalls = '09976791-48a7-449e-bb21-39d1a415f350';
    const settings = {
      ...deployed,
      AZURE_SUBSCRIPTION_ID: '11111111-1111-1111-1111-111111111111',
      AZURE_RESOURCE_GROUP: 'rg-callgate-test',
    };
    for (const [assigned, verdict] of [
      [[roleOf('somebody', 'reader'), roleOf('app', answersCalls)], 'ok'],
      [[roleOf('somebody', answersCalls), roleOf('app', 'reader')], 'wrong'],
      [[], 'wrong'],
    ] as const) {
      const { look } = await start(t, {
        ...all,
        [`${group}/Microsoft.ManagedIdentity/userAssignedIdentities`]: {
          value: [{ properties: { principalId: 'app' } }],
        },
        [`${acs}/providers/Microsoft.Authorization/roleAssignments`]: { value: assigned },
      });
      assert.equal((await look(settings)).role?.verdict, verdict);
    }
    const { look } = await start(t, all);
    assert.equal((await look({ ...settings, ACS_AUTH: 'key' })).role?.verdict, 'ok');
    assert.equal((await look(deployed)).role?.verdict, 'unchecked');
  });

  it('what may not be seen is unchecked', async (t) => {
    for (const status of [403, 500]) {
      const { look } = await start(t, { ...all, [acs]: { status }, [subscription]: { status } });
      const { resource, subscription: finding } = await look(deployed);
      assert.deepEqual([resource?.verdict, finding?.verdict], ['unchecked', 'unchecked']);
    }
    const findings = await look('https://127.0.0.1:9', { settings: deployed });
    assert.match(findings.subscription?.advice ?? '', /azd auth login/);
    assert.equal(findings.resource?.verdict, 'unchecked');
  });

  it('no token goes anywhere for an id that is none', async (t) => {
    const { look, asked } = await start(t, all);
    for (const id of ['//elsewhere.example/x', `${acs}?x=`, 'x', `${group}/../../x`]) {
      const { subscription } = await look({ EVENT_SUBSCRIPTION_ID: id });
      assert.equal(subscription?.verdict, 'wrong');
    }
    assert.deepEqual(asked, []);
  });
});
