// POST and OPTIONS /api/incoming-call: what Event Grid delivers, and what strangers do.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { describe, it } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { gzipSync } from 'node:zlib';
import type { SimulatedCall } from '../../simulator/calls/handle.ts';
import type { Call } from '../../src/calls/call.ts';
import { type App, catchCall, end, startApp } from '../support/app.ts';

const limits = { concurrency: true, timeout: 120_000 };

const requests = ({ journal }: Pick<SimulatedCall, 'journal'>, operation: string) =>
  journal.entries.filter((entry) => entry.type === 'request' && entry.operation === operation).length;

const handshake = [
  {
    id: randomUUID(),
    eventType: 'Microsoft.EventGrid.SubscriptionValidationEvent',
    data: { validationCode: 'the code', validationUrl: 'https://example.com/' },
  },
];

/** A request to the webhook as it is: no key, no type, unless the test gives one. */
const post = ({ url }: Pick<App, 'url'>, body: string | Uint8Array, headers: Record<string, string> = {}) =>
  fetch(`${url}/api/incoming-call`, { method: 'POST', body: Buffer.from(body), headers });

const json = { 'content-type': 'application/json' };

describe('the handshake', limits, () => {
  it('is answered without a key, and whatever the key', async (t) => {
    const app = await startApp(t);
    for (const headers of [
      json,
      { ...json, 'x-event-grid-key': 'wrong' },
      { ...json, 'x-event-grid-key': app.simulator.eventGridKey },
      { ...json, 'aeg-event-type': 'SubscriptionValidation' },
      { ...json, 'aeg-event-type': 'Notification' },
    ]) {
      const response = await post(app, JSON.stringify(handshake), headers);
      assert.equal(response.status, 200);
      assert.deepEqual(await response.json(), { validationResponse: 'the code' });
    }
  });

  it('is answered by an app that can answer no call and has no signing keys', async (t) => {
    const app = await startApp(t, {
      env: { ACS_CONNECTION_STRING: '', EVENT_GRID_KEY: '', ACS_JWKS_URL: 'http://127.0.0.1:9/' },
      ready: false,
    });
    const response = await post(app, JSON.stringify(handshake), json);
    assert.deepEqual(await response.json(), { validationResponse: 'the code' });
    const event = [{ eventType: 'Microsoft.Communication.IncomingCall', data: {} }];
    assert.equal(
      (await post(app, JSON.stringify(event), json)).status,
      503,
      'any other event is to come again',
    );
  });

  it('loses no call that comes with it', async (t) => {
    const app = await startApp(t);
    const placed = app.simulator.placeCall({ announce: false });
    const response = await app.announce([...handshake, ...[placed.announcement].flat()]);
    assert.deepEqual(await response.json(), { validationResponse: 'the code' });
    assert.equal(requests(placed, 'answerCall'), 1);
  });

  it('of CloudEvents lets Event Grid alone post here', async (t) => {
    const app = await startApp(t, { env: { ACS_CONNECTION_STRING: '' } });
    const ask = (origin: string) =>
      fetch(`${app.url}/api/incoming-call`, {
        method: 'OPTIONS',
        headers: { 'WebHook-Request-Origin': origin },
      });
    const granted = await ask('eventgrid.azure.net');
    assert.equal(granted.status, 200);
    assert.equal(granted.headers.get('webhook-allowed-origin'), 'eventgrid.azure.net');
    assert.match(granted.headers.get('allow') ?? '', /POST/);
    for (const origin of ['evil.example', 'eventgrid.azure.net.evil.example', '*']) {
      assert.equal((await ask(origin)).headers.get('webhook-allowed-origin'), null, origin);
    }
  });

  it('with nothing to give back is none', async (t) => {
    const app = await startApp(t);
    for (const data of [{}, { validationCode: '' }, { validationCode: 7 }, null]) {
      const body = JSON.stringify([{ ...handshake[0], data }]);
      assert.equal((await post(app, body, json)).status, 401);
    }
  });
});

