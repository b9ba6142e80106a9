import assert from 'node:assert/strict';
import fc from 'fast-check';
import {
  callIdsOf,
  countedType,
  eventsOf,
  parseAnnouncement,
  parseCallEvent,
  parseIncomingCall,
  validationCode,
} from '../../src/calls/events.ts';
import { anyJson, anyText, asJson, maybe, nearly } from './arbitraries.ts';

const prefix = 'Microsoft.Communication.';
const word = fc.string({
  unit: fc.constantFrom(...'abcXYZ019_.'),
  minLength: 1,
  maxLength: 30,
});
const type = fc.oneof(
  fc.constantFrom('CallConnected', 'CallDisconnected', 'MediaStreamingFailed', ''),
  word,
  anyText,
);
const id = fc.oneof(fc.uuid(), fc.string({ minLength: 1, maxLength: 1100 }));

const anyCallEvent = nearly({
  id,
  type: fc.tuple(fc.constantFrom('', prefix), type).map((parts) => parts.join('')),
  source: anyText,
  data: nearly({
    callConnectionId: id,
    serverCallId: id,
    correlationId: id,
    operationContext: anyText,
    resultInformation: nearly({ code: fc.nat(), subCode: fc.nat(), message: anyText }),
  }),
});

const goodId = fc.string({ minLength: 1, maxLength: 1024 });
const goodCallEvent = fc.record({
  id: goodId,
  type: word.map((name) => prefix + name),
  time: anyJson,
  data: fc.record({
    callConnectionId: goodId,
    serverCallId: maybe(goodId),
    correlationId: maybe(goodId),
    operationContext: maybe(anyText),
    more: anyJson,
  }),
});

const party = nearly({ rawId: anyText, phoneNumber: nearly({ value: anyText }) });
const incomingCall = {
  incomingCallContext: fc.string({ maxLength: 2 }),
  serverCallId: id,
  correlationId: id,
  from: party,
  to: party,
};
const names = fc.constantFrom(
  `${prefix}IncomingCall`,
  'Microsoft.EventGrid.SubscriptionValidationEvent',
  'Something.Else',
);
const data = fc.oneof(nearly(incomingCall), nearly({ validationCode: anyText }), anyJson);
const anyAnnouncement = fc.oneof(
  nearly({ eventType: names, data, id, topic: anyText }),
  nearly({ type: names, data, id, specversion: fc.constant('1.0') }),
  anyJson,
);

/** What was read is as plain as what was sent: no member has become its prototype. */
function assertPlain(value: object) {
  assert.equal(Object.getPrototypeOf(value), Object.prototype);
}

const isId = (value: unknown) => typeof value === 'string' && value.length >= 1 && value.length <= 1024;

export const eventProperties = {
  'anything in a callback is an event with a name and a call, or none': fc.property(
    fc.oneof(anyCallEvent, anyJson),
    (value) => {
      const event = parseCallEvent(value);
      if (!event) return;
      assertPlain(event);
      assertPlain(event.data);
      assert.match(event.type, /^[\w.]{1,256}$/);
      assert.ok(isId(event.id) && isId(event.data.callConnectionId));
      for (const known of Object.values(callIdsOf(event))) assert.ok(known === undefined || isId(known));
      assert.match(countedType(event), /^\w+$/);
    },
  ),

  'an event is read as it says': fc.property(goodCallEvent, (sent) => {
    const event = parseCallEvent(asJson(sent));
    assert.ok(event);
    assert.equal(event.id, sent.id);
    assert.equal(event.type, sent.type.slice(prefix.length));
    assert.deepEqual(event.data.more, sent.data.more);
    assert.deepEqual(callIdsOf(event), {
      callConnectionId: sent.data.callConnectionId,
      correlationId: sent.data.correlationId ?? undefined,
      serverCallId: sent.data.serverCallId ?? undefined,
    });
  }),

  'nonsense in the optional parts of an event costs only itself': fc.property(
    goodCallEvent,
    anyJson,
    fc.constantFrom('serverCallId', 'correlationId', 'operationContext', 'resultInformation'),
    (sent, nonsense, name) => {
      const spoiled = { ...sent, data: { ...sent.data, [name]: nonsense } };
      const event = parseCallEvent(asJson(spoiled));
      assert.equal(event?.data.callConnectionId, sent.data.callConnectionId);
    },
  ),

  'anything in a delivery of Event Grid has a type, or is no event': fc.property(anyAnnouncement, (value) => {
    const announcement = parseAnnouncement(value);
    const code = validationCode(announcement);
    assert.ok(code === undefined || isId(code));
    if (!announcement) return;
    assert.equal(typeof announcement.type, 'string');
    const call = parseIncomingCall(announcement.data);
    if (!call) return;
    assertPlain(call);
    assert.ok(call.incomingCallContext.length > 0);
    for (const known of [call.serverCallId, call.correlationId]) assert.ok(known == null || isId(known));
    for (const who of [call.from, call.to]) {
      assert.ok(who?.rawId == null || typeof who.rawId === 'string');
      assert.ok(who?.phoneNumber == null || typeof who.phoneNumber.value === 'string');
    }
  }),

  'a call is announced alike in both schemas, whatever stands beside': fc.property(
    names,
    data,
    nearly({ id, subject: anyText }),
    (name, said, more) => {
      const [grid, cloud] = [{ eventType: name }, { type: name, specversion: '1.0' }].map((member) =>
        parseAnnouncement(asJson({ ...more, ...member, data: said })),
      );
      assert.deepEqual(grid, { type: name, data: said });
      assert.deepEqual(cloud, grid);
    },
  ),

  'a call with a context is announced, whatever else it says': fc.property(
    fc.string({ minLength: 1 }),
    nearly(incomingCall),
    (incomingCallContext, more) => {
      const call = parseIncomingCall({ ...more, incomingCallContext });
      assert.equal(call?.incomingCallContext, incomingCallContext);
    },
  ),

  'a body is its elements, or one': fc.property(fc.oneof(fc.array(anyJson), anyJson), (body) => {
    assert.deepEqual(eventsOf(body), [body].flat());
  }),
};
