// What becomes of a call by what ACS says to answerCall, and the calls that ACS answered without saying so.

import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import type { SimulatedCall } from '../../simulator/calls/handle.ts';
import type { AnswerFault } from '../../simulator/faults/faults.ts';
import { createSimulator } from '../../simulator/simulator.ts';
import { type AppOptions, catchCall, end, startApp } from '../support/app.ts';

const limits = { concurrency: true, timeout: 120_000 };

/** Statuses that the webhook answered announcements with. */
function announced({ journal }: SimulatedCall): (number | undefined)[] {
  return journal.entries.flatMap((entry) =>
    entry.type === 'announced' && entry.what === 'call' ? [entry.status] : [],
  );
}

function asked({ journal }: SimulatedCall, operation: string): (number | undefined)[] {
  return journal.entries.flatMap((entry) =>
    entry.type === 'request' && entry.operation === operation ? [entry.status] : [],
  );
}

const connected = (call: SimulatedCall) => call.until('upgrade', ({ status }) => status === 101);

describe('Event Grid is told', limits, () => {
  const outcomes: [string, AnswerFault, number, string | undefined, RegExp?][] = [
    ['200 after a 400', { status: 400 }, 200, 'taken or gone'],
    ['200 after a 404: the call is gone', { status: 404 }, 200, 'taken or gone'],
    ['200 after a 409: another took it', { status: 409 }, 200, 'taken or gone'],
    ['503 after a 401', { status: 401 }, 503, 'could not be answered', /ACS_CONNECTION_STRING/],
    ['503 after a 403', { status: 403 }, 503, 'could not be answered', /role/],
    ['503 after 408s', { status: 408, times: 9 }, 503, 'could not be answered'],
    ['503 after 500s', { status: 500, times: 9 }, 503, 'could not be answered'],
    ['503 after 501', { status: 501 }, 503, 'could not be answered'],
    [
      '503 after 429s',
      { status: 429, times: 9, headers: { 'retry-after': '0' } },
      503,
      'could not be answered',
    ],
    ['503 after resets', { cut: true, times: 9 }, 503, 'could not be answered'],
    ['503 after a 200 without an id', { status: 200, body: {} }, 503, 'could not be answered'],
    ['503 after a 200 without a body', { status: 200, body: undefined }, 503, 'could not be answered'],
    ['200 after a 500 and a 200', { status: 500 }, 200, undefined],
  ];
  for (const [what, fault, status, words, help] of outcomes) {
    it(what, async (t) => {
      const app = await startApp(t);
      app.simulator.failNext('answerCall', fault);
      const placed = app.simulator.placeCall();
      assert.equal((await placed.until('announced', (entry) => entry.what === 'call')).status, status);
      if (words === undefined) return assert.equal(app.callgate.size, 1);
      assert.equal(app.callgate.size, 0, 'its slot is free');
      const line = await app.log.until(words);
      assert.equal(line.level, help ? 50 : 40);
      assert.match(String(line.help), help ?? /undefined/);
    });
  }

  it('503 when nobody is there', async (t) => {
    const gone = await createSimulator();
    await gone.close();
    const app = await startApp(t, { env: { ACS_CONNECTION_STRING: gone.connectionString } });
    const placed = app.simulator.placeCall();
    assert.equal((await placed.until('announced', ({ what }) => what === 'call')).status, 503);
    assert.equal(app.callgate.size, 0);
  });

  it('503 after too long a silence, and its slot is kept', async (t) => {
    const app = await startApp(t, { incoming: { answerMs: 200 } });
    app.simulator.failNext('answerCall', { delayMs: 3_600_000, applied: false });
    const placed = app.simulator.placeCall();
    assert.equal((await placed.until('announced', ({ what }) => what === 'call')).status, 503);
    assert.equal(app.callgate.size, 1);
  });

  it('to try again, and then the call is answered', async (t) => {
    const { handler, call } = catchCall();
    const app = await startApp(t, { handler, simulator: { eventGridRetryMs: [10] } });
    app.simulator.failNext('answerCall', { status: 401 });
    const placed = app.simulator.placeCall();
    await call;
    await placed.until('announced', ({ status }) => status === 200);
    assert.deepEqual(announced(placed), [503, 200]);
    assert.equal(app.callgate.size, 1);
  });
});

