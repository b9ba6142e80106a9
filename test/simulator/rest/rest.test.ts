import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import { CallAutomationClient } from '@azure/communication-call-automation';
import fc from 'fast-check';
import { operations } from '../../../simulator/rest/operations.ts';
import type { Simulator, SimulatorOptions } from '../../../simulator/simulator.ts';
import { createSimulator } from '../../../simulator/simulator.ts';
import { startApp } from '../support/app.ts';
import type { Signed } from '../support/signed.ts';
import { signed } from '../support/signed.ts';

const VERSION = 'api-version=2026-03-12';

async function start(t: TestContext, options: SimulatorOptions = {}): Promise<Simulator> {
  const simulator = await createSimulator(options);
  t.after(() => simulator.close());
  return simulator;
}

async function errorOf(response: Response): Promise<{ status: number; code: string; message: string }> {
  const { error } = (await response.json()) as { error: { code: string; message: string } }; // asserted by its use
  return { status: response.status, ...error };
}

test('a request that is not signed with the access key is 401', async (t) => {
  const simulator = await start(t);
  const target = `/calling/callConnections/x?${VERSION}`;
  const cases: Signed[] = [
    { key: Buffer.from('another key').toString('base64') },
    { headers: { authorization: 'Bearer token' } },
    { headers: { 'x-ms-content-sha256': 'another' } },
    { headers: { 'x-ms-date': new Date(0).toUTCString() } },
    { date: new Date(Date.now() - 3_600_000).toUTCString() },
    { date: 'yesterday' },
  ];
  for (const options of cases) {
    const response = await signed(simulator, target, { method: 'GET', ...options });
    assert.equal(response.status, 401, JSON.stringify(options));
    assert.equal((await errorOf(response)).code, 'Denied');
  }
  assert.equal(
    (await signed(simulator, target, { method: 'GET' })).status,
    404,
    'a good signature gets further',
  );
});

test('the first stable API version and later ones are taken', async (t) => {
  const simulator = await start(t);
  const status = async (query: string) =>
    (await signed(simulator, `/calling/callConnections/x${query}`, { method: 'GET' })).status;
  assert.equal(await status('?api-version=2026-03-12'), 404);
  assert.equal(await status('?api-version=2027-01-01-preview'), 404);
  assert.equal(await status('?api-version=2023-03-06'), 404);
  assert.equal(await status('?api-version=2022-04-07-preview'), 400);
  assert.equal(await status('?api-version=latest'), 400);
  assert.equal(await status(''), 400);
});

test('an operation that is not in the table is 501 and named', async (t) => {
  const simulator = await start(t);
  const call = '/calling/callConnections/secret';
  for (const [path, shape] of [
    [`${call}:fly`, '/calling/callConnections/{id}:fly'],
    [`${call}/participants/4:+15550100/fly`, '/calling/callConnections/{id}/participants/{id}/fly'],
    ['/calling/recordings/secret:fly', '/calling/recordings/{id}:fly'],
  ]) {
    const { status, message } = await errorOf(await signed(simulator, `${path}?${VERSION}`, { body: '{}' }));
    assert.equal(status, 501);
    assert.match(message, /simulator\/README\.md/);
    assert.ok(message.includes(`POST ${shape}.`), message);
  }
});

const noUrls = ['', 'nope', '//x', 'ws://[', 'ws://', 'http://', 'javascript:1', 'ftp://127.0.0.1/'];

test('required fields are required', async (t) => {
  const simulator = await start(t);
  const call = simulator.placeCall({ announce: false });
  const media = { transportType: 'websocket', audioChannelType: 'mixed', transportUrl: 'ws://127.0.0.1/' };
  const good = { incomingCallContext: call.incomingCallContext, callbackUri: 'http://127.0.0.1/' };
  const bad: [string, unknown][] = [
    ['', undefined],
    ['incomingCallContext', { ...good, incomingCallContext: undefined }],
    ['callbackUri', { ...good, callbackUri: undefined }],
    ['callbackUri', { ...good, callbackUri: 'http://example.com/' }],
    ...noUrls.map((callbackUri): [string, unknown] => ['callbackUri', { ...good, callbackUri }]),
    ...noUrls.map((transportUrl): [string, unknown] => [
      'mediaStreamingOptions.transportUrl',
      { ...good, mediaStreamingOptions: { ...media, transportUrl } },
    ]),
    [
      'mediaStreamingOptions.transportUrl',
      { ...good, mediaStreamingOptions: { ...media, transportUrl: 'ws://example.com' } },
    ],
    [
      'mediaStreamingOptions.transportUrl',
      { ...good, mediaStreamingOptions: { ...media, transportUrl: undefined } },
    ],
    [
      'mediaStreamingOptions.audioFormat',
      { ...good, mediaStreamingOptions: { ...media, audioFormat: 'mp3' } },
    ],
  ];
  for (const [field, body] of bad) {
    const response = await signed(simulator, `/calling/callConnections:answer?${VERSION}`, {
      body: JSON.stringify(body) ?? '',
    });
    const { status, message } = await errorOf(response);
    assert.equal(status, 400, field);
    assert.ok(message.startsWith(field), message);
  }
  assert.equal(call.state, 'ringing');
});