describe('an announcement', limits, () => {
  for (const schema of ['event-grid', 'cloud-events'] as const) {
    it(`is answered in the schema ${schema}`, async (t) => {
      const { handler, call } = catchCall();
      const app = await startApp(t, { handler });
      const placed = app.simulator.placeCall({ schema });
      await call;
      assert.equal((await placed.until('announced', ({ what }) => what === 'call')).status, 200);
      assert.equal(requests(placed, 'answerCall'), 1);
    });
  }

  const callers: [string, string | undefined][] = [
    ['+15550123', '+15550123'],
    ['8:acs:12345678-aaaa', '8:acs:12345678-aaaa'],
    ['28:orgid:12345678-bbbb', '28:orgid:12345678-bbbb'],
    ['anonymous', undefined],
  ];
  for (const [from, expected] of callers) {
    it(`may come from ${from}`, async (t) => {
      const { handler, call } = catchCall();
      const app = await startApp(t, { handler });
      app.simulator.placeCall({ from, to: '28:orgid:87654321-cccc' });
      const running = await call;
      assert.equal(running.from, expected);
      assert.equal(running.to, '28:orgid:87654321-cccc');
    });
  }

  it('may say nothing of either side, or nonsense', async (t) => {
    const app = await startApp(t);
    for (const parties of [
      { from: null, to: undefined },
      { from: 7, to: { rawId: 8, phoneNumber: 'no' } },
    ]) {
      const placed = app.simulator.placeCall({ announce: false });
      const data = { incomingCallContext: placed.incomingCallContext, ...parties };
      const body = [{ eventType: 'Microsoft.Communication.IncomingCall', data }];
      assert.equal((await app.announce(body)).status, 200);
      assert.equal(requests(placed, 'answerCall'), 1);
    }
    assert.equal(app.callgate.size, 2);
  });

  it('without the key, or with another, is refused, and nothing is answered', async (t) => {
    const app = await startApp(t);
    const placed = app.simulator.placeCall({ announce: false });
    const body = JSON.stringify(placed.announcement);
    for (const key of [undefined, '', 'wrong', `${app.simulator.eventGridKey}x`]) {
      const response = await post(app, body, {
        ...json,
        ...(key !== undefined && { 'x-event-grid-key': key }),
      });
      assert.equal(response.status, 401);
      assert.equal(response.headers.get('www-authenticate'), 'X-Event-Grid-Key');
      assert.equal(response.headers.get('connection'), 'close');
      assert.deepEqual(Object.keys((await response.json()) as object), ['error']);
    }
    assert.equal(requests(placed, 'answerCall'), 0);
    assert.equal(app.callgate.size, 0);
  });

  it('is taken with either key during a rotation', async (t) => {
    const old = 'o'.repeat(32);
    const next = 'n'.repeat(32);
    const app = await startApp(t, { env: { EVENT_GRID_KEY: `${next},${old}` } });
    for (const key of [old, next]) {
      const placed = app.simulator.placeCall({ announce: false });
      const response = await app.announce(placed.announcement, { 'x-event-grid-key': key });
      assert.equal(response.status, 200);
      assert.equal(requests(placed, 'answerCall'), 1);
    }
    const placed = app.simulator.placeCall({ announce: false });
    const headers = { 'x-event-grid-key': `${next},${old}` };
    assert.equal((await app.announce(placed.announcement, headers)).status, 401);
  });

  it('of another type is taken and ignored', async (t) => {
    const app = await startApp(t);
    for (const body of [
      [{ eventType: 'Microsoft.Communication.SMSReceived', data: {} }],
      [{ eventType: 'Microsoft.Communication.CallStarted' }],
      { type: 'Microsoft.Communication.CallEnded', data: null },
      [],
      [null, 7, 'x', [], {}],
    ]) {
      assert.equal((await app.announce(body)).status, 200);
    }
    assert.equal(app.callgate.size, 0);
  });

  it('before the first keys is to come again', async (t) => {
    const { handler, call } = catchCall();
    const pause = { pauseMs: 100 };
    const app = await startApp(t, {
      handler,
      ready: false,
      signingKeys: { ...pause, jwksUrl: 'http://127.0.0.1:9/' },
    });
    const placed = app.simulator.placeCall({ announce: false });
    assert.equal((await app.announce(placed.announcement)).status, 503);
    assert.equal(requests(placed, 'answerCall'), 0);
    assert.equal(app.callgate.size, 0);
    assert.equal((await fetch(`${app.url}/readyz`)).status, 503);

    const ready = await startApp(t, { handler });
    const taken = ready.simulator.placeCall({ announce: false });
    assert.equal((await ready.announce(taken.announcement)).status, 200);
    await call;
  });

  it('while draining is to come again, but for one of a call that runs', async (t) => {
    const { handler, call } = catchCall();
    const app = await startApp(t, { handler });
    const placed = app.simulator.placeCall();
    const running = await call;
    await placed.until('announced', ({ what, status }) => what === 'call' && status === 200);
    const stopped = app.callgate.stop(60_000);
    assert.equal((await app.announce(placed.announcement)).status, 200);
    const another = app.simulator.placeCall({ announce: false });
    assert.equal((await app.announce(another.announcement)).status, 503);
    assert.equal(requests(another, 'answerCall'), 0);
    placed.hangUp();
    await end(running);
    await stopped;
  });
});

