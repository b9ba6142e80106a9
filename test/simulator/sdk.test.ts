import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { describe, it } from 'node:test';
import {
  CallAutomationClient,
  CallConnection,
  CallMedia,
  CallRecording,
  parseCallAutomationEvent,
} from '@azure/communication-call-automation';
import { operations } from '../../simulator/rest/operations.ts';
import { createSimulator } from '../../simulator/simulator.ts';
import { startApp } from './support/app.ts';
import { findStorage } from './support/recordings.ts';
import { failing, kinds } from './support/sdk-events.ts';
import type { Place, Use } from './support/sdk-uses.ts';
import { client, connection, media, recording } from './support/sdk-uses.ts';

/** What the SDK has for itself. */
const internal = ['constructor', 'createCallInternal', 'createCustomCallingContextInternal'].concat(
  'createPlaySourceInternal',
  'createRecognizeRequest',
);
const classes = [
  [CallAutomationClient, client],
  [CallConnection, connection],
  [CallMedia, media],
  [CallRecording, recording],
] as const;
const requested = new Set<string>();
const parsed = new Set<string>();

async function start(
  t: TestContext,
  { call: callOptions, app: appOptions, simulator: more }: NonNullable<Use[2]>,
) {
  const simulator = await createSimulator({ frameMs: 2, keyMs: 1, graceMs: 200, ...more });
  t.after(() => simulator.close());
  const app = await startApp(t, {
    connectionString: simulator.connectionString,
    answer: { callIntelligenceOptions: { cognitiveServicesEndpoint: 'https://speech.example.com/' } },
    media: { startMediaStreaming: false },
    transcription: { startTranscription: false },
    ...appOptions,
  });
  const call = simulator.placeCall({ ...callOptions, app: app.webhook });
  await call.until('event', ({ event, status }) => event === 'ParticipantsUpdated' && status === 200);
  const taken = new Set<unknown>(simulator.journal.entries);
  const client = new CallAutomationClient(simulator.connectionString, {
    allowInsecureConnection: true,
    retryOptions: { maxRetries: 0 },
    additionalPolicies: [findStorage(simulator.url)],
  });
  const connection = client.getCallConnection(call.callConnectionId);
  const place: Place = {
    t,
    simulator,
    app,
    call,
    client,
    connection,
    media: connection.getCallMedia(),
    recording: client.getCallRecording(),
    locator: { kind: 'serverCallLocator', id: call.serverCallId },
    async told(kind) {
      const isIt = (entry: { event: string; status: number | undefined }) =>
        entry.event === kind && entry.status === 200 && !taken.has(entry);
      taken.add(await simulator.until('event', isIt));
    },
  };
  return place;
}

/** Does it, and looks at what went to and fro. */
async function play(t: TestContext, [use, event, options = {}]: Use) {
  const place = await start(t, options);
  await use(place);
  if (event) await place.told(event);
  for (const entry of place.simulator.journal.entries) {
    if (entry.type !== 'request') continue;
    assert.ok(entry.status !== undefined && entry.status < 300, `${entry.operation}: ${entry.status}`);
    requested.add(entry.operation);
  }
  for (const { path, body } of place.app.deliveries) {
    if (path !== '/callbacks') continue;
    const [{ type }] = body as [{ type: string }]; // as is asserted by what the parser makes of it
    const { kind } = parseCallAutomationEvent(JSON.stringify(body));
    assert.equal(`Microsoft.Communication.${kind}`, type);
    parsed.add(kind);
  }
}

for (const [{ name: className, prototype }, uses] of classes) {
  describe(className, () => {
    for (const [method, use] of Object.entries(uses)) it(method, (t) => play(t, use));

    it('has no other methods', () => {
      const methods = Object.getOwnPropertyNames(prototype).filter((name) => !internal.includes(name));
      assert.deepEqual(methods.sort(), Object.keys(uses).sort());
    });
  });
}

describe('what goes wrong is told', () => {
  for (const [name, ...use] of failing) it(name, (t) => play(t, use));
});

describe('all of it together', () => {
  it('uses each operation', () => {
    const unused = operations.filter(({ name }) => !requested.has(name)).map(({ name }) => name);
    assert.deepEqual(unused, []);
  });

  it('is told each event that the SDK knows, but for those that do not come', () => {
    const sent = Object.entries(kinds).flatMap(([kind, isSent]) => (isSent ? kind : []));
    assert.deepEqual([...parsed].sort(), sent.sort());
  });
});
