// What the log of calls says, and what it never does.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { SimulatedCall } from '../../simulator/calls/handle.ts';
import { type App, catchCall, end, startApp } from '../support/app.ts';

const limits = { concurrency: true, timeout: 120_000 };

/** What the app was told and must keep to itself, as the simulator saw it go by. */
async function secretsOf({ simulator }: App, placed: SimulatedCall): Promise<Record<string, string>> {
  const { body } = await placed.until('request', ({ operation }) => operation === 'answerCall');
  const { callbackUri, mediaStreamingOptions } = body as {
    callbackUri: string;
    mediaStreamingOptions: { transportUrl: string };
  };
  return {
    context: placed.incomingCallContext.slice(0, 40),
    media: mediaStreamingOptions.transportUrl.split('/').at(-1) ?? '',
    events: callbackUri.split('/').at(-1) ?? '',
    eventGridKey: simulator.eventGridKey,
    accessKey: simulator.connectionString.split('accesskey=')[1] ?? '',
    caller: '5550123',
    called: '5550145',
    target: '5550167',
  };
}

function assertKept(text: string, secrets: Record<string, string>) {
  for (const [name, secret] of Object.entries(secrets)) {
    assert.ok(secret.length > 5, name);
    assert.ok(!text.includes(secret), `${name} is in the log`);
  }
  assert.doesNotMatch(text, /eyJ[\w-]{10}/, 'a token is in the log');
}

describe('the log', limits, () => {
  it('of a call that does everything holds nothing that is secret or personal', async (t) => {
    const spoken = 'a word said in confidence';
    const { handler, call } = catchCall((running) => {
      running.on('audio', (frame) => {
        running.send(frame);
      });
      running.on('dtmf', () => {});
    });
    const app = await startApp(t, { handler, simulator: { keyMs: 1 } });
    const placed = app.simulator.placeCall({ from: '+15550123', to: '+15550145', transfer: 'failed' });
    const running = await call;
    await placed.until('event', ({ event }) => event === 'MediaStreamingStarted');
    const keys = '0192837465#0192837465';
    const pressed: string[] = [];
    const typed = Promise.withResolvers<void>();
    running.on('dtmf', (key) => {
      pressed.push(key);
      if (pressed.length === keys.length) typed.resolve();
    });
    await placed.press(keys);
    await typed.promise;
    const { socket } = placed.stream ?? {};
    socket?.send(JSON.stringify({ kind: 'TranscriptionData', transcriptionData: { text: spoken } }));
    socket?.send(`{"kind":"TranscriptionData","transcriptionData":{"words":"${spoken}"}}`);
    socket?.send(`nonsense ${spoken}`);
    await app.log.until('malformed message');
    await assert.rejects(running.transfer('+15550167'));
    await placed.post([
      placed.event('RecognizeCompleted', { dtmfResult: { tones: [spoken] }, operationContext: '+15550167' }),
      placed.event('PlayFailed', { resultInformation: { code: 400, subCode: 1, message: '+15550123' } }),
      { id: spoken, type: 'x' },
      placed.event('CallConnected', { callConnectionId: 'another', participants: ['+15550123'] }),
    ]);
    await placed.openMedia();
    app.simulator.failNext('terminate', { status: 400 });
    await running.hangUp();
    await placed.openMedia(); // refused: the call has ended
    await app.log.until('the hang-up failed');
    const secrets = await secretsOf(app, placed);
    assertKept(app.log.text, { ...secrets, spoken, pressed: keys.slice(0, 10) });
    assert.match(app.log.text, new RegExp(placed.callConnectionId), 'the ids of the call are there');
  });

  it('of refusals and failures holds nothing of the kind either', async (t) => {
    const app = await startApp(t, { env: { MAX_CALLS: '1' }, incoming: { answerMs: 5_000 } });
    app.simulator.failNext('answerCall', { status: 401 });
    const placed = app.simulator.placeCall({ from: '+15550123', to: '+15550145', announce: false });
    assert.equal((await app.announce(placed.announcement)).status, 503);
    assert.equal((await app.announce(placed.announcement)).status, 200);
    assert.equal(
      (await app.announce(placed.announcement, { 'x-event-grid-key': 'wrong-key-1' })).status,
      401,
    );
    const busy = app.simulator.placeCall({ from: '+15550123', announce: false });
    await app.announce(busy.announcement);
    await app.log.until('rejected as busy');
    app.simulator.failNext('rejectCall', { status: 404 });
    await app.announce(app.simulator.placeCall({ from: '+15550123', announce: false }).announcement);
    await app.log.until('rings out');
    app.simulator.setFaults({ token: 'wrong-audience' });
    await placed.openMedia();
    app.simulator.setFaults({ token: null });
    await app.log.until('for another audience');
    await app.announce('{"incomingCallContext": "secret-of-a-broken-body"');
    const secrets = await secretsOf(app, placed);
    assertKept(app.log.text, {
      ...secrets,
      busy: busy.incomingCallContext.slice(0, 40),
      wrong: 'wrong-key-1',
      broken: 'secret-of-a-broken-body',
    });
  });

  it('of a handler that fails shows its error, but not what an error of the SDK holds', async (t) => {
    const { handler, call } = catchCall(async (running) => {
      await running.acs.connection?.transferCallToParticipant({ phoneNumber: '+15550167' });
    });
    const app = await startApp(t, { handler });
    app.simulator.failNext('transferToParticipant', {
      status: 400,
      body: { error: { code: 'BadRequest', message: 'no such number: +15550167' } },
    });
    const placed = app.simulator.placeCall({ from: '+15550123', to: '+15550145' });
    await end(await call);
    await app.log.until('the handler failed');
    assertKept(app.log.text, await secretsOf(app, placed));
  });

  it('has the ids of its call in each of a call’s lines', async (t) => {
    const { handler, call } = catchCall();
    const app = await startApp(t, { handler });
    const placed = app.simulator.placeCall();
    const running = await call;
    await placed.until('event', ({ event }) => event === 'MediaStreamingStarted');
    placed.hangUp();
    await end(running);
    const lines = app.log.lines.filter(({ msg }) => /media connected|ACS: |call ended/.test(msg ?? ''));
    assert.ok(lines.length >= 3);
    for (const line of lines) {
      assert.deepEqual(
        [line.call, line.callConnectionId, line.correlationId],
        [running.id, placed.callConnectionId, placed.correlationId],
      );
    }
    const ended = app.log.lines.find(({ msg }) => msg === 'call ended');
    assert.equal(ended?.reason, 'CallDisconnected');
    assert.equal(typeof ended?.framesIn, 'number');
  });
});