describe('several events in one delivery', limits, () => {
  it('are each handled: the good ones are answered, and what is malformed is logged', async (t) => {
    const app = await startApp(t);
    const [one, two] = [0, 1].map(() => app.simulator.placeCall({ announce: false }));
    assert.ok(one && two);
    const body = [
      ...(one.announcement as unknown[]),
      null,
      { eventType: 'Microsoft.Communication.IncomingCall', data: { from: {} } },
      { eventType: 'Something.Else', data: {} },
      ...(two.announcement as unknown[]),
    ];
    assert.equal((await app.announce(body)).status, 200);
    assert.equal(requests(one, 'answerCall'), 1);
    assert.equal(requests(two, 'answerCall'), 1);
    assert.equal(app.callgate.size, 2);
    await app.log.until('without an incomingCallContext');
    await app.log.until('is no event: skipped');
  });

  it('are to come again if one of them is, and then that one alone is answered', async (t) => {
    const app = await startApp(t);
    const [one, two] = [0, 1].map(() => app.simulator.placeCall({ announce: false }));
    assert.ok(one && two);
    const body = [...(one.announcement as unknown[]), ...(two.announcement as unknown[])];
    app.simulator.failNext('answerCall', { status: 401 });
    assert.equal((await app.announce(body)).status, 503);
    assert.equal(app.callgate.size, 1);
    assert.equal((await app.announce(body)).status, 200);
    assert.equal(app.callgate.size, 2);
    assert.equal(requests(one, 'answerCall') + requests(two, 'answerCall'), 3);
  });
});

