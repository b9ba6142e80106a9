// Sockets that drop in the midst of a call, with the app's own patience: others in test/calls are short of it.

import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import type { CallOptions } from '../../simulator/calls/handle.ts';
import { startBesideAcs } from '../support/process.ts';

/** A call that has been heard, and whose socket can be dropped. */
async function startCall(t: TestContext, options: CallOptions = { seconds: 6 }) {
  const app = await startBesideAcs(t);
  const call = app.simulator.placeCall(options);
  await call.until('event', ({ event }) => event === 'MediaStreamingStarted');
  await app.said('the first audio went out');
  const drop = () => call.stream?.socket?.drop();
  /** When a line of this event was written, in milliseconds. */
  const timeOf = (name: string) => Date.parse(String(app.lines.find(({ event }) => event === name)?.time));
  return { ...app, call, drop, timeOf };
}

describe('a socket that drops mid-call', { concurrency: true, timeout: 120_000 }, () => {
  it('is asked for again, and its successor goes on with the same call', async (t) => {
    const { call, drop, lines, said } = await startCall(t);
    drop();
    const { outcome, media, operations } = await call.ended;
    assert.deepEqual([outcome, operations], ['the caller hung up', ['answerCall', 'startMediaStreaming']]);
    assert.ok(media);
    assert.deepEqual([media.lost, media.foreign, media.repeated], [0, 0, 0]);
    const { call: id } = await said('call ended');
    const connected = lines.filter(({ event }) => event === 'call.media_connected');
    assert.deepEqual(
      connected.map((line) => line.call),
      [id, id],
    );
  });

  it('is replaced by one that comes by itself, after the app has asked in vain', async (t) => {
    const { simulator, call, drop, said } = await startCall(t);
    simulator.failNext('startMediaStreaming', { status: 400 });
    drop();
    await said('asked for media again, in vain');
    assert.equal((await call.openMedia()).status, 101);
    const { outcome, media, operations } = await call.ended;
    assert.deepEqual([outcome, media?.lost], ['the caller hung up', 0]);
    assert.ok(!operations.includes('terminate'));
  });

  it('and has no successor within 5 s is given up: the call is hung up', async (t) => {
    const { simulator, call, drop, said, timeOf } = await startCall(t, {});
    simulator.failNext('startMediaStreaming', { status: 400 });
    drop();
    assert.equal((await said('call ended')).reason, 'the socket dropped and no other came');
    assert.equal((await call.ended).outcome, 'the app hung up');
    const patienceMs = timeOf('call.ended') - timeOf('call.media_disconnected');
    assert.ok(patienceMs > 4_900, `after ${patienceMs} ms`);
  });
});