describe('a call is answered late, and once', limits, () => {
  const faults: [string, AnswerFault][] = [
    ['a 500', { status: 500 }],
    ['a 500 though it was answered', { status: 500, applied: true }],
    ['a reset', { cut: true }],
    ['resets though it was answered', { cut: true, applied: true, times: 2 }],
    ['a 429 that says when to come again', { status: 429, headers: { 'retry-after': '1' } }],
  ];
  for (const [what, fault] of faults) {
    it(`after ${what}`, async (t) => {
      const caught = catchCall();
      const app = await startApp(t, { handler: caught.handler });
      app.simulator.failNext('answerCall', fault);
      const placed = app.simulator.placeCall();
      assert.equal((await placed.until('announced', (entry) => entry.what === 'call')).status, 200);
      const running = await caught.call;
      const entries = placed.journal.entries;
      assert.equal(entries.filter(({ type }) => type === 'answered').length, 1);
      const tries = entries.filter((entry) => entry.type === 'request' && entry.operation === 'answerCall');
      assert.equal(tries.length, 1 + (fault.times ?? 1));
      const ids = tries.map((entry) => entry.type === 'request' && entry.requestId);
      assert.equal(new Set(ids).size, 1, 'by which ACS knows it again');
      if (fault.status === 429) {
        const [first, second] = tries.map(({ at }) => at);
        assert.ok(Number(second) - Number(first) >= 990, 'not before it was told to');
      }
      assert.equal(running.from, '+15550100');
      assert.equal(app.callgate.size, 1);
      placed.hangUp();
      await end(running);
      assert.deepEqual([caught.runs, app.callgate.size], [1, 0]);
    });
  }

  it('or given up, where ACS says to come again much later', async (t) => {
    const app = await startApp(t, { incoming: { answerMs: 1_000 }, calls: { limits: { unsureMs: 100 } } });
    app.simulator.failNext('answerCall', { status: 429, headers: { 'retry-after': '3600' } });
    const placed = app.simulator.placeCall();
    assert.equal((await placed.until('announced', ({ what }) => what === 'call')).status, 503);
    assert.equal((await app.log.until('call ended')).reason, 'ACS gave no sign of an answer');
    assert.deepEqual([asked(placed, 'answerCall').length <= 1, app.callgate.size], [true, 0]);
  });
});