describe('a call that is announced more than once', limits, () => {
  it('is answered once, at the same time and later, in either schema', async (t) => {
    const app = await startApp(t);
    app.simulator.failNext('answerCall', { delayMs: 200 });
    const placed = app.simulator.placeCall({ announce: false });
    const [grid] = placed.announcement as { data: unknown }[];
    const cloud = { specversion: '1.0', type: 'Microsoft.Communication.IncomingCall', data: grid?.data };
    const cloudHeaders = { 'content-type': 'application/cloudevents+json; charset=utf-8' };
    const responses = await Promise.all([
      app.announce(placed.announcement),
      app.announce([grid, grid]),
      app.announce(cloud, cloudHeaders),
    ]);
    assert.deepEqual(
      responses.map(({ status }) => status),
      [200, 200, 200],
    );
    assert.equal((await app.announce(cloud, cloudHeaders)).status, 200);
    assert.equal(requests(placed, 'answerCall'), 1);
    assert.equal(app.callgate.size, 1);
  });

  it('shares a failure too, while the attempt lasts', async (t) => {
    const app = await startApp(t);
    app.simulator.failNext('answerCall', { delayMs: 200, status: 401, applied: false });
    const placed = app.simulator.placeCall({ announce: false });
    const responses = await Promise.all([0, 1, 2].map(() => app.announce(placed.announcement)));
    assert.deepEqual(
      responses.map(({ status }) => status),
      [503, 503, 503],
    );
    assert.equal(requests(placed, 'answerCall'), 1);
    assert.equal((await app.announce(placed.announcement)).status, 200);
    assert.equal(requests(placed, 'answerCall'), 2);
  });

  it('is remembered for five minutes, even when it is over', async (t) => {
    let now = Date.now();
    const { handler, call } = catchCall();
    const app = await startApp(t, { handler, incoming: { now: () => now } });
    const placed = app.simulator.placeCall({ announce: false });
    await app.announce(placed.announcement);
    placed.hangUp();
    await end(await call);
    now += 299_000;
    assert.equal((await app.announce(placed.announcement)).status, 200);
    assert.equal(requests(placed, 'answerCall'), 1);
    now += 2_000;
    assert.equal((await app.announce(placed.announcement)).status, 200, 'gone, says ACS');
    assert.equal(requests(placed, 'answerCall'), 2);
    assert.equal(app.callgate.size, 0);
  });

  it('is remembered without what belonged to it, which is gone once it is over', async (t) => {
    const kept: WeakRef<Call>[] = [];
    const app = await startApp(t, { handler: (call) => void kept.push(new WeakRef(call)) });
    const placed = app.simulator.placeCall();
    await placed.until('upgrade');
    placed.hangUp();
    await placed.ended;
    setFlagsFromString('--expose-gc');
    const collect: () => void = runInNewContext('gc');
    for (let turn = 0; turn < 100 && kept[0]?.deref(); turn++) {
      await setImmediate();
      collect();
    }
    assert.equal(kept.length, 1);
    assert.ok(kept[0]?.deref() === undefined); // not equal: what is left would be printed, and is much
    await app.announce(placed.announcement);
    assert.equal(requests(placed, 'answerCall'), 1);
  });

  const names: [string, Record<string, unknown>, again?: Record<string, unknown>][] = [
    ['serverCallId', {}, { correlationId: 'another', incomingCallContext: 'another' }],
    ['correlationId', { serverCallId: undefined }, { incomingCallContext: 'another' }],
    ['context', { serverCallId: undefined, correlationId: undefined }],
    [
      'correlationId (the serverCallId being empty)',
      { serverCallId: '' },
      { incomingCallContext: 'another' },
    ],
  ];
  for (const [what, less, again] of names) {
    it(`is known by its ${what}, and told from another call`, async (t) => {
      const app = await startApp(t);
      const [one, two] = [0, 1].map(() => app.simulator.placeCall({ announce: false }));
      assert.ok(one && two);
      for (const [placed, differs] of [[one], [one, again], [two]] as const) {
        const [event] = placed.announcement as { data: object }[];
        const response = await app.announce([{ ...event, data: { ...event?.data, ...less, ...differs } }]);
        assert.equal(response.status, 200);
      }
      assert.deepEqual([requests(one, 'answerCall'), requests(two, 'answerCall')], [1, 1]);
      assert.equal(requests(app.simulator, 'answerCall'), 2, 'and nothing else');
    });
  }
});

