import assert from 'node:assert/strict';
import fc from 'fast-check';
import { createBindings } from '../../src/auth/binding.ts';
import { createCalls } from '../../src/calls/calls.ts';
import { endings } from '../../src/calls/endings.ts';
import { parseCallEvent } from '../../src/calls/events.ts';
import { createLog } from '../../src/log.ts';

const ending = [
  'CallDisconnected',
  'AnswerFailed',
  'ConnectFailed',
  'CreateCallFailed',
  'MediaStreamingFailed',
];
const others = [
  'CallConnected',
  'MediaStreamingStarted',
  'MediaStreamingStopped',
  'CallTransferAccepted',
  'CallTransferFailed',
  'NewInTheNextVersion',
];

/** What ACS may deliver to the binding of a call, its own or another's, once or more than once. */
const delivery = fc.record({
  type: fc.oneof({ weight: 4, arbitrary: fc.constantFrom(...others) }, fc.constantFrom(...ending)),
  id: fc.nat(8).map(String),
  callConnectionId: fc.oneof(
    { weight: 4, arbitrary: fc.constant('this call') },
    fc.constantFrom('another', '__proto__'),
  ),
  to: fc.oneof({ weight: 4, arbitrary: fc.constant('its binding') }, fc.constantFrom('another', 'none')),
});

function startCall() {
  const bindings = createBindings({ keys: ['a signing key of 32 characters ..'] });
  const calls = createCalls({
    handler: () => {},
    client: undefined,
    maxCalls: 2,
    maxCallMs: 3_600_000,
    idleMs: 60_000,
    log: createLog('silent'),
  });
  const binding = bindings.issue();
  const call = calls.claim(binding, {});
  assert.ok(call);
  const said = { 'its binding': binding, another: bindings.issue(), none: undefined };
  return { calls, call, said };
}

export const callProperties = {
  'events in any order, again and of other calls: the first that ends the call does, and each counts once':
    fc.property(fc.array(delivery, { maxLength: 30 }), fc.boolean(), (deliveries, isAnswered) => {
      const { calls, call, said } = startCall();
      if (isAnswered) call.answered({ callConnectionId: 'this call', ...noMore });
      let known = isAnswered ? 'this call' : undefined;
      const seen = new Set<string>();
      let duplicates = 0;
      let isRunning = true;
      try {
        for (const { type, id, callConnectionId, to } of deliveries) {
          const event = parseCallEvent({ id, type, data: { callConnectionId } });
          assert.ok(event);
          calls.deliver(event, said[to as keyof typeof said]);
          const isMine = to === 'its binding' && (known ?? callConnectionId) === callConnectionId;
          if (isRunning && isMine) {
            // Until the answer says which call it is, the first event does.
            known = callConnectionId;
            if (seen.has(id)) duplicates += 1;
            else if (ending.includes(type)) isRunning = false;
            seen.add(id);
          }
          assert.equal(calls.size, isRunning ? 1 : 0);
        }
        assert.equal(calls.stats.totals.duplicates, duplicates);
      } finally {
        call.end(endings.disconnected);
      }
      assert.equal(calls.size, 0);
    }),
};

const noMore = { correlationId: undefined, serverCallId: undefined };
