import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { test } from 'node:test';
import { createSimulator } from '../../simulator/simulator.ts';
import { startApp } from './support/app.ts';

test('says what an app needs to know', async (t) => {
  const simulator = await createSimulator();
  t.after(() => simulator.close());
  const { url, audience, issuer, jwksUrl, eventGridKey, connectionString } = simulator;
  assert.match(url, /^http:\/\/127\.0\.0\.1:\d+$/);
  assert.match(audience, /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
  assert.ok(connectionString.startsWith(`endpoint=${url}/;accesskey=`));
  assert.deepEqual(simulator.env(), {
    ACS_CONNECTION_STRING: connectionString,
    ACS_AUDIENCE: audience,
    ACS_ISSUER: issuer,
    ACS_JWKS_URL: jwksUrl,
    EVENT_GRID_KEY: eventGridKey,
  });
});

test('says where ACS reaches the app, if it knows the app', async (t) => {
  const simulator = await createSimulator({ app: 'http://127.0.0.1:8080/api/incoming-call?code=1' });
  t.after(() => simulator.close());
  assert.equal(simulator.env().PUBLIC_URL, 'http://127.0.0.1:8080');
});

test('takes what it is told', async (t) => {
  const options = { issuer: 'https://issuer.example', audience: 'a', eventGridKey: 'k'.repeat(32) };
  const simulator = await createSimulator(options);
  t.after(() => simulator.close());
  const { issuer, audience, eventGridKey } = simulator;
  assert.deepEqual({ issuer, audience, eventGridKey }, options);
});

test('a port that is taken is an error that says so', async (t) => {
  const other = createServer().listen(0, '127.0.0.1');
  t.after(() => other.close());
  await once(other, 'listening');
  const { port } = other.address() as AddressInfo; // a TCP server has no other kind
  await assert.rejects(createSimulator({ port }), { code: 'EADDRINUSE' });
});

test('closing ends calls in every state, and all waiting', async (t) => {
  const simulator = await createSimulator();
  const app = await startApp(t, simulator);
  const ringing = simulator.placeCall({ announce: false });
  const connected = simulator.placeCall({ app: app.webhook });
  await connected.until('upgrade');
  const waiting = assert.rejects(simulator.until('rejected'), /the simulator has closed/);
  const inCall = assert.rejects(connected.until('rejected'), /the simulator has closed/);
  await simulator.close();
  await Promise.all([waiting, inCall]);
  assert.equal((await ringing.ended).outcome, 'the simulator closed');
  assert.equal((await connected.ended).outcome, 'the simulator closed');
  await assert.rejects(fetch(simulator.url));
});

test('waiting in vain says what happened instead', async (t) => {
  const simulator = await createSimulator({ waitMs: 5 });
  t.after(() => simulator.close());
  const call = simulator.placeCall({ announce: false });
  await assert.rejects(call.until('answered'), /'answered' did not happen within 5 ms; what did: placed/);
});

test('what happened is known to the simulator as a whole, with the call that it belongs to', async (t) => {
  const simulator = await createSimulator();
  t.after(() => simulator.close());
  const app = await startApp(t, simulator);
  const call = simulator.placeCall({ app: app.webhook });
  const { callId, at } = await simulator.until('answered');
  assert.equal(callId, call.id);
  assert.equal((await call.until('answered')).at, at, 'what has happened needs no waiting for');
  assert.ok(Math.abs(Date.now() - at) < 60_000);
});

test('only so many ended calls are kept', async (t) => {
  const simulator = await createSimulator({ keepCalls: 2 });
  t.after(() => simulator.close());
  const place = () => simulator.placeCall({ announce: false });
  const [first, second] = [place(), place()];
  second.hangUp();
  const third = place();
  assert.deepEqual(
    simulator.calls.map(({ id }) => id),
    [first.id, third.id],
  );
});

test('only so much audio of ended calls is kept', async (t) => {
  const simulator = await createSimulator({ frameMs: 2, graceMs: 50, keepBytes: 150_000 });
  t.after(() => simulator.close());
  const app = await startApp(t, simulator);
  const place = () => simulator.placeCall({ app: app.webhook, seconds: 0.8 });
  const [first, second] = [place(), place()];
  await first.ended;
  await second.ended;
  const third = place();
  assert.deepEqual(
    simulator.calls.map(({ id }) => id),
    [second.id, third.id],
  );
});

test('twenty calls side by side lose nothing', async (t) => {
  const simulator = await createSimulator();
  t.after(() => simulator.close());
  const app = await startApp(t, simulator);
  const calls = Array.from({ length: 20 }, () =>
    simulator.placeCall({ app: app.webhook, seconds: 1, keepSeconds: 0 }),
  );
  for (const { media, problem } of await Promise.all(calls.map(({ ended }) => ended))) {
    assert.equal(problem, undefined);
    assert.deepEqual([media?.sent, media?.returned, media?.foreign], [50, 50, 0]);
  }
});