describe('with no slot free', limits, () => {
  it('a call is rejected as busy, once; the next one after an end is answered', async (t) => {
    const { handler, call } = catchCall();
    const app = await startApp(t, { handler, env: { MAX_CALLS: '1' } });
    const first = app.simulator.placeCall();
    const running = await call;
    const placed = app.simulator.placeCall({ announce: false });
    const responses = await Promise.all([0, 1, 2].map(() => app.announce(placed.announcement)));
    assert.deepEqual(
      responses.map(({ status }) => status),
      [200, 200, 200],
    );
    assert.equal((await app.announce(placed.announcement)).status, 200);
    assert.equal((await placed.until('rejected')).reason, 'busy');
    assert.equal(requests(placed, 'rejectCall'), 1);
    assert.equal(requests(placed, 'answerCall'), 0);

    first.hangUp();
    await end(running);
    const next = app.simulator.placeCall({ announce: false });
    assert.equal((await app.announce(next.announcement)).status, 200);
    assert.equal(requests(next, 'answerCall'), 1);
  });

  it('and a rejection that fails, it rings out: nothing is tried again', async (t) => {
    const { handler, call } = catchCall();
    const app = await startApp(t, { handler, env: { MAX_CALLS: '1' } });
    app.simulator.placeCall();
    await call;
    app.simulator.failNext('rejectCall', { status: 400 });
    const placed = app.simulator.placeCall({ announce: false });
    assert.equal((await app.announce(placed.announcement)).status, 200);
    assert.equal((await app.announce(placed.announcement)).status, 200);
    assert.equal(requests(placed, 'rejectCall'), 1);
    assert.equal(placed.state, 'ringing');
    await app.log.until('rings out');
  });

  it('many calls at once get the slots that there are, and not one more', async (t) => {
    const app = await startApp(t, { env: { MAX_CALLS: '3' } });
    const placed = Array.from({ length: 10 }, () => app.simulator.placeCall({ announce: false }));
    const bodies = placed.map((call) => app.announce(call.announcement));
    for (const response of await Promise.all(bodies)) assert.equal(response.status, 200);
    const answered = placed.filter((call) => call.state === 'connected');
    assert.equal(answered.length, 3);
    assert.equal(app.callgate.size, 3);
  });
});

describe('a body', limits, () => {
  it('of a stranger is read up to 16 KiB, one with the key up to 1 MiB', async (t) => {
    const app = await startApp(t);
    const key = { ...json, 'x-event-grid-key': app.simulator.eventGridKey };
    const padded = (bytes: number) => {
      const text = JSON.stringify(handshake);
      return text + ' '.repeat(bytes - text.length);
    };
    assert.equal((await post(app, padded(16 * 1024), json)).status, 200);
    assert.equal((await post(app, padded(16 * 1024 + 1), json)).status, 401);
    assert.equal((await post(app, padded(1024 * 1024), key)).status, 200);
    assert.equal((await post(app, padded(1024 * 1024 + 1), key)).status, 413);
  });

  it('must be JSON and say so, in plain', async (t) => {
    const app = await startApp(t);
    const key = { 'x-event-grid-key': app.simulator.eventGridKey };
    const good = JSON.stringify({ type: 'Something.Else', data: {} });
    const tries: [number, string | Uint8Array, Record<string, string>][] = [
      [200, good, { 'content-type': 'application/json' }],
      [200, good, { 'content-type': 'application/json; charset=utf-8' }],
      [200, good, { 'content-type': 'application/cloudevents+json' }],
      [200, good, { 'content-type': 'APPLICATION/CloudEvents+JSON' }],
      [415, good, { 'content-type': 'text/plain' }],
      [415, good, { 'content-type': 'text/json' }],
      [415, good, { 'content-type': 'application/x-www-form-urlencoded' }],
      [415, good, { 'content-type': 'application/jsonx' }],
      [415, good, {}],
      [415, gzipSync(good), { ...json, 'content-encoding': 'gzip' }],
      [415, good, { 'content-type': 'application/json; charset=utf-16x' }],
      [400, '{"eventType":', json],
      [400, '"text"', json],
      [400, '', json],
    ];
    for (const [status, body, headers] of tries) {
      const response = await post(app, body, { ...headers, ...key });
      assert.equal(response.status, status, `${headers['content-type']} ${body.slice(0, 20)}`);
      if (status === 200) continue;
      const answer = await response.text();
      assert.deepEqual(Object.keys(JSON.parse(answer).error), ['code', 'message']);
      assert.doesNotMatch(answer, /eventType|at .*\.ts/);
    }
  });

  it('is not even looked at in another method', async (t) => {
    const app = await startApp(t);
    for (const method of ['GET', 'PUT', 'DELETE']) {
      const response = await fetch(`${app.url}/api/incoming-call`, { method });
      assert.equal(response.status, 405);
      assert.equal(response.headers.get('allow'), 'OPTIONS, POST');
    }
  });
});