describe('a call that was given up and that ACS had answered', limits, () => {
  /** Neither socket nor event gets in, and each answer is lost on its way. */
  async function giveUp(t: TestContext, fault: AnswerFault, options: AppOptions = {}) {
    const caught = catchCall();
    const app = await startApp(t, {
      handler: caught.handler,
      incoming: { answerMs: 1_000 },
      simulator: { callbackRetryMs: [3_600_000] },
      ...options,
      calls: { limits: { unsureMs: 100, ...options.calls?.limits } },
    });
    app.simulator.failNext('answerCall', { applied: true, ...fault });
    const placed = app.simulator.placeCall({ order: 'events-first', faults: { token: 'expired' } });
    assert.equal((await placed.until('announced', ({ what }) => what === 'call')).status, 503);
    const { reason } = await app.log.until('call ended');
    assert.equal(reason, 'ACS gave no sign of an answer');
    assert.equal(app.callgate.size, 0);
    const { body } = await placed.until('request', ({ operation }) => operation === 'answerCall');
    const tell = async (type: string) => {
      const { callbackUri } = body as { callbackUri: string };
      const authorization = `Bearer ${await app.simulator.token(300)}`;
      const { status } = await fetch(callbackUri, {
        method: 'POST',
        headers: { authorization, 'content-type': 'application/json' },
        body: JSON.stringify([placed.event(type)]),
      });
      assert.equal(status, 200);
    };
    return { app, placed, tell, caught };
  }

  const losses: [string, AnswerFault][] = [
    ['in silence', { delayMs: 3_600_000 }],
    ['by an answer without an id', { status: 200, body: {} }],
    ['by a 408', { status: 408, times: 9 }],
  ];
  for (const [what, fault] of losses) {
    it(`(${what}) is hung up if an event says so and no socket comes`, async (t) => {
      const { app, placed, tell } = await giveUp(t, fault, { calls: { limits: { socketMs: 200 } } });
      await tell('CallConnected');
      assert.equal((await placed.until('ended')).outcome, 'the app hung up');
      await app.callgate.stop(0);
      assert.deepEqual(asked(placed, 'terminate'), [204]);
    });
  }

  it('goes on as the call that was announced, if a socket comes after the event', async (t) => {
    const { app, placed, tell, caught } = await giveUp(t, { status: 200, body: {} });
    await tell('CallConnected');
    await app.log.until('ACS: CallConnected');
    assert.equal(app.callgate.size, 1);
    const headers = { authorization: `Bearer ${await app.simulator.token()}` };
    assert.equal((await placed.openMedia({ headers })).status, 101);
    const running = await caught.call;
    assert.deepEqual([running.from, app.callgate.size, caught.runs], ['+15550100', 1, 1]);
    await tell('CallConnected');
    await tell('CallDisconnected');
    await end(running);
    await app.callgate.stop(0);
    assert.deepEqual(asked(placed, 'terminate'), []);
  });

  it('goes on as that call, if a socket comes alone', async (t) => {
    const { app, placed, caught } = await giveUp(t, { status: 200, body: {} });
    const headers = { authorization: `Bearer ${await app.simulator.token()}` };
    assert.equal((await placed.openMedia({ headers })).status, 101);
    assert.equal((await caught.call).from, '+15550100');
  });

  it('is hung up at once if no slot is free any more', async (t) => {
    const env = { MAX_CALLS: '1' };
    const { app, placed, tell } = await giveUp(t, { status: 200, body: {} }, { env });
    const other = app.simulator.placeCall();
    await connected(other);
    await tell('CallConnected');
    assert.equal((await placed.until('ended')).outcome, 'the app hung up');
    assert.deepEqual([other.state, app.callgate.size], ['connected', 1]);
  });

  it('is over if an event says that: nothing is hung up, and no socket let in', async (t) => {
    const { app, placed, tell } = await giveUp(t, { status: 200, body: {} });
    await tell('CallDisconnected');
    await app.log.until('ACS: CallDisconnected');
    const headers = { authorization: `Bearer ${await app.simulator.token()}` };
    assert.equal((await placed.openMedia({ headers })).status, 403);
    await app.callgate.stop(0);
    assert.deepEqual(asked(placed, 'terminate'), []);
  });
});

