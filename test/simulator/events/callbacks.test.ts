import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import { parseCallAutomationEvent } from '@azure/communication-call-automation';
import { WebSocketServer } from 'ws';
import type { SimulatorOptions } from '../../../simulator/simulator.ts';
import { createSimulator } from '../../../simulator/simulator.ts';
import type { App, AppOptions } from '../support/app.ts';
import { startApp } from '../support/app.ts';

async function start(t: TestContext, appOptions: Partial<AppOptions> = {}, options: SimulatorOptions = {}) {
  const simulator = await createSimulator({ callbackRetryMs: [1, 1], ...options });
  t.after(() => simulator.close());
  const app = await startApp(t, { connectionString: simulator.connectionString, ...appOptions });
  return { simulator, app };
}

const posted = (app: App) =>
  app.deliveries
    .filter(({ path }) => path === '/callbacks')
    .map(({ body }) => body as Record<string, unknown>[]);

test("events come in ACS's envelope, and Microsoft's SDK reads them", async (t) => {
  const { simulator, app } = await start(t);
  const call = simulator.placeCall({ app: app.webhook, order: 'events-first' });
  await call.until('event', ({ event }) => event === 'MediaStreamingStarted');
  call.hangUp();
  await call.ended;
  const bodies = posted(app);
  const kinds = bodies.map((body) => parseCallAutomationEvent(structuredClone(body[0] ?? {})).kind);
  assert.deepEqual(kinds, [
    'CallConnected',
    'ParticipantsUpdated',
    'MediaStreamingStarted',
    'CallDisconnected',
  ]);
  for (const body of bodies) {
    assert.equal(body.length, 1);
    const [event = {}] = body;
    const source = `calling/callConnections/${call.callConnectionId}`;
    assert.deepEqual(Object.keys(event).sort(), [
      'data',
      'datacontenttype',
      'id',
      'source',
      'specversion',
      'subject',
      'time',
      'type',
    ]);
    assert.equal(event.source, source);
    const data = event.data as Record<string, unknown>;
    assert.equal(data.callConnectionId, call.callConnectionId);
    assert.ok(!('incomingCallContext' in data), 'ACS does not repeat it');
    assert.equal(data.serverCallId, call.serverCallId);
    assert.equal(data.correlationId, call.correlationId);
    assert.equal(data.operationContext, 'answer');
    assert.equal(data.publicEventType, event.type);
  }
  assert.equal(new Set(bodies.map(([event]) => event?.id)).size, bodies.length);
});

test('an event that is not taken comes again, and the next one waits for it', async (t) => {
  const callbackStatus = (attempt: number) => (attempt < 3 ? 503 : 200);
  const { simulator, app } = await start(t, { callbackStatus }, { callbackRetryMs: [50, 50] });
  const call = simulator.placeCall({ app: app.webhook, order: 'together' });
  await call.until('event', ({ event, status }) => event === 'MediaStreamingStarted' && status === 200);
  const types = posted(app).map(([event]) => String(event?.type).replace('Microsoft.Communication.', ''));
  assert.deepEqual(types.slice(0, 3), ['CallConnected', 'CallConnected', 'CallConnected']);
  assert.ok(types.includes('MediaStreamingStarted'));
});

test('gives up an event after its retries, and says so', async (t) => {
  const { simulator, app } = await start(t, { callbackStatus: () => 403 });
  const call = simulator.placeCall({ app: app.webhook });
  await call.until('event', ({ event, attempt }) => event === 'CallConnected' && attempt === 3);
  call.hangUp();
  assert.equal((await call.ended).problem, 'the app did not take CallConnected: 403');
});

test('events may come twice, with the same id', async (t) => {
  const { simulator, app } = await start(t);
  simulator.setFaults({ duplicateEvents: true });
  const call = simulator.placeCall({ app: app.webhook, order: 'events-first' });
  await call.until('event', ({ event }) => event === 'ParticipantsUpdated');
  const [first, second, third] = posted(app);
  assert.deepEqual(first, second);
  assert.notDeepEqual(second, third);
});

test('the WebSocket may come before the events, after them, and before the answer', async (t) => {
  const { simulator, app } = await start(t);
  const sequence = async (order: 'media-first' | 'events-first' | 'media-before-answer') => {
    const call = simulator.placeCall({ app: app.webhook, order });
    await call.until('event', ({ event }) => event === 'ParticipantsUpdated');
    await call.until('upgrade');
    await call.until('request');
    const names = call.journal.entries.map((entry) => (entry.type === 'event' ? entry.event : entry.type));
    return ['upgrade', 'CallConnected', 'request'].sort((a, b) => names.indexOf(a) - names.indexOf(b));
  };
  assert.deepEqual(await sequence('media-first'), ['request', 'upgrade', 'CallConnected']);
  assert.deepEqual(await sequence('events-first'), ['request', 'CallConnected', 'upgrade']);
  assert.equal((await sequence('media-before-answer'))[0], 'upgrade');
});

test('a test may post what it likes, with a good token', async (t) => {
  const { simulator, app } = await start(t);
  const call = simulator.placeCall({ app: app.webhook });
  await assert.rejects(call.post([]), /not answered/);
  await call.until('event', ({ event }) => event === 'ParticipantsUpdated');
  const event = call.event('PlayCompleted', { callConnectionId: 'of another call' });
  assert.equal((await call.post([event, event])).status, 200);
  assert.ok(posted(app).some((body) => isDeepStrictEqual(body, [event, event])));
});

test('a transfer may fail', async (t) => {
  const { simulator, app } = await start(t);
  const call = simulator.placeCall({ app: app.webhook, transfer: 'failed' });
  await call.until('event', ({ event }) => event === 'CallConnected');
  await app.connections[0]?.transferCallToParticipant({ phoneNumber: '+15550122' });
  await call.until('event', ({ event }) => event === 'CallTransferFailed');
  assert.equal(call.state, 'connected');
});

test('nothing follows the last event, such as news of a WebSocket that opened too late', async (t) => {
  const hangsUp = (_upgrade: unknown, accept: (yes: boolean) => void) => {
    call.hangUp();
    accept(true);
  };
  const sockets = new WebSocketServer({ port: 0, host: '127.0.0.1', verifyClient: hangsUp });
  t.after(() => sockets.close());
  await once(sockets, 'listening');
  const { port } = sockets.address() as AddressInfo; // a TCP server has no other kind
  const { simulator, app } = await start(t, { media: { transportUrl: `ws://127.0.0.1:${port}` } });
  const call = simulator.placeCall({ app: app.webhook });
  const closed = await call.until('media-closed');
  assert.equal(closed.by, 'simulator');
  assert.equal((await call.ended).events.at(-1), 'CallDisconnected');
  await call.post({ type: 'whatever comes next' });
  assert.deepEqual(
    posted(app)
      .map((body) => (Array.isArray(body) ? body[0]?.type : body))
      .filter((type) => /Started/.test(String(type))),
    [],
  );
});
