// What the real app sends, as it arrives at a stand-in for Application Insights.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { refusalReasons } from '../../src/auth/refusals.ts';
import { closedLists, metricAttributes, metrics } from '../../src/telemetry/names.ts';
import { claimedTrace, runEventfully } from './eventful-run.ts';
import type { Envelope } from './ingestion.ts';
import { nameOf, propertiesOf, tableOf, traceOf } from './received.ts';

const summaryOf = (envelope: Envelope) => `${tableOf(envelope)} ${nameOf(envelope)}`;

test('the app, from its start to its end', async (t) => {
  const run = await runEventfully(t);
  const { envelopes, calls, text, secrets } = run;
  const all = (summary: string) => envelopes.filter((envelope) => summaryOf(envelope) === summary);
  const events = (name: string, properties: Record<string, string> = {}) =>
    all(`AppEvents ${name}`).filter((event) =>
      Object.entries(properties).every(([key, value]) => propertiesOf(event)[key] === value),
    );
  const upgrades = all('AppRequests GET /ws/:binding');
  const refused = upgrades.filter((each) => propertiesOf(each)['callgate.outcome'] === 'refused');
  const about = ({ correlationId }: { correlationId: string }) =>
    envelopes.filter((envelope) => propertiesOf(envelope).correlationId === correlationId);

  await t.test('SIGTERM: it sends what it has, and ends with 0', () => {
    assert.equal(run.exitCode, 0);
    assert.equal(events('callgate.stopped').length, 1, 'the last there is to say');
  });

  await t.test('a refused upgrade: a request, an event and a count, each with the reason', () => {
    const told = refused.map((each) => {
      const { success, responseCode, url } = each.data.baseData;
      return [propertiesOf(each)['callgate.reason'], success, responseCode, url];
    });
    const url = 'http://127.0.0.1/ws/:binding';
    assert.deepEqual(told, [
      ['no_token', false, '401', url],
      ['bad_binding', false, '403', url],
      ['call_ended', false, '403', url],
    ]);
    for (const [reason, , status] of told) {
      const event = { purpose: 'media', reason: String(reason), status: String(status) };
      assert.equal(events('request.refused', event).length, 1, String(reason));
      const counts = all(`AppMetrics ${metrics.upgrades}`).filter(
        (each) => propertiesOf(each).reason === reason && propertiesOf(each).outcome === 'refused',
      );
      assert.equal(counts[0]?.data.baseData.metrics?.[0]?.value, 1, String(reason));
    }
  });

  await t.test('a refused upgrade: a root of its own, whatever trace or call it claims', () => {
    const traces = refused.map(traceOf);
    assert.equal(new Set(traces).size, refused.length);
    for (const each of refused) {
      assert.equal(each.tags['ai.operation.parentId'], undefined);
      assert.equal(propertiesOf(each)['_MS.links'], undefined);
      assert.ok(![claimedTrace, propertiesOf(each).call].includes(traceOf(each)));
    }
  });

  await t.test('an upgrade that is let in: in the trace of its call, linked to the trace it claims', () => {
    const [first, second, ...others] = upgrades.filter(
      (each) => propertiesOf(each).correlationId === run.cutOff.correlationId,
    );
    assert.ok(first && second && others.length === 0);
    for (const each of [first, second]) {
      assert.equal(each.data.baseData.responseCode, '101');
      assert.equal(propertiesOf(each)['callgate.outcome'], 'accepted');
      assert.equal(traceOf(each), propertiesOf(each).call);
    }
    assert.equal(propertiesOf(first)['_MS.links'], undefined);
    assert.match(propertiesOf(second)['_MS.links'] ?? '', new RegExp(`"operation_Id":"${claimedTrace}"`));
  });

  for (const [index, call] of calls.entries()) {
    const found = about(call);
    await t.test(`call ${index} of two at once: found whole by its correlation id`, () => {
      const summaries = found.map(summaryOf);
      for (const summary of [
        'AppRequests POST /api/incoming-call',
        'AppDependencies POST /calling/callConnections:answer',
        'AppRequests POST /api/callbacks/:binding',
        'AppRequests GET /ws/:binding',
        'AppDependencies call',
        ...[
          'announced',
          'answered',
          'media_connected',
          'first_frame_in',
          'first_audio_out',
          'media_disconnected',
          'ended',
        ].map((event) => `AppEvents call.${event}`),
      ]) {
        assert.ok(summaries.includes(summary), `${summary} is not among ${summaries}`);
      }
      const delivered = call.journal.entries.filter(({ type }) => type === 'event');
      const callbacks = found.filter(
        (each) => summaryOf(each) === 'AppRequests POST /api/callbacks/:binding',
      );
      assert.equal(callbacks.length, delivered.length, 'each callback');
      const types = found.map((each) => propertiesOf(each).type).filter((type) => type !== undefined);
      for (const type of ['CallConnected', 'MediaStreamingStarted']) assert.ok(types.includes(type), type);
    });

    await t.test(`call ${index} of two at once: nothing of the other's`, () => {
      const ids = new Set(found.map((each) => propertiesOf(each).call));
      assert.equal(ids.size, 1);
      const [id] = ids;
      const { correlationId, callConnectionId } = call;
      for (const each of envelopes) {
        const properties = propertiesOf(each);
        const isIts = properties.call === id || properties.callConnectionId === callConnectionId;
        const isFound = properties.correlationId === correlationId;
        assert.equal(
          isFound,
          isIts || traceOf(each) === id,
          `${summaryOf(each)} ${JSON.stringify(properties)}`,
        );
      }
    });

    await t.test(`call ${index} of two at once: what is recorded here is one trace`, () => {
      const ours = found.filter(
        (each) =>
          /^App(Events|Dependencies) call/.test(summaryOf(each)) ||
          propertiesOf(each)['callgate.outcome'] === 'accepted',
      );
      assert.ok(ours.length > 8);
      for (const each of ours) assert.equal(traceOf(each), propertiesOf(each).call, summaryOf(each));
    });
  }

  await t.test('what fails at ACS is found by the call too, with its status', () => {
    const [failed, ...others] = about(run.unanswered).filter((each) => nameOf(each) === 'call.answer_failed');
    assert.ok(failed && others.length === 0);
    assert.equal(propertiesOf(failed).status, '400');
    const [left] = about(run.cutOff).filter((each) => nameOf(each) === 'call.hang_up_failed');
    assert.ok(left);
    assert.equal(propertiesOf(left).status, '403');
  });

  await t.test('a callback that cannot be read is found by the call that it is for', () => {
    const unread = about(run.cutOff).filter(({ data }) => data.baseData.responseCode === '400');
    assert.deepEqual(unread.map(nameOf), ['POST /api/callbacks/:binding']);
  });

  await t.test('nothing that is secret or personal, in any byte of it', () => {
    assert.equal(run.echoed.length, 2, 'ACS repeated two requests');
    assert.match(run.echoed[0] ?? '', /\/api\/callbacks\/[\w-]{72}/);
    assert.ok(secrets.size > 20);
    for (const [name, value] of secrets) {
      assert.ok(value.length > 8, name);
      for (const written of [value, encodeURIComponent(value), JSON.stringify(value).slice(1, -1)]) {
        assert.ok(!text.includes(written), `${name} was sent`);
      }
    }
    assert.doesNotMatch(text, /eyJ[\w-]+\.eyJ|\+1555|%2B1555|secret/);
  });

  await t.test('metrics that the app has names for, by what they are counted by, and no others', () => {
    const known: readonly string[] = Object.values(metrics);
    const attributes: Readonly<Record<string, readonly string[]>> = metricAttributes;
    const values: Readonly<Record<string, readonly string[]>> = { ...closedLists, reason: refusalReasons };
    for (const each of envelopes.filter((envelope) => tableOf(envelope) === 'AppMetrics')) {
      const name = nameOf(each) ?? '';
      assert.ok(known.includes(name), name);
      for (const [key, value] of Object.entries(propertiesOf(each))) {
        assert.ok(attributes[name]?.includes(key), `${name}: ${key}`);
        assert.ok(key === 'type' || values[key]?.includes(value), `${name}: ${key} ${value}`);
      }
    }
  });

  await t.test('requests by their routes, and none of a probe; requests to ACS and for its keys', () => {
    const named = (table: string) =>
      [...new Set(envelopes.filter((each) => tableOf(each) === table).map(nameOf))].sort();
    assert.deepEqual(named('AppRequests'), [
      'GET /other',
      'GET /ws/:binding',
      'POST /api/callbacks/:binding',
      'POST /api/incoming-call',
    ]);
    assert.deepEqual(named('AppDependencies'), [
      'GET /calling/keys',
      'POST /calling/callConnections/*:terminate',
      'POST /calling/callConnections:answer',
      'call',
    ]);
  });
});
