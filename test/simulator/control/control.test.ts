import assert from 'node:assert/strict';
import { request } from 'node:http';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import fc from 'fast-check';
import type { CallReport } from '../../../simulator/calls/report.ts';
import { noFaults } from '../../../simulator/faults/faults.ts';
import { parseWav } from '../../../simulator/media/wav.ts';
import type { Simulator } from '../../../simulator/simulator.ts';
import { createSimulator } from '../../../simulator/simulator.ts';
import { startApp } from '../support/app.ts';
import { monoWav } from '../support/wav.ts';

async function start(t: TestContext, app?: string) {
  const simulator = await createSimulator({
    frameMs: 4,
    keyMs: 1,
    graceMs: 200,
    ...(app !== undefined && { app }),
  });
  t.after(() => simulator.close());
  const ask = (method: string, path: string, body?: unknown, headers: Record<string, string> = {}) =>
    fetch(`${simulator.url}/_simulator/${path}`, {
      method,
      ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      headers: { ...(body !== undefined && { 'content-type': 'application/json' }), ...headers },
    });
  const json = async (...request: Parameters<typeof ask>) => {
    const response = await ask(...request);
    assert.equal(response.status, 200, await response.clone().text());
    return response.json() as Promise<CallReport & Record<string, unknown>>; // fields are asserted by their use
  };
  return { simulator, ask, json };
}

/** fetch sets Host itself. */
function statusFor(simulator: Simulator, host: string): Promise<number | undefined> {
  const { promise, resolve, reject } = Promise.withResolvers<number | undefined>();
  request(`${simulator.url}/_simulator/`, { headers: { host } }, (response) => {
    response.resume();
    resolve(response.statusCode);
  })
    .once('error', reject)
    .end();
  return promise;
}

test('says who it is, and nothing secret', async (t) => {
  const { simulator, json } = await start(t, 'http://127.0.0.1:8080/api/incoming-call');
  const identity = await json('GET', '');
  assert.equal(identity.name, 'callgate-simulator');
  assert.equal(identity.url, simulator.url);
  assert.equal(identity.app, 'http://127.0.0.1:8080/api/incoming-call');
  assert.ok(!JSON.stringify(identity).includes(simulator.eventGridKey));
});

test('refuses what a web page could send: foreign hosts, bodies that are not JSON', async (t) => {
  const { simulator, ask } = await start(t);
  const { host, port } = new URL(simulator.url);
  for (const good of [host, `localhost:${port}`, `[::1]:${port}`])
    assert.equal(await statusFor(simulator, good), 200);
  for (const bad of ['evil.example', `127.0.0.1.evil.example:${port}`, `evil.example:${port}`]) {
    assert.equal(await statusFor(simulator, bad), 421);
  }
  const before = await simulator.token();
  const types = ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x'];
  for (const path of ['keys/rotate', 'calls', 'calls/x/press', 'calls/x/drop', 'faults', 'faults/next']) {
    for (const type of types) {
      for (const body of ['{}', '']) {
        const { status } = await ask('POST', path, body, { 'content-type': type });
        assert.equal(status, 415, `${path}, ${type}, '${body}'`);
      }
    }
    assert.equal((await ask('POST', path)).status, 415, 'not even an empty one');
  }
  const foreign = { origin: 'https://evil.example' };
  assert.equal((await ask('POST', 'keys/rotate', {}, foreign)).status, 403);
  const call = simulator.placeCall({ announce: false });
  assert.equal((await ask('DELETE', `calls/${call.id}`, undefined, foreign)).status, 403);
  assert.equal(call.state, 'ringing');
  assert.equal(before.split('.')[0], (await simulator.token()).split('.')[0], 'the key is the same');
  assert.equal((await ask('POST', 'keys/rotate', {})).status, 200);
  assert.notEqual(before.split('.')[0], (await simulator.token()).split('.')[0]);
});

test('listens on 127.0.0.1 only', async (t) => {
  const { simulator } = await start(t);
  assert.equal(new URL(simulator.url).hostname, '127.0.0.1');
  await assert.rejects(fetch(simulator.url.replace('127.0.0.1', '127.0.0.2')));
});

