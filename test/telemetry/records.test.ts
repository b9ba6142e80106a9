import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { trace } from '@opentelemetry/api';
import type { LogRecord as Emitted } from '@opentelemetry/api-logs';
import { describeError } from '../../src/log.ts';
import { createBudget } from '../../src/telemetry/budget.ts';
import { createRecords } from '../../src/telemetry/records.ts';

const call = '0af7651916cd43dd8448eb211c80319c';

/** What becomes of a line of the log. @param burst how many events of calls there may be */
function recordsOf(line: Record<string, unknown>, burst = 1) {
  const emitted: Emitted[] = [];
  const ended: unknown[] = [];
  const records = createRecords({
    logger: { emit: (record) => void emitted.push(record), enabled: () => true },
    budget: createBudget({ burst, perSecond: 0 }),
    onCallEnd: ({ call }, time) => void ended.push([call, time]),
  });
  records.write(JSON.stringify({ time: '2026-01-02T03:04:05.678Z', msg: 'what happened', ...line }));
  return { emitted, ended, attributes: emitted.map(({ attributes }) => attributes) };
}

describe('a line of the log', () => {
  it('with an event is that event, with its own keys and no others', () => {
    const { emitted, attributes } = recordsOf({
      ...{ level: 'info', event: 'call.ended', reason: 'HungUp', lastedMs: 12.5, framesIn: 'many', call },
      ...{ correlationId: 'a', callConnectionId: 'b', serverCallId: 'c', from: '+15550100', error: {} },
    });
    assert.deepEqual(attributes, [
      {
        'microsoft.custom_event.name': 'call.ended',
        'microsoft.custom_measurements': '{"lastedMs":12.5}',
        ...{ reason: 'HungUp', call, callConnectionId: 'b', correlationId: 'a' },
      },
    ]);
    assert.equal(emitted[0]?.timestamp, Date.parse('2026-01-02T03:04:05.678Z'));
  });

  it('of a call is in the trace of the call', () => {
    const { emitted } = recordsOf({ level: 'info', event: 'call.announced', call });
    const { context } = emitted[0] ?? {};
    assert.equal(context && trace.getSpanContext(context)?.traceId, call);
  });

  it('whose call has no such id is in no trace of its making', () => {
    for (const id of [undefined, 'short', '0'.repeat(32), 7]) {
      assert.equal(
        recordsOf({ level: 'info', event: 'call.announced', call: id }).emitted[0]?.context,
        undefined,
      );
    }
  });

  it('with an event of a call is not sent beyond the budget, others are', () => {
    const { emitted, ended } = recordsOf({ level: 'info', event: 'call.ended', call }, 0);
    assert.deepEqual([emitted, ended], [[], []]);
    const refused = { level: 'warn', event: 'request.refused', reason: '"event":"call.ended"' };
    assert.equal(recordsOf(refused, 0).emitted.length, 1);
  });

  it('that refuses somebody is sent fifty times for a reason, and later with the number of all held back', () => {
    let time = 0;
    const told: unknown[] = [];
    const records = createRecords({
      logger: { emit: ({ attributes }) => void told.push(attributes), enabled: () => true },
      budget: createBudget({ burst: 0, perSecond: 0 }),
      onCallEnd: () => {},
      now: () => time,
    });
    const refuse = (reason: string, suppressed?: number) =>
      records.write(JSON.stringify({ level: 'warn', event: 'request.refused', reason, suppressed }));

    for (let count = 0; count < 60; count++) refuse('malformed');
    refuse('malformed', 7);
    assert.equal(told.length, 50);
    refuse('unknown_key');
    assert.equal(told.length, 51, 'another reason has a bound of its own');
    time += 300_000;
    refuse('malformed', 2);
    refuse('malformed');
    assert.partialDeepStrictEqual(told.slice(-2), [
      { 'microsoft.custom_measurements': '{"suppressed":20}', reason: 'malformed' },
      { 'microsoft.custom_measurements': '{}', reason: 'malformed' },
    ]);
  });

  it('that ends a call says so', () => {
    const { ended } = recordsOf({ level: 'info', event: 'call.ended', call });
    assert.deepEqual(ended, [[call, Date.parse('2026-01-02T03:04:05.678Z')]]);
  });

  it('without an event is sent from a warning on', () => {
    assert.deepEqual(recordsOf({ level: 'info', reason: 'draining' }).emitted, []);
    assert.deepEqual(recordsOf({ level: 'info', event: 'toString' }).emitted, [], 'no event of ours');
    const { attributes, emitted } = recordsOf({ level: 'warn', reason: 'draining', from: '+15550100' });
    assert.deepEqual(attributes, [{ reason: 'draining' }]);
    assert.equal(emitted[0]?.body, 'what happened');
  });

  it('with an error is an exception, which says where it was thrown and never its message', () => {
    const thrown = Object.assign(new TypeError('a secret\n    at secret (file:1:2)'), { code: 'ECODE' });
    const { attributes } = recordsOf({ level: 'error', call, error: describeError(thrown) });
    const [exception, ...others] = attributes;
    assert.equal(others.length, 0);
    const { 'exception.type': type, 'exception.message': message, code } = exception ?? {};
    assert.deepEqual([type, message, code], ['TypeError', 'what happened', 'ECODE']);
    assert.match(String(exception?.['exception.stacktrace']), /^TypeError\n +at .*records\.test\.ts/);
    assert.doesNotMatch(JSON.stringify(exception), /secret/);
  });

  it('with an event and an error is both', () => {
    const error = { name: 'Error' };
    const { attributes } = recordsOf({ level: 'fatal', event: 'callgate.crashed', type: 'Error', error });
    assert.equal(attributes[0]?.['microsoft.custom_event.name'], 'callgate.crashed');
    assert.equal(attributes[1]?.['exception.stacktrace'], 'Error', 'without one it would be no exception');
  });
});