describe('after a timeout', limits, () => {
  it('the socket adopts the call', async (t) => {
    const { handler, call } = catchCall();
    const app = await startApp(t, {
      handler,
      incoming: { answerMs: 1_000 },
      calls: { limits: { unsureMs: 3_000 } },
    });
    app.simulator.failNext('answerCall', { delayMs: 3_600_000, applied: true });
    const placed = app.simulator.placeCall({ order: 'media-first' });
    const running = await call;
    assert.equal(running.from, '+15550100', 'it is the call that was announced');
    await app.log.until('did not say in time');
    assert.equal(running.acs.callConnectionId, placed.callConnectionId, 'from the header');
    assert.equal(running.signal.aborted, false);
    assert.equal(app.callgate.size, 1);

    // Announced once more, and with its connection known.
    assert.equal((await app.announce(placed.announcement)).status, 200);
    assert.equal(asked(placed, 'answerCall').length, 1, 'nothing is answered twice');
    await running.hangUp();
    assert.deepEqual(asked(placed, 'terminate'), [204]);
  });

  it('the call that was adopted lives on, though a second attempt finds it taken', async (t) => {
    const { handler, call } = catchCall();
    const app = await startApp(t, { handler, incoming: { answerMs: 1_000 } });
    app.simulator.setFaults({ token: 'expired' }); // neither socket nor event gets in yet
    app.simulator.failNext('answerCall', { delayMs: 3_600_000, applied: true });
    const placed = app.simulator.placeCall({ order: 'events-first' });
    await placed.until('announced', ({ status }) => status === 503);

    app.simulator.setFaults({ token: null });
    app.simulator.failNext('answerCall', { status: 404, delayMs: 100 });
    const again = app.announce(placed.announcement);
    await placed.openMedia();
    assert.equal((await again).status, 200);
    const running = await call;
    assert.equal(running.signal.aborted, false);
    assert.equal(app.callgate.size, 1);
    assert.equal(placed.state, 'connected');
  });

  for (const status of [404, 401]) {
    it(`the call still waits for its socket when the next attempt is answered ${status}`, async (t) => {
      const { handler, call } = catchCall();
      const app = await startApp(t, { handler, incoming: { answerMs: 1_000 } });
      app.simulator.setFaults({ token: 'expired' });
      app.simulator.failNext('answerCall', { delayMs: 3_600_000, applied: true });
      const placed = app.simulator.placeCall({ order: 'events-first' });
      await placed.until('announced', (entry) => entry.status === 503);

      app.simulator.failNext('answerCall', { status });
      assert.equal((await app.announce(placed.announcement)).status, status === 404 ? 200 : 503);
      assert.equal(app.callgate.size, 1, 'one call, and it waits');
      app.simulator.setFaults({ token: null });
      assert.equal((await placed.openMedia()).status, 101);
      const running = await call;
      assert.equal(running.from, '+15550100');
      assert.equal(running.signal.aborted, false);
    });
  }

  it('a call that was adopted is not given up any more', async (t) => {
    const app = await startApp(t, {
      incoming: { answerMs: 1_000 },
      calls: { limits: { unsureMs: 2_000 } },
      config: { maxCallMs: 4_000 },
      simulator: { callbackRetryMs: [3_600_000] }, // the socket alone tells
    });
    app.simulator.setFaults({ token: 'expired' });
    app.simulator.failNext('answerCall', { delayMs: 3_600_000, applied: true });
    const placed = app.simulator.placeCall({ order: 'events-first' });
    await placed.until('announced', ({ status }) => status === 503);
    app.simulator.setFaults({ token: null });
    assert.equal((await placed.openMedia()).status, 101);
    assert.equal((await app.log.until('call ended')).reason, 'MAX_CALL_SECONDS are over');
  });

  it('CallConnected adopts the call, which is hung up if no socket comes', async (t) => {
    const app = await startApp(t, {
      incoming: { answerMs: 1_000 },
      calls: { limits: { socketMs: 300, unsureMs: 3_600_000 } },
      simulator: { callbackRetryMs: [3_600_000] },
    });
    app.simulator.setFaults({ token: 'expired' });
    app.simulator.failNext('answerCall', { delayMs: 3_600_000, applied: true });
    const placed = app.simulator.placeCall({ order: 'events-first' });
    await placed.until('event');
    await placed.until('announced', ({ status }) => status === 503);
    assert.equal(app.callgate.size, 1);
    app.simulator.setFaults({ token: null });
    await placed.post([placed.event('CallConnected')]);
    assert.equal((await placed.until('ended')).outcome, 'the app hung up');
    assert.equal((await app.log.until('call ended')).reason, 'no socket came in time after the answer');
    assert.deepEqual(asked(placed, 'terminate'), [204]);
  });

  it('a call without a sign is given up, and its slot is free', async (t) => {
    const app = await startApp(t, { incoming: { answerMs: 100 }, calls: { limits: { unsureMs: 100 } } });
    app.simulator.failNext('answerCall', { delayMs: 3_600_000, applied: false });
    const placed = app.simulator.placeCall();
    const line = await app.log.until('call ended');
    assert.equal(line.reason, 'ACS gave no sign of an answer');
    assert.equal(app.callgate.size, 0);
    assert.deepEqual(asked(placed, 'terminate'), []);
  });

  it('its next announcement goes on with the same call', async (t) => {
    const { handler, call } = catchCall();
    const app = await startApp(t, {
      handler,
      incoming: { answerMs: 1_000 },
      simulator: { eventGridRetryMs: [10] },
    });
    app.simulator.failNext('answerCall', { delayMs: 3_600_000, applied: false });
    const placed = app.simulator.placeCall();
    const running = await call;
    await placed.until('announced', ({ status }) => status === 200);
    assert.deepEqual(announced(placed), [503, 200]);
    const lines = app.log.lines.filter(({ msg }) => /did not say in time|call answered/.test(msg ?? ''));
    assert.deepEqual(
      lines.map((line) => line.call),
      [running.id, running.id],
    );
    assert.equal(app.callgate.size, 1);
  });

  it('a hang-up waits no longer for the id of the call than for ACS', async (t) => {
    const { handler, call } = catchCall();
    const app = await startApp(t, {
      handler,
      incoming: { answerMs: 1_000 },
      calls: { limits: { hangUpMs: 100 } },
      simulator: { callbackRetryMs: [3_600_000] },
    });
    app.simulator.setFaults({ token: 'expired' });
    app.simulator.failNext('answerCall', { delayMs: 3_600_000, applied: true });
    const placed = app.simulator.placeCall({ order: 'events-first' });
    await placed.until('announced', ({ status }) => status === 503);
    app.simulator.setFaults({ token: null });
    await placed.openMedia({ headers: { 'x-ms-call-connection-id': '' } });
    const running = await call;
    assert.equal(running.acs.callConnectionId, undefined);
    assert.equal(running.acs.connection, undefined);
    await running.hangUp();
    assert.equal(running.signal.aborted, true);
    assert.deepEqual(asked(placed, 'terminate'), []);

    await placed.post([placed.event('MediaStreamingStopped')]);
    assert.equal((await placed.until('ended')).outcome, 'the app hung up', 'as soon as an event says its id');
    assert.deepEqual(asked(placed, 'terminate'), [204]);
  });
});