test('no body makes an operation throw', async (t) => {
  const simulator = await start(t);
  const call = simulator.placeCall({ announce: false });
  const posts = operations.filter(({ method }) => method === 'POST');
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...posts), fc.oneof(fc.json(), fc.string()), async ({ path }, body) => {
      const target = `${path.replace(/\{\w+\}/, call.callConnectionId)}?${VERSION}`;
      const response = await signed(simulator, target, { body });
      await response.text();
      assert.ok(response.status === 400 || response.status === 404, `${path} ${body}: ${response.status}`);
    }),
    { numRuns: 50 },
  );
});

test('no value of a field makes an operation on a connected call throw', async (t) => {
  const simulator = await start(t, { callbackRetryMs: [], frameMs: 1, keyMs: 1 });
  const hostile = fc.oneof(fc.string(), fc.jsonValue());
  const field = <T>(good: T) => fc.oneof({ weight: 6, arbitrary: fc.constant(good) }, hostile);
  const someone = field({ rawId: '4:+15550100' });
  const source = field({ kind: 'file', file: { uri: 'https://example.com/' } });
  const fields = fc.record({
    targetParticipant: someone,
    targetParticipants: field([{ rawId: '4:+15550100' }]),
    participantToAdd: someone,
    participantToRemove: field({ rawId: '4:+15550122' }),
    invitationId: hostile,
    fromCall: hostile,
    sourceCallerIdNumber: field({ value: '+15550199' }),
    operationCallbackUri: field('http://127.0.0.1:1/'),
    playSources: fc.oneof(fc.array(source), hostile),
    playPrompt: source,
    recognizeInputType: field('dtmf'),
    recognizeOptions: field({ targetParticipant: { rawId: '4:+15550100' } }),
    tones: field(['one']),
    operationContext: field('context'),
  });
  const actions = operations.filter(
    ({ method, path }) => method === 'POST' && /\}.*:(?!terminate)/.test(path),
  );
  const statuses = new Set<number>();
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...actions), fields, async ({ path, status, name }, body) => {
      const call = simulator.placeCall({ announce: false });
      await signed(simulator, `/calling/callConnections:answer?${VERSION}`, {
        body: JSON.stringify({
          incomingCallContext: call.incomingCallContext,
          callbackUri: 'http://127.0.0.1:1/',
        }),
      });
      const target = `${path.replace(/\{\w+\}/, call.callConnectionId)}?${VERSION}`;
      const response = await signed(simulator, target, { body: JSON.stringify(body) });
      await response.text();
      call.hangUp();
      statuses.add(response.status);
      assert.ok([status, 400, 404, 501].includes(response.status), `${name}: ${response.status}`);
    }),
    { numRuns: 150 },
  );
  assert.ok(statuses.has(202) && statuses.has(200) && statuses.has(400), 'all were reached');
});

test('no value of a field makes recording a call throw', async (t) => {
  const simulator = await start(t, { callbackRetryMs: [] });
  const { incomingCallContext, serverCallId, callConnectionId } = simulator.placeCall({ announce: false });
  await signed(simulator, `/calling/callConnections:answer?${VERSION}`, {
    body: JSON.stringify({ incomingCallContext, callbackUri: 'http://127.0.0.1:1/' }),
  });
  const hostile = fc.oneof(fc.constantFrom(...noUrls), fc.string(), fc.jsonValue());
  const field = <T>(good: T) => fc.oneof({ weight: 8, arbitrary: fc.constant(good) }, hostile);
  const someone = { rawId: '4:+15550100' };
  const fields = fc.record(
    {
      callLocator: field({ kind: 'serverCallLocator', serverCallId }),
      callConnectionId: field(callConnectionId),
      recordingStateCallbackUri: field('http://127.0.0.1:1/'),
      recordingContentType: field('audio'),
      recordingChannelType: field('unmixed'),
      recordingFormatType: field('wav'),
      audioChannelParticipantOrdering: field([someone]),
      channelAffinity: field([{ channel: 4, participant: someone }]),
      pauseOnStart: field(true),
      externalStorage: field({ recordingStorageKind: 'azureCommunicationServices' }),
    },
    { requiredKeys: ['callLocator', 'recordingContentType', 'recordingFormatType'] },
  );
  const statuses = new Set<number>();
  await fc.assert(
    fc.asyncProperty(fields, async (body) => {
      const response = await signed(simulator, `/calling/recordings?${VERSION}`, {
        body: JSON.stringify(body),
      });
      statuses.add(response.status);
      const { recordingId } = (await response.json()) as { recordingId?: string }; // an error has none
      if (recordingId !== undefined) {
        const target = `/calling/recordings/${recordingId}?${VERSION}`;
        assert.equal((await signed(simulator, target, { method: 'DELETE' })).status, 204);
      }
      assert.ok([200, 400, 404].includes(response.status), `${JSON.stringify(body)}: ${response.status}`);
    }),
    { numRuns: 100 },
  );
  assert.ok(statuses.has(200) && statuses.has(400), 'both were reached');
});

