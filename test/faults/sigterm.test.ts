// What fifty calls see of a process that is told to stop: the app as platforms run it, and its calls, from outside.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { SimulatedCall } from '../../simulator/calls/handle.ts';
import { createBindings } from '../../src/auth/binding.ts';
import { upgrade } from '../auth/gate-server.ts';
import { exitOf, startBesideAcs } from '../support/process.ts';
import { assertLostNothing } from './lossless.ts';

type Running = Awaited<ReturnType<typeof startBesideAcs>>;

const signingKey = 'k'.repeat(32);

/** Calls whose callers have been heard. */
async function placeCalls({ simulator }: Running, count: number, seconds?: number) {
  const calls = Array.from({ length: count }, () =>
    simulator.placeCall(seconds === undefined ? {} : { seconds }),
  );
  await Promise.all(calls.map(({ until }) => until('upgrade', ({ status }) => status === 101)));
  return calls;
}

/** Calls that are answered just now, and have no sockets before the app takes their first events: so far it can't. */
async function placeLateCalls({ simulator }: Running, count: number, seconds: number) {
  simulator.setFaults({ token: 'expired' });
  const calls = Array.from({ length: count }, () => simulator.placeCall({ seconds, order: 'events-first' }));
  await Promise.all(
    calls.map(({ until }) => until('announced', ({ what, status }) => what === 'call' && status === 200)),
  );
  await Promise.all(calls.map(({ until }) => until('event', ({ status }) => status === 401)));
  return calls;
}

/** Announces a call as Event Grid does. @returns the status of the answer */
async function announce({ url, simulator }: Running, { announcement }: SimulatedCall) {
  const headers = { 'content-type': 'application/json', 'x-event-grid-key': simulator.eventGridKey };
  const body = JSON.stringify(announcement);
  return (await fetch(`${url}/api/incoming-call`, { method: 'POST', headers, body })).status;
}

/** The socket of a call that another process has answered just now. @returns the status of the answer */
async function bringAnother({ url, simulator }: Running) {
  const path = `/ws/${createBindings({ keys: [signingKey] }).issue().media}`;
  const authorization = `Bearer ${await simulator.token()}`;
  return (await upgrade(Number(new URL(url).port), path, { authorization })).status;
}

describe('SIGTERM with 50 calls', { timeout: 120_000 }, () => {
  it('lets them end in their time with all of their frames, those just answered too, and takes no other', async (t) => {
    const app = await startBesideAcs(t, { CALL_SIGNING_KEY: signingKey });
    const { child, said, lines, url, simulator } = app;
    const running = await placeCalls(app, 48, 8);
    const late = await placeLateCalls(app, 2, 2);
    child.kill('SIGTERM');
    assert.equal((await said(/^stopping$/)).calls, 50);
    simulator.setFaults({ token: null });

    assert.equal((await fetch(`${url}/readyz`)).status, 503);
    assert.equal(await announce(app, simulator.placeCall({ announce: false })), 503);
    assert.equal(await bringAnother(app), 503);
    const [first] = running;
    assert.ok(first);
    assert.equal(await announce(app, first), 200, 'it is answered already');
    assert.equal((await first.post([first.event('ParticipantsUpdated')])).status, 200);

    for (const call of late) assert.equal((await call.until('upgrade')).status, 101);
    await Promise.all([...running, ...late].map(assertLostNothing));
    assert.equal(await exitOf(child), 0);
    const told = lines.filter(({ level, reason }) => level !== 'info' && reason !== 'expired');
    assert.deepEqual(
      told.map(({ reason }) => reason),
      ['draining', 'draining'],
      'the call and the socket that were turned away',
    );
  });

  it('hangs up those that are left at the deadline, each once, and closes them with 1001', async (t) => {
    const app = await startBesideAcs(t, { DRAIN_SECONDS: '1' });
    const calls = await placeCalls(app, 50);
    app.child.kill('SIGTERM');
    assert.equal(await exitOf(app.child), 0);
    for (const call of calls) {
      const { by, code } = await call.until('media-closed');
      assert.deepEqual([by, code], ['app', 1001]);
      const { outcome, operations, media } = call.report();
      assert.deepEqual([outcome, operations], ['the app hung up', ['answerCall', 'terminate']]);
      assert.deepEqual([media?.lost, media?.foreign], [0, 0]);
    }
  });

  it('comes again: it ends at once, with 1', async (t) => {
    const app = await startBesideAcs(t);
    const calls = await placeCalls(app, 50);
    app.child.kill('SIGTERM');
    await app.said(/^stopping$/);
    app.child.kill('SIGTERM');
    assert.equal(await exitOf(app.child), 1);
    for (const call of calls) {
      assert.equal((await call.until('media-closed')).code, 1006);
      assert.deepEqual(call.report().operations, ['answerCall'], 'there was no time for a hang-up');
    }
  });
});
