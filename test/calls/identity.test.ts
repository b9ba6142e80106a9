import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createIdentity } from '../../src/calls/identity.ts';
import { createLog } from '../../src/log.ts';
import { noTelemetry } from '../../src/telemetry/telemetry.ts';

const start = () => createIdentity('call', createLog('silent'), noTelemetry.within);
const known = (callConnectionId: string, correlationId?: string, serverCallId?: string) => ({
  callConnectionId,
  correlationId,
  serverCallId,
});

describe('the identity of a call', () => {
  it('is what its best source says: headers, then the announcement, events, and the answer', () => {
    const identity = start();
    identity.learn(known('by header', 'by header'), 'header');
    identity.learn({ correlationId: 'announced', serverCallId: 'announced' }, 'announcement');
    assert.deepEqual(identity.ids, known('by header', 'announced', 'announced'));
    identity.learn(known('by event', 'by event', 'by event'), 'event');
    assert.deepEqual(identity.ids, known('by event', 'by event', 'by event'));
    identity.learn(known('by answer', 'by answer', 'by answer'), 'answer');
    identity.learn(known('by event', 'by event', 'by event'), 'event');
    identity.learn(known('by header', 'by header', 'by header'), 'header');
    assert.deepEqual(identity.ids, known('by answer', 'by answer', 'by answer'));
  });

  it('keeps what a better source leaves open', () => {
    const identity = start();
    identity.learn({ correlationId: 'announced', serverCallId: 'announced' }, 'announcement');
    identity.learn(known('connection'), 'answer');
    assert.deepEqual(identity.ids, known('connection', 'announced', 'announced'));
    assert.deepEqual(
      { ...identity.tags },
      { call: 'call', callConnectionId: 'connection', correlationId: 'announced' },
    );
    assert.deepEqual(identity.log.bindings(), { ...identity.tags });
  });

  it('forgets what came with the id of another call, and believes nothing that comes with one', () => {
    const identity = start();
    identity.learn(known('mistaken', 'mistaken', 'mistaken'), 'header');
    identity.learn(known('connection'), 'event');
    assert.deepEqual(identity.ids, known('connection'));
    identity.learn(known('mistaken', 'mistaken', 'mistaken'), 'header');
    assert.deepEqual(identity.ids, known('connection'));
    identity.learn(known('connection', 'correlation'), 'header');
    assert.equal(identity.ids.correlationId, 'correlation');
  });

  it('goes by what is known when it is asked', () => {
    const seen: unknown[] = [];
    const identity = createIdentity('call', createLog('silent'), (tags, run) => {
      seen.push(tags);
      return run();
    });
    assert.equal(
      identity.within(() => 'done'),
      'done',
    );
    identity.learn({ correlationId: 'announced' }, 'announcement');
    assert.partialDeepStrictEqual(seen, [{ call: 'call', correlationId: 'announced' }]);
  });
});