test('no value of a field makes answering a call throw', async (t) => {
  const simulator = await start(t, { callbackRetryMs: [] });
  const hostile = fc.oneof(fc.constantFrom(...noUrls), fc.string(), fc.jsonValue());
  // Most fields are good, so that the bad one is reached.
  const field = <T>(good: T) => fc.oneof({ weight: 4, arbitrary: fc.constant(good) }, hostile);
  const media = fc.record(
    {
      transportType: field('websocket'),
      transportUrl: field('ws://127.0.0.1:1/'),
      contentType: field('audio'),
      audioChannelType: field('mixed'),
      audioFormat: field('Pcm24KMono'),
      startMediaStreaming: field(true),
      enableBidirectional: field(true),
    },
    { requiredKeys: ['transportType', 'transportUrl', 'audioChannelType'] },
  );
  const answer = fc.record(
    {
      callbackUri: field('http://127.0.0.1:1/'),
      incomingCallContext: fc.oneof({ weight: 4, arbitrary: fc.constant(undefined) }, hostile),
      operationContext: field('context'),
      mediaStreamingOptions: fc.oneof({ weight: 4, arbitrary: media }, hostile),
    },
    { requiredKeys: ['callbackUri'] },
  );
  const statuses = new Set<number>();
  await fc.assert(
    fc.asyncProperty(answer, async (fields) => {
      const call = simulator.placeCall({ announce: false });
      const { incomingCallContext = call.incomingCallContext } = fields;
      const body = JSON.stringify({ ...fields, incomingCallContext });
      const response = await signed(simulator, `/calling/callConnections:answer?${VERSION}`, { body });
      await response.text();
      call.hangUp();
      statuses.add(response.status);
      assert.ok([200, 400, 404].includes(response.status), `${body}: ${response.status}`);
    }),
    { numRuns: 150, examples: [[{ callbackUri: '', incomingCallContext: { toString: 1 } }]] },
  );
  assert.ok(statuses.has(200) && statuses.has(400), 'both were reached');
});

test('a request that is repeated gets the answer of the first, and takes effect once', async (t) => {
  const simulator = await start(t);
  const call = simulator.placeCall({ announce: false });
  const body = JSON.stringify({
    incomingCallContext: call.incomingCallContext,
    callbackUri: 'http://127.0.0.1:1/',
  });
  const headers = { 'repeatability-request-id': randomUUID() };
  const answer = async (extra: Record<string, string>) => {
    const target = `/calling/callConnections:answer?${VERSION}`;
    const response = await signed(simulator, target, { body, headers: extra });
    return { status: response.status, body: await response.json() };
  };
  const [first, second] = await Promise.all([answer(headers), answer(headers)]);
  assert.equal(first.status, 200);
  assert.deepEqual(first, second);
  assert.equal((await answer({ 'repeatability-request-id': randomUUID() })).status, 404, 'answered already');
  const events = call.journal.entries.filter(({ type }) => type === 'answered');
  assert.equal(events.length, 1);
});