describe('a call whose socket came before its answer', limits, () => {
  for (const fault of [{ status: 401 }, { status: 404 }, { status: 200, body: {} }]) {
    it(`lives on, though the answer says ${fault.status}`, async (t) => {
      const { handler, call } = catchCall();
      const app = await startApp(t, { handler });
      app.simulator.failNext('answerCall', { ...fault, applied: true });
      const placed = app.simulator.placeCall({ order: 'media-before-answer' });
      const running = await call;
      await placed.until('announced', ({ what }) => what === 'call');
      assert.equal((await app.announce(placed.announcement)).status, 200);
      assert.equal(asked(placed, 'answerCall').length, 1, 'it is not answered again');
      assert.equal(running.signal.aborted, false);
      assert.equal(app.callgate.size, 1);
      assert.equal(placed.state, 'connected');
    });
  }

  it('has its handler at work before the answer is known', async (t) => {
    const { handler, call } = catchCall();
    const app = await startApp(t, { handler });
    app.simulator.failNext('answerCall', { delayMs: 300 });
    const placed = app.simulator.placeCall({ order: 'media-before-answer' });
    await call;
    assert.equal(announced(placed).length, 0);
    await placed.until('announced', ({ status }) => status === 200);
  });
});

describe('a call that is answered', limits, () => {
  it('is asked for as the handler expects it', async (t) => {
    const { handler, call } = catchCall();
    const app = await startApp(t, { handler });
    const placed = app.simulator.placeCall();
    const running = await call;
    await connected(placed);
    const { body } = await placed.until('request', ({ operation }) => operation === 'answerCall');
    const { mediaStreamingOptions, callbackUri, incomingCallContext } = body as {
      mediaStreamingOptions: Record<string, unknown>;
      callbackUri: string;
      incomingCallContext: string;
    };
    const { transportUrl, ...media } = mediaStreamingOptions;
    assert.deepEqual(media, {
      transportType: 'websocket',
      contentType: 'audio',
      audioChannelType: 'mixed',
      audioFormat: 'Pcm24KMono',
      startMediaStreaming: true,
      enableBidirectional: true,
      enableDtmfTones: true,
    });
    assert.equal(incomingCallContext, placed.incomingCallContext);
    assert.match(String(transportUrl), new RegExp(`^${app.url.replace('http', 'ws')}/ws/[\\w-]{72}$`));
    assert.match(callbackUri, new RegExp(`^${app.url}/api/callbacks/[\\w-]{72}$`));
    assert.deepEqual(running.format, { encoding: 'PCM', sampleRate: 24_000, channels: 1 });
    assert.deepEqual(
      [running.acs.callConnectionId, running.acs.correlationId, running.acs.serverCallId],
      [placed.callConnectionId, placed.correlationId, placed.serverCallId],
    );
    placed.hangUp();
    await end(running);
  });
});