test('places a call, shows it, presses keys, cuts its socket, ends it', async (t) => {
  const { simulator, ask, json } = await start(t);
  const keys: string[] = [];
  const third = Promise.withResolvers<void>();
  const app = await startApp(t, {
    connectionString: simulator.connectionString,
    onFrame(text) {
      const frame = JSON.parse(text);
      if (frame.kind === 'DtmfData') keys.push(frame.dtmfData.data);
      if (keys.length === 3) third.resolve();
    },
  });
  const { id } = await json('POST', 'calls', { app: app.webhook, from: 'anonymous', seconds: 60 });
  const call = simulator.calls.find((one) => one.id === id) ?? assert.fail();
  await call.until('upgrade');
  await json('POST', `calls/${id}/press`, { digits: '1#A' });
  await third.promise;
  assert.deepEqual(keys, ['1', '#', 'A']);

  const [glance] = (await json('GET', 'calls')) as unknown as { id: string; state: string; sent: number }[];
  assert.equal(glance?.id, id);
  assert.equal(glance?.state, 'connected');
  assert.ok((glance?.sent ?? 0) > 0);
  assert.equal((await json('GET', `calls/${id}`)).callConnectionId, call.callConnectionId);

  await json('POST', `calls/${id}/drop`, {});
  assert.equal((await call.until('media-closed')).by, 'simulator');
  const over = json('GET', `calls/${id}/ended`);
  await json('DELETE', `calls/${id}`);
  assert.equal((await over).outcome, 'the caller hung up');
  assert.deepEqual((await over).events.at(-1), 'CallDisconnected');
  for (const path of ['calls/none', 'calls/none/audio', 'nothing', 'calls/none/ended']) {
    assert.equal((await ask('GET', path)).status, 404);
  }
});

test('a call without media comes back as a WAV file with nothing in it', async (t) => {
  const { simulator, ask } = await start(t);
  const { id } = simulator.placeCall({ announce: false });
  const file = Buffer.from(await (await ask('GET', `calls/${id}/audio`)).arrayBuffer());
  assert.equal(file.toString('latin1', 0, 4), 'RIFF');
  assert.equal(file.length, 44);
});

test('a caller says a WAV file, and the call comes back as one', async (t) => {
  const { simulator, ask, json } = await start(t);
  const app = await startApp(t, simulator);
  const samples = Int16Array.from({ length: 8_000 }, (_, i) => 5_000 * Math.sin(i / 10));
  const wav = monoWav({ sampleRate: 8_000, samples }).toString('base64');
  const { id } = await json('POST', 'calls', { app: app.webhook, seconds: 1, sound: { wav } });
  await json('GET', `calls/${id}/ended`);
  const response = await ask('GET', `calls/${id}/audio`);
  assert.equal(response.headers.get('content-type'), 'audio/wav');
  const file = Buffer.from(await response.arrayBuffer());
  assert.throws(() => parseWav(file), /this has 2/, 'it is stereo');
  assert.ok(
    Math.abs(file.readInt16LE(44 + 4 * 300) - (samples[100] ?? 0)) <= 1,
    'left is what the caller said',
  );

  const refused = await ask('POST', 'calls', { app: app.webhook, sound: { wav: 'AAAA' } });
  assert.equal(refused.status, 400);
  assert.match(await refused.text(), /sound: not a WAV/);
  const voices = { '+15550122': { wav: 'AAAA' } };
  const other = await ask('POST', 'calls', { app: app.webhook, voices });
  assert.equal(other.status, 400);
  assert.match(await other.text(), /voices\.\+15550122: not a WAV/);
});

test('faults: changed one by one, and the next answers of an operation', async (t) => {
  const { simulator, ask, json } = await start(t);
  assert.deepEqual(await json('POST', 'faults', { keys: 'down' }), { ...simulator.faults, keys: 'down' });
  await json('POST', 'faults', { token: 'expired', duplicateEvents: true });
  await json('POST', 'faults', { keys: null });
  const { seed } = simulator.faults;
  const expected = { ...noFaults, seed, token: 'expired', duplicateEvents: true };
  assert.deepEqual(await json('GET', 'faults'), expected);
  assert.deepEqual(simulator.faults, expected);

  await json('POST', 'faults/next', { operation: 'answerCall', status: 503 });
  const app = await startApp(t, simulator);
  const call = simulator.placeCall({ app: app.webhook });
  const { status } = await call.until('request', ({ operation }) => operation === 'answerCall');
  assert.equal(status, 503);
  assert.equal((await ask('POST', 'faults/next', { operation: 'fly' })).status, 400);
});