test("every operation through Microsoft's SDK", async (t) => {
  const simulator = await start(t);
  const app = await startApp(t, {
    connectionString: simulator.connectionString,
    media: { startMediaStreaming: false },
  });
  const call = simulator.placeCall({ app: app.webhook, from: '+15550100', to: '8:acs:someone' });
  await call.until('event', ({ event, status }) => event === 'CallConnected' && status === 200);
  const [connection] = app.connections;
  assert.ok(connection);

  const properties = await connection.getCallConnectionProperties();
  assert.equal(properties.callConnectionId, call.callConnectionId);
  assert.equal(properties.serverCallId, call.serverCallId);
  assert.equal(properties.callConnectionState, 'connected');
  assert.deepEqual(properties.source, { phoneNumber: '+15550100', rawId: '4:+15550100' });

  const { values = [] } = await connection.listParticipants();
  assert.equal(values.length, 2);
  const caller = await connection.getParticipant({ phoneNumber: '+15550100' });
  assert.deepEqual(caller.identifier, { phoneNumber: '+15550100', rawId: '4:+15550100' });
  await assert.rejects(connection.getParticipant({ phoneNumber: '+15550111' }), { statusCode: 404 });

  await connection.getCallMedia().startMediaStreaming({ operationContext: 'start' });
  await call.until('event', ({ event, status }) => event === 'MediaStreamingStarted' && status === 200);
  await connection.getCallMedia().stopMediaStreaming({ operationContext: 'stop' });
  await call.until('media-closed');

  const { operationContext } = await connection.transferCallToParticipant(
    { phoneNumber: '+15550122' },
    { operationContext: 'away' },
  );
  assert.equal(operationContext, 'away');
  const report = await call.ended;
  assert.equal(report.outcome, 'transferred');
  assert.deepEqual(
    report.events.filter((event) => !event.startsWith('Participants')),
    [
      'CallConnected',
      'MediaStreamingStarted',
      'MediaStreamingStopped',
      'CallTransferAccepted',
      'CallDisconnected',
    ],
  );
  await assert.rejects(connection.hangUp(true), { statusCode: 404 });
  await assert.rejects(connection.hangUp(false), { statusCode: 404 });
});

test('both hang-ups end the call', async (t) => {
  const simulator = await start(t);
  const app = await startApp(t, simulator);
  for (const everyone of [true, false]) {
    const call = simulator.placeCall({ app: app.webhook });
    await call.until('event', ({ event }) => event === 'CallConnected');
    await app.connections.at(-1)?.hangUp(everyone);
    const report = await call.ended;
    assert.equal(report.outcome, 'the app hung up');
    assert.deepEqual(report.operations, ['answerCall', everyone ? 'terminate' : 'hangUp']);
    assert.equal(report.events.at(-1), 'CallDisconnected');
  }
});

test('a rejected call is over', async (t) => {
  const simulator = await start(t);
  const client = new CallAutomationClient(simulator.connectionString, { allowInsecureConnection: true });
  const rejected = simulator.placeCall({ announce: false });
  await client.rejectCall(rejected.incomingCallContext, { callRejectReason: 'busy' });
  const report = await rejected.ended;
  assert.equal(report.outcome, 'rejected: busy');
  assert.equal(report.problem, 'the app rejected the call: busy');
});

test('a call that nobody answers is over', async (t) => {
  const simulator = await start(t, { ringMs: 20 });
  const client = new CallAutomationClient(simulator.connectionString, { allowInsecureConnection: true });
  const unanswered = simulator.placeCall({ announce: false });
  assert.equal((await unanswered.ended).outcome, 'not answered');
  await assert.rejects(client.answerCall(unanswered.incomingCallContext, 'http://127.0.0.1:1/'), {
    statusCode: 404,
  });
});

test('the next answers of an operation can be spoiled', async (t) => {
  const simulator = await start(t);
  const client = new CallAutomationClient(simulator.connectionString, {
    allowInsecureConnection: true,
    retryOptions: { maxRetries: 0 },
  });
  const answer = (call: { incomingCallContext: string }) =>
    client.answerCall(call.incomingCallContext, 'http://127.0.0.1:1/');
  const call = simulator.placeCall({ announce: false });

  simulator.failNext('answerCall', { status: 429, headers: { 'retry-after': '7' }, times: 2 });
  await assert.rejects(answer(call), { statusCode: 429 });
  await assert.rejects(
    answer(call),
    (error: { response?: { headers: { get(name: string): string | undefined } } }) => {
      assert.equal(error.response?.headers.get('retry-after'), '7');
      return true;
    },
  );
  simulator.failNext('answerCall', { cut: true });
  await assert.rejects(answer(call), { code: 'ECONNRESET' });
  assert.equal(call.state, 'ringing', 'none of them took effect');

  simulator.failNext('answerCall', { status: 200, body: {}, applied: true });
  await assert.rejects(answer(call), (error) => /callConnectionId is missing/.test(String(error)));
  assert.equal(call.state, 'connected');

  const late = simulator.placeCall({ announce: false });
  simulator.failNext('answerCall', { delayMs: 3_600_000 });
  const pending = answer(late);
  pending.catch(() => {});
  await late.until('request', ({ operation, status }) => operation === 'answerCall' && status === 200);
  assert.equal(late.state, 'connected', 'the call goes on while its answer is on the way');
  assert.throws(() => simulator.failNext('fly'), /no operation fly/);
  for (let waiting = 0; waiting < 1_000; waiting++) simulator.failNext('hangUp');
  assert.throws(() => simulator.failNext('hangUp'), /No more than 1000/);
});
