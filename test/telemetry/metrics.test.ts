import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics';
import { createBudgets } from '../../src/telemetry/budget.ts';
import { createMetrics } from '../../src/telemetry/metrics.ts';

/** The metrics, and a report of them as it goes out. */
function setUp(t: TestContext) {
  const exporter = new InMemoryMetricExporter(AggregationTemporality.DELTA);
  const provider = new MeterProvider({
    readers: [new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 3_600_000 })],
  });
  t.after(() => provider.shutdown());

  async function report(): Promise<Record<string, unknown>> {
    exporter.reset();
    await provider.forceFlush();
    const metrics = exporter
      .getMetrics()
      .flatMap(({ scopeMetrics }) => scopeMetrics.flatMap(({ metrics }) => metrics));
    return Object.fromEntries(
      metrics.map(({ descriptor, dataPoints }) => [descriptor.name, dataPoints[0]?.value]),
    );
  }

  return { metrics: createMetrics(provider.getMeter('test'), createBudgets()), report };
}

test('a total is reported as what came anew, and while nothing comes not at all', async (t) => {
  const { metrics, report } = setUp(t);
  let framesIn = 0;
  let asked = 0;
  metrics.watch(() => {
    asked += 1;
    return {
      ...{ calls: 0, maxCalls: 1, upgradesWaiting: 0, bufferedBytes: 0, keysAgeMs: undefined },
      totals: {
        ...{ framesIn, framesOut: 0, bytesIn: 0, bytesOut: 0, malformed: 0, refused: 0 },
        ...{ keysFetched: 0, keysFailed: 0, events: {}, duplicates: 0 },
      },
    };
  });

  assert.equal((await report())['callgate.frames'], undefined);
  framesIn = 50;
  assert.equal((await report())['callgate.frames'], 50);
  assert.equal((await report())['callgate.frames'], undefined);
  framesIn = 60;
  const last = await report();
  assert.equal(last['callgate.frames'], 10);
  assert.equal(last['callgate.keys.age_seconds'], undefined, 'before the first keys');
  assert.equal(asked, 4, 'once for each report');
});

test('numbers that cannot be read keep no others back', async (t) => {
  const { metrics, report } = setUp(t);
  metrics.watch(() => {
    throw new Error('unreadable');
  });
  metrics.upgrade({ route: '/ws', outcome: 'accepted', status: 101, checkMs: 1 });
  assert.deepEqual(await report(), { 'callgate.upgrades': 1 });
});
