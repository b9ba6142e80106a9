import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import type { SimulatorOptions } from '../../../simulator/simulator.ts';
import { createSimulator } from '../../../simulator/simulator.ts';
import type { AppOptions } from '../support/app.ts';
import { startApp } from '../support/app.ts';

async function start(t: TestContext, appOptions: Partial<AppOptions> = {}, options: SimulatorOptions = {}) {
  const simulator = await createSimulator({ eventGridRetryMs: [1, 1], ...options });
  t.after(() => simulator.close());
  const app = await startApp(t, { connectionString: simulator.connectionString, ...appOptions });
  return { simulator, app };
}

const tries = (entries: readonly { type: string; status?: number | undefined }[]) =>
  entries.filter(({ type }) => type === 'announced').map(({ status }) => status);

test('the handshake comes first, once, without the secret; the event with it', async (t) => {
  const { simulator, app } = await start(t, { answers: false });
  for (let i = 0; i < 2; i++)
    await simulator.placeCall({ app: app.webhook }).until('announced', (e) => e.what === 'call');
  const [handshake, event, again] = app.deliveries;
  assert.equal(app.deliveries.length, 3);
  assert.equal(handshake?.headers['aeg-event-type'], 'SubscriptionValidation');
  assert.equal(handshake?.headers['x-event-grid-key'], undefined);
  for (const delivery of [event, again]) {
    assert.equal(delivery?.headers['aeg-event-type'], 'Notification');
    assert.equal(delivery?.headers['x-event-grid-key'], simulator.eventGridKey);
  }
  assert.ok(simulator.eventGridKey.length >= 32);
});

test('the IncomingCall event in both schemas, from any kind of caller', async (t) => {
  const { simulator, app } = await start(t, { answers: false });
  const resource = '28:orgid:00000000-0000-0000-0000-000000000001';
  const callers = {
    '+15550100': { kind: 'phoneNumber', rawId: '4:+15550100', phoneNumber: { value: '+15550100' } },
    '8:acs:someone': {
      kind: 'communicationUser',
      rawId: '8:acs:someone',
      communicationUser: { id: '8:acs:someone' },
    },
    [resource]: { kind: 'unknown', rawId: resource },
    anonymous: {
      kind: 'phoneNumber',
      rawId: '4:anonymous',
      phoneNumber: { value: 'anonymous', isAnonymous: true },
    },
  };
  for (const schema of ['event-grid', 'cloud-events'] as const) {
    for (const [from, expected] of Object.entries(callers)) {
      const call = simulator.placeCall({ app: app.webhook, from, schema });
      await call.until('announced', ({ what }) => what === 'call');
      const { body, headers } = app.deliveries.at(-1) ?? {};
      assert.deepEqual(body, JSON.parse(JSON.stringify(call.announcement)));
      const event = (Array.isArray(body) ? body[0] : body) as Record<string, unknown>;
      assert.equal(event.eventType ?? event.type, 'Microsoft.Communication.IncomingCall');
      const type = schema === 'event-grid' ? 'application/json' : 'application/cloudevents+json';
      assert.ok(headers?.['content-type']?.startsWith(type));
      const data = event.data as Record<string, unknown>;
      assert.deepEqual(data.from, expected);
      assert.equal(data.serverCallId, call.serverCallId);
      assert.equal(data.incomingCallContext, call.incomingCallContext);
      assert.ok(call.incomingCallContext.length > 2_000);
      assert.ok(!('callConnectionId' in data), 'a call has none before it is answered');
    }
  }
});

test('a webhook that does not agree to the handshake gets no event', async (t) => {
  const { simulator, app } = await start(t, { handshake: false });
  const report = await simulator.placeCall({ app: app.webhook }).ended;
  assert.equal(app.deliveries.length, 3, 'the handshake and its retries');
  assert.match(report.problem ?? '', /Event Grid's validation was status 200/);
});

test('retries until the webhook takes the event', async (t) => {
  const { simulator, app } = await start(t, { status: (attempt) => [503, 500, 200][attempt - 1] ?? 500 });
  const call = simulator.placeCall({ app: app.webhook });
  await call.until('answered');
  await call.until('announced', ({ what, status }) => what === 'call' && status === 200);
  assert.deepEqual(tries(call.journal.entries), [200, 503, 500, 200]);
});

test('gives up after its retries', async (t) => {
  const { simulator, app } = await start(t, { status: () => 503 });
  const call = simulator.placeCall({ app: app.webhook });
  const report = await call.ended;
  assert.deepEqual(tries(call.journal.entries), [200, 503, 503, 503]);
  assert.equal(report.problem, "nobody answered: the webhook's reply to the call was status 503");
});

for (const status of [400, 401, 403, 413]) {
  test(`no second attempt after ${status}`, async (t) => {
    const { simulator, app } = await start(t, { status: () => status });
    const call = simulator.placeCall({ app: app.webhook });
    const report = await call.ended;
    assert.deepEqual(tries(call.journal.entries), [200, status]);
    assert.equal(report.outcome, 'not answered');
  });
}

test('no attempt once the call rings no more', async (t) => {
  const { simulator, app } = await start(t, { status: () => 503 }, { eventGridRetryMs: [3_600_000] });
  const call = simulator.placeCall({ app: app.webhook });
  await call.until('announced', ({ what }) => what === 'call');
  call.hangUp();
  await call.ended;
  assert.deepEqual(tries(call.journal.entries), [200, 503]);
});

test('a call rings for its time only', async (t) => {
  const { simulator, app } = await start(t, { answers: false }, { ringMs: 30 });
  const report = await simulator.placeCall({ app: app.webhook }).ended;
  assert.equal(report.outcome, 'not answered');
  assert.equal(report.problem, 'the webhook took the call, but the app did not answer it');
});

test('an app that is not there is told', async (t) => {
  const { simulator } = await start(t);
  const report = await simulator.placeCall({ app: 'http://127.0.0.1:9/incoming' }).ended;
  assert.match(report.problem ?? '', /no answer \(ECONNREFUSED|bad port/);
});

test('announcements may come twice', async (t) => {
  const { simulator, app } = await start(t, { answers: false });
  simulator.setFaults({ duplicateEvents: true });
  const call = simulator.placeCall({ app: app.webhook });
  await call.until('announced', () => tries(call.journal.entries).length === 3);
  const [, first, second] = app.deliveries;
  assert.deepEqual(first?.body, second?.body);
});
