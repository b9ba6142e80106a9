import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Envelope, startIngestion } from './ingestion.ts';
import { run } from './program.ts';

const call = '0af7651916cd43dd8448eb211c80319c';

test('what a program under telemetry sends', async (t) => {
  const ingestion = await startIngestion(t);
  const env = { ...ingestion.env, PUBLIC_URL: 'https://calls.example.net', WEBSITE_SITE_NAME: 'site' };
  const { stdout, stderr, code } = await run(t, 'test/telemetry/traffic.ts', env);
  assert.deepEqual([code, stderr], [0, '']);

  const ofType = (type: string) => ingestion.envelopes.filter(({ data }) => data.baseType === type);
  const requests = ofType('RequestData');
  const request = (name: string, code: string) => {
    const found = requests.filter(
      ({ data }) => data.baseData.name === name && data.baseData.responseCode === code,
    );
    assert.equal(found.length, 1, `${name} ${code}`);
    return found[0] as Envelope;
  };
  const properties = ({ data }: Envelope) => data.baseData.properties;
  const traceOf = ({ tags }: Envelope) => tags['ai.operation.id'];

  await t.test('spans are real', () => {
    assert.equal(JSON.parse(stdout).isRecording, true);
  });

  await t.test('a request hands on nothing of what it brought', () => {
    assert.deepEqual(JSON.parse(stdout).baggage, [null, null]);
  });

  await t.test('what is logged while a request is handled is in its trace', () => {
    const [event] = ofType('EventData').filter(({ data }) => data.baseData.name === 'request.refused');
    assert.ok(event);
    assert.equal(traceOf(event), traceOf(request('POST /api/incoming-call', '200')));
  });

  await t.test('all under the name of the app, also on App Service', () => {
    assert.deepEqual(
      [...new Set(ingestion.envelopes.map(({ tags }) => tags['ai.cloud.role']))],
      ['callgate'],
    );
  });

  await t.test('nothing of what a stranger writes, and no ids', () => {
    assert.doesNotMatch(ingestion.text, /secret|15550100/);
  });

  await t.test('requests by their routes, under the public address; probes not at all', () => {
    const urls = requests.map(({ data }) => data.baseData.url).sort();
    assert.deepEqual(urls, [
      'https://calls.example.net/api/callbacks/:binding',
      'https://calls.example.net/api/incoming-call',
      'https://calls.example.net/other',
      'https://calls.example.net/other',
      'https://calls.example.net/other',
      'https://calls.example.net/ws/:binding',
      'https://calls.example.net/ws/:binding',
    ]);
  });

  await t.test('a request that was tagged has the ids of its call', () => {
    const { call: id, correlationId } = properties(request('POST /api/callbacks/:binding', '200')) ?? {};
    assert.deepEqual([id, correlationId], [call, 'a-correlation']);
  });

  await t.test(
    'one dependency per request, without ids and query, with the ids of the call it is for',
    () => {
      const dependencies = ofType('RemoteDependencyData').filter(({ data }) => data.baseData.type === 'Http');
      const names = dependencies.map(({ data }) => data.baseData.name);
      assert.equal(dependencies.length, 8, 'seven answered, one not');
      const path = '/calling/callConnections/*/participants/*';
      const [ofCall, ...others] = dependencies.filter(({ data }) => data.baseData.name?.endsWith(path));
      assert.ok(ofCall && others.length === 0, names.join());
      assert.match(
        ofCall.data.baseData.data ?? '',
        /^http:\/\/127\.0\.0\.1:\d+\/calling\/callConnections\/\*\/participants\/\*$/,
      );
      assert.deepEqual(properties(ofCall), { call, callConnectionId: 'a-connection' });
      const failed = dependencies.find(({ data }) => data.baseData.name === 'GET /calling/keys');
      assert.equal(failed?.data.baseData.success, false);
      assert.deepEqual(ofType('ExceptionData'), [], 'its message would say what was asked');
    },
  );

  await t.test('an upgrade that was let in: in the trace of its call, linked to the one it came from', () => {
    const accepted = request('GET /ws/:binding', '101');
    assert.equal(traceOf(accepted), call);
    const { 'callgate.outcome': outcome, '_MS.links': links = '' } = properties(accepted) ?? {};
    assert.equal(outcome, 'accepted');
    assert.deepEqual(JSON.parse(links), [
      { operation_Id: '4bf92f3577b34da6a3ce929d0e0e4736', id: '00f067aa0ba902b7' },
    ]);
  });

  await t.test('an upgrade that was refused: a root of its own, whatever trace it claims', () => {
    const refused = request('GET /ws/:binding', '403');
    assert.ok(![call, '4bf92f3577b34da6a3ce929d0e0e4736'].includes(traceOf(refused) ?? ''));
    assert.equal(refused.tags['ai.operation.parentId'], undefined);
    assert.equal(refused.data.baseData.success, false);
    const {
      'callgate.outcome': outcome,
      'callgate.reason': reason,
      '_MS.links': links,
    } = properties(refused) ?? {};
    assert.deepEqual([outcome, reason, links], ['refused', 'bad_binding', undefined]);
  });

  await t.test('a span of the call, from its beginning to its end', () => {
    const [span] = ofType('RemoteDependencyData').filter(({ data }) => data.baseData.name === 'call');
    assert.ok(span);
    assert.equal(traceOf(span), call);
    assert.equal(span.data.baseData.duration, '00:00:01.500');
    assert.equal(properties(span)?.['callgate.reason'], 'HungUp');
  });

  await t.test('the numbers of the app, of those that count only what came anew, and no others', () => {
    const values = new Map<string, number>();
    for (const { data } of ofType('MetricData')) {
      const { metrics = [], properties = {} } = data.baseData;
      for (const { name, value } of metrics)
        values.set([name, ...Object.values(properties)].join(' '), value);
    }
    const measured = [
      'callgate.cpu_percent',
      'callgate.event_loop.delay_p99_ms',
      'callgate.memory.rss_bytes',
    ];
    for (const name of measured) {
      assert.ok((values.get(name) ?? -1) >= 0, name);
      values.delete(name);
    }
    assert.deepEqual(Object.fromEntries(values), {
      'callgate.calls': 3,
      'callgate.calls.max': 500,
      'callgate.upgrades.waiting': 2,
      'callgate.buffered_bytes': 10,
      'callgate.keys.age_seconds': 61,
      'callgate.upgrades accepted': 1,
      'callgate.upgrades refused bad_binding': 1,
      'callgate.frames in': 7,
      'callgate.frames out': 5,
      'callgate.bytes in': 70,
      'callgate.bytes out': 50,
      'callgate.frames.refused': 1,
      'callgate.keys.fetches ok': 1,
      'callgate.events CallConnected': 1,
    });
  });
});

test('with a ratio of 0, requests are left out and events are not', async (t) => {
  const ingestion = await startIngestion(t);
  const env = { ...ingestion.env, TELEMETRY_SAMPLING_RATIO: '0' };
  await run(t, 'test/telemetry/traffic.ts', env);
  const names = ingestion.envelopes.map(({ data }) => data.baseData.name);
  assert.ok(names.includes('request.refused'), 'also while a request is handled that is left out');
  const types = new Set(ingestion.envelopes.map(({ data }) => data.baseType));
  assert.deepEqual([...types].sort(), ['EventData', 'MetricData']);
});
