// CALL_BINDING=optional: sockets and events of calls that another app answered, and told to come here.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, it, type TestContext } from 'node:test';
import { WebSocket } from 'ws';
import type { Call, Handler } from '../../src/calls/call.ts';
import { type App, catchCall, end, startApp } from '../support/app.ts';

const limits = { concurrency: true, timeout: 120_000 };

const optional = { CALL_BINDING: 'optional' };

/** A socket without a binding, as of a call that ACS has this id for. */
async function openSocket(t: TestContext, { url, simulator }: App, callConnectionId?: string) {
  const socket = new WebSocket(`${url.replace('http', 'ws')}/ws`, {
    headers: {
      authorization: `Bearer ${await simulator.token()}`,
      ...(callConnectionId !== undefined && { 'x-ms-call-connection-id': callConnectionId }),
    },
  });
  t.after(() => socket.terminate());
  await once(socket, 'open');
  return socket;
}

async function postEvent({ url, simulator }: App, type: string, callConnectionId: string) {
  const response = await fetch(`${url}/api/callbacks`, {
    method: 'POST',
    headers: { authorization: `Bearer ${await simulator.token(300)}`, 'content-type': 'application/json' },
    body: JSON.stringify([
      { id: crypto.randomUUID(), type: `Microsoft.Communication.${type}`, data: { callConnectionId } },
    ]),
  });
  return response.status;
}

/** A handler that hands over its calls one by one. */
function collectCalls(): { handler: Handler; calls: Call[]; next: () => Promise<Call> } {
  const calls: Call[] = [];
  const waiting: ((call: Call) => void)[] = [];
  let handedOut = 0;
  return {
    calls,
    handler(call) {
      calls.push(call);
      waiting.shift()?.(call);
    },
    next() {
      const call = calls[handedOut++];
      if (call) return Promise.resolve(call);
      const { promise, resolve } = Promise.withResolvers<Call>();
      waiting.push(resolve);
      return promise;
    },
  };
}

describe('a socket without a binding', limits, () => {
  it('is a call of its own, whatever its headers say: nobody takes over', async (t) => {
    const { handler, next } = collectCalls();
    const app = await startApp(t, { handler, env: optional });
    const first = await openSocket(t, app, 'the-same');
    const one = await next();
    const second = await openSocket(t, app, 'the-same');
    const two = await next();
    assert.notEqual(one.id, two.id);
    assert.equal(app.callgate.size, 2);
    assert.deepEqual([one.from, one.to, one.acs.connection], [undefined, undefined, undefined]);
    assert.equal(one.acs.callConnectionId, 'the-same', 'unverified, from the header');
    assert.deepEqual([first.readyState, second.readyState], [WebSocket.OPEN, WebSocket.OPEN]);
  });

  it('ends its call when it closes, and nothing is hung up', async (t) => {
    const { handler, call } = catchCall();
    const app = await startApp(t, { handler, env: optional });
    const socket = await openSocket(t, app, 'some');
    const running = await call;
    socket.terminate();
    await end(running);
    assert.equal(app.callgate.size, 0);
    await app.callgate.stop(0);
    assert.deepEqual(
      app.simulator.journal.entries.filter(({ type }) => type === 'request'),
      [],
    );
  });

  it('is closed by hangUp, and transfer rejects', async (t) => {
    const { handler, call } = catchCall();
    const app = await startApp(t, { handler, env: optional });
    const socket = await openSocket(t, app, 'some');
    const running = await call;
    await assert.rejects(running.transfer('+15550177'), /that this app answered/);
    const closed = once(socket, 'close');
    await running.hangUp();
    assert.equal((await closed)[0], 1000);
    await app.callgate.stop(0);
    assert.deepEqual(
      app.simulator.journal.entries.filter(({ type }) => type === 'request'),
      [],
    );
  });

  it('cannot end the bound call whose id it names', async (t) => {
    const { handler, next } = collectCalls();
    const app = await startApp(t, { handler, env: optional });
    const placed = app.simulator.placeCall();
    const bound = await next();
    await placed.until('event', ({ event }) => event === 'MediaStreamingStarted');
    const socket = await openSocket(t, app, placed.callConnectionId);
    const stray = await next();
    assert.notEqual(stray, bound);
    socket.send('x');
    await stray.hangUp();
    assert.equal(bound.signal.aborted, false);
    assert.equal(placed.state, 'connected');
  });

  it('is closed as going away when the process stops', async (t) => {
    const app = await startApp(t, { env: optional });
    const socket = await openSocket(t, app);
    const closed = once(socket, 'close');
    await app.callgate.stop(0);
    assert.equal((await closed)[0], 1001);
  });
});

describe('an event without a binding', limits, () => {
  it('reaches the unbound calls that it names, and no bound one', async (t) => {
    const { handler, next } = collectCalls();
    const app = await startApp(t, { handler, env: optional });
    const placed = app.simulator.placeCall();
    const bound = await next();
    await placed.until('event', ({ event }) => event === 'MediaStreamingStarted');
    await openSocket(t, app, placed.callConnectionId);
    const unbound = await next();
    await openSocket(t, app, 'another');
    const other = await next();

    const seen: string[] = [];
    for (const [name, call] of Object.entries({ bound, unbound, other })) {
      call.on('event', ({ type }) => {
        seen.push(`${name} ${type}`);
      });
    }
    assert.equal(await postEvent(app, 'PlayCompleted', placed.callConnectionId), 200);
    assert.deepEqual(seen, ['unbound PlayCompleted']);
    assert.equal(await postEvent(app, 'CallDisconnected', placed.callConnectionId), 200);
    assert.equal(unbound.signal.aborted, true);
    assert.equal(bound.signal.aborted, false);
    assert.equal(other.signal.aborted, false);
    assert.equal(app.callgate.size, 2);
  });

  it('of an unknown call makes no state', async (t) => {
    const app = await startApp(t, { env: optional });
    assert.equal(await postEvent(app, 'CallConnected', 'nobody'), 200);
    assert.equal(app.callgate.size, 0);
  });

  it('is refused where bindings are required, and so is the socket', async (t) => {
    const app = await startApp(t);
    assert.equal(await postEvent(app, 'CallConnected', 'nobody'), 403);
    await assert.rejects(openSocket(t, app), /403/);
  });
});

describe('a binding', limits, () => {
  it('must hold where it is present, though none is needed', async (t) => {
    const app = await startApp(t, { env: optional });
    const headers = { authorization: `Bearer ${await app.simulator.token()}` };
    const socket = new WebSocket(`${app.url.replace('http', 'ws')}/ws/${'A'.repeat(72)}`, { headers });
    t.after(() => socket.terminate());
    const [error] = await once(socket, 'error');
    assert.match(String(error), /403/);
    const posted = await fetch(`${app.url}/api/callbacks/${'A'.repeat(72)}`, { method: 'POST', headers });
    assert.equal(posted.status, 403);
  });
});