test('a fault has headers that an answer can have, and leaves its length alone', async (t) => {
  const { simulator, ask, json } = await start(t);
  const bad: Record<string, string>[] = [
    { 'a b': 'x' },
    { '': 'x' },
    { é: 'x' },
    { x: 'a\nb' },
    { x: 'a\u0000b' },
    { x: '→' },
    { good: 'x', 'Content-Length': '5' },
    { 'transfer-encoding': 'chunked' },
    { Connection: 'close' },
    { trailer: 'x' },
  ];
  for (const headers of bad) {
    const response = await ask('POST', 'faults/next', { operation: 'answerCall', status: 503, headers });
    const text = await response.text();
    assert.equal(response.status, 400, JSON.stringify(headers));
    assert.ok(JSON.parse(text).error.message.startsWith('headers.'), text);
    assert.throws(() => simulator.failNext('answerCall', { headers }), JSON.stringify(headers));
  }
  const headers = { 'Retry-After': '7', 'x-latin-1': 'é' };
  await json('POST', 'faults/next', { operation: 'answerCall', status: 503, headers });
  const app = await startApp(t, simulator);
  const call = simulator.placeCall({ app: app.webhook });
  const { status } = await call.until('request', ({ operation }) => operation === 'answerCall');
  assert.equal(status, 503, 'the refused ones were not kept');
});

test('no body does any harm: it is taken or refused', async (t) => {
  const { ask } = await start(t);
  assert.equal((await ask('POST', 'calls', {})).status, 400, 'a call to nobody');
  const rooms = ['calls', 'faults', 'faults/next', 'keys/rotate', 'scenarios'];
  const paths = [...rooms, 'calls/x/press', 'calls/x/drop', 'x'];
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...paths), fc.oneof(fc.json(), fc.string()), async (path, body) => {
      const { status } = await ask('POST', path, body);
      assert.ok([200, 400, 404].includes(status), `${path} ${body}: ${status}`);
    }),
    { numRuns: 50 },
  );
});

test('says what was prepared when asked, and what is posted', async (t) => {
  const { simulator, json } = await start(t);
  const app = await startApp(t, {
    connectionString: simulator.connectionString,
    media: null,
    answer: { callIntelligenceOptions: { cognitiveServicesEndpoint: 'https://example.com/' } },
  });
  const { id } = await json('POST', 'calls', { app: app.webhook, words: ['One.'] });
  const call = simulator.calls.find((candidate) => candidate.id === id);
  await call?.until('event', ({ event, status }) => event === 'ParticipantsUpdated' && status === 200);
  const media = app.connections[0]?.getCallMedia();
  const recognize = async () => {
    await media?.startRecognizing({ phoneNumber: '+15550100' }, { kind: 'callMediaRecognizeSpeechOptions' });
  };
  const heard = (speech: string) =>
    call?.until('event', () => app.deliveries.some(({ body }) => JSON.stringify(body).includes(speech)));
  await recognize();
  assert.ok(await heard('One.'));
  await recognize();
  await json('POST', `calls/${id}/say`, { text: 'Two.' });
  assert.ok(await heard('Two.'));
});

test('plays a scenario, tells where it is, and says every fault of one that is none', async (t) => {
  const { simulator, ask, json } = await start(t);
  const app = await startApp(t, { connectionString: simulator.connectionString, media: null });
  const steps = [{ on: { answered: true } }, { on: { event: 'PlayStarted' } }];
  const scenario = { description: 'a long wait', call: { app: app.webhook }, steps, expect: {} };
  const playing = json('POST', 'scenarios', scenario);
  const { callId } = await simulator.until('event', ({ event }) => event === 'ParticipantsUpdated');
  const { current } = await json('GET', 'scenarios');
  const waitsFor = 'step 2 of 2 (event PlayStarted)';
  assert.deepEqual(current, { description: 'a long wait', callId, waitsFor });
  await json('DELETE', `calls/${callId}`);
  const { ok, faults, call } = await playing;
  assert.equal(ok, false);
  assert.deepEqual(faults, ['step 2 of 2 (event PlayStarted) did not come before the call was over']);
  assert.equal((call as CallReport).outcome, 'the caller hung up'); // the control plane's own shape
  assert.deepEqual(await json('GET', 'scenarios'), {});

  const refused = await ask('POST', 'scenarios', { ...scenario, steps: [{ do: {} }], retry: 1 });
  assert.equal(refused.status, 400);
  assert.match(await refused.text(), /steps\.0\.do: has to be one of .*the scenario: .*retry/);
});
