import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { describe, it, type TestContext } from 'node:test';
import { exitOf, start, startBesideAcs, startBesideIssuer } from './support/process.ts';

/** The app with a call on it. */
async function startCall(t: TestContext, env: Record<string, string>) {
  const app = await startBesideAcs(t, env);
  const call = app.simulator.placeCall();
  await call.until('upgrade', ({ status }) => status === 101);
  return { ...app, call };
}

describe('the start', () => {
  it('without configuration says what is missing and exits 78', async (t) => {
    const { child } = start(t, {});
    const [text] = await Promise.all([child.stderr.toArray(), exitOf(child)]);
    assert.equal(child.exitCode, 78);
    assert.match(Buffer.concat(text).toString(), /ACS_AUDIENCE is missing: .* for example/);
  });

  it('on a port in use says so and exits 1', async (t) => {
    const { port } = await startBesideIssuer(t);
    const { child, said } = start(t, {
      ACS_AUDIENCE: '8d0f5c3e-4a53-4c1b-9c8e-0f1a2b3c4d5e',
      PORT: String(port),
    });
    const line = await said('cannot listen');
    assert.match(JSON.stringify(line.error), /EADDRINUSE/);
    assert.equal(await exitOf(child), 1);
  });
});

describe('SIGTERM', () => {
  it('without calls ends the process at once, with 0, and each step is an event', async (t) => {
    const { child, said, lines } = await startBesideIssuer(t, { MAX_CALLS: '7', DRAIN_SECONDS: '9' });
    child.kill('SIGTERM');
    await said('stopped');
    assert.equal(await exitOf(child), 0);
    const told = lines.filter(({ event }) => event !== undefined);
    assert.deepEqual(
      told.map(({ event }) => event),
      ['callgate.started', 'keys.fetched', 'callgate.ready', 'callgate.stopping', 'callgate.stopped'],
    );
    const [started, fetched, ready, stopping, stopped] = told;
    const { version } = JSON.parse(await readFile('package.json', 'utf8'));
    assert.partialDeepStrictEqual(started, {
      ...{ version, nodeVersion: process.version, callBinding: 'optional', wsRefuse: 'http' },
      ...{ maxCalls: 7, maxCallSeconds: 7200, idleCallSeconds: 60, drainSeconds: 9 },
    });
    assert.partialDeepStrictEqual(fetched, { keys: 1, ignored: 0 });
    assert.partialDeepStrictEqual(stopping, { signal: 'SIGTERM', calls: 0 });
    const durations = [fetched?.fetchMs, ready?.readyMs, stopped?.stoppingMs];
    assert.ok(durations.every(Number.isFinite), String(durations));
  });

  it('lets a running call go on, and nobody new in', async (t) => {
    const { child, port, said, open } = await startBesideIssuer(t);
    const socket = await open();
    child.kill('SIGTERM');
    await said('stopping');
    assert.equal((await fetch(`http://127.0.0.1:${port}/readyz`)).status, 503);
    assert.equal((await fetch(`http://127.0.0.1:${port}/healthz`)).status, 200);
    await assert.rejects(open, /503/);

    const audio = { kind: 'AudioData', audioData: { timestamp: '', data: 'AAAA', silent: false } };
    socket.send(JSON.stringify(audio));
    const [echo] = await once(socket, 'message');
    assert.match(String(echo), /AAAA/);
    socket.close();
    assert.equal(await exitOf(child), 0, 'it ends with the last call');
  });

  it('closes what is left with 1001 after DRAIN_SECONDS', async (t) => {
    const { child, open } = await startBesideIssuer(t, { DRAIN_SECONDS: '1' });
    const socket = await open();
    child.kill('SIGTERM');
    const [code] = await once(socket, 'close');
    assert.equal(code, 1001);
    assert.equal(await exitOf(child), 0);
  });

  it('ends with 0 whatever a peer sends to the last', async (t) => {
    const { child, open } = await startBesideIssuer(t, { DRAIN_SECONDS: '0' });
    const socket = await open();
    const closing = once(socket, 'close');
    // The raw socket under ws: after the app's close frame, in place of an answer to it, a frame that is not masked.
    const raw: Socket = Reflect.get(socket, '_socket');
    raw.removeAllListeners('data');
    raw.once('data', () => raw.write(Buffer.from([0x81, 0x02, 0x41, 0x41])));
    child.kill('SIGTERM');
    await closing;
    assert.equal(await exitOf(child), 0);
  });

  it('waits for calls also where DRAIN_SECONDS is more than a timer can take', async (t) => {
    const { child, said, open } = await startBesideIssuer(t, { DRAIN_SECONDS: '2147484' });
    const socket = await open();
    child.kill('SIGTERM');
    await said('stopping');
    const audio = { kind: 'AudioData', audioData: { timestamp: '', data: 'AAAA', silent: false } };
    socket.send(JSON.stringify(audio));
    await once(socket, 'message');
    socket.close();
    assert.equal(await exitOf(child), 0);
  });

  it('a second time ends the process at once, with 1', async (t) => {
    const { child, said, open } = await startBesideIssuer(t);
    const socket = await open();
    socket.on('error', () => {});
    child.kill('SIGTERM');
    await said('stopping');
    child.kill('SIGTERM');
    assert.equal(await exitOf(child), 1);
  });

  it('hangs up the calls that it cuts off', async (t) => {
    const { child, call } = await startCall(t, { DRAIN_SECONDS: '0' });
    child.kill('SIGTERM');
    const { status } = await call.until('request', ({ operation }) => operation === 'terminate');
    assert.equal(status, 204);
    assert.equal(await exitOf(child), 0);
  });
});

describe('an error that nobody handles', () => {
  it('is logged, and ends the process with 1 and its calls with a hang-up', async (t) => {
    const { child, said, call } = await startCall(t, {
      NODE_OPTIONS: '--import=./test/support/fail-on-sigusr2.ts',
    });
    child.kill('SIGUSR2');
    const line = await said('an error that nobody handled');
    assert.partialDeepStrictEqual(line, { level: 'fatal', event: 'callgate.crashed', type: 'Error' });
    await call.until('request', ({ operation, status }) => operation === 'terminate' && status === 204);
    assert.equal(await exitOf(child), 1);
  });
});
