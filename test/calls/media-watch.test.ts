import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { createIdentity } from '../../src/calls/identity.ts';
import { createMediaWatch } from '../../src/calls/media-watch.ts';
import { createLog } from '../../src/log.ts';
import { noTelemetry } from '../../src/telemetry/telemetry.ts';

/** The watch of a call, on timers that the test moves. */
function startWatch(t: TestContext) {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const reasons: string[] = [];
  const watch = createMediaWatch({
    client: undefined,
    identity: createIdentity('call', createLog('silent'), noTelemetry.within),
    limits: { idleMs: 60_000, askAgainMs: 1_000, successorMs: 5_000 },
    signal: new AbortController().signal,
    end: ({ reason }) => reasons.push(reason),
  });
  return { watch, reasons, tick: (ms: number) => t.mock.timers.tick(ms) };
}

const idle = ['nothing came for IDLE_CALL_SECONDS'];

describe('a call whose media was stopped on purpose', () => {
  it('ends when nothing came for too long, though its socket is still there', (t) => {
    const { watch, reasons, tick } = startWatch(t);
    watch.connected();
    watch.stopped();
    tick(59_999);
    assert.deepEqual(reasons, []);
    tick(1);
    assert.deepEqual(reasons, idle);
  });

  it('goes on as long as frames come, and for good once media has started again', (t) => {
    const { watch, reasons, tick } = startWatch(t);
    watch.connected();
    watch.stopped();
    for (let i = 0; i < 3; i += 1) {
      tick(40_000);
      watch.heard();
    }
    watch.started();
    tick(120_000);
    assert.deepEqual(reasons, []);
  });

  it('is not given up when its socket goes then', (t) => {
    const { watch, reasons, tick } = startWatch(t);
    watch.connected();
    watch.stopped();
    watch.dropped();
    tick(5_000);
    assert.deepEqual(reasons, []);
    tick(55_000);
    assert.deepEqual(reasons, idle);
  });
});
