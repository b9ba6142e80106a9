import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics';
import { createMetrics } from '../../src/telemetry/metrics.ts';

test('a total is reported as what came anew, and while nothing comes not at all', async (t) => {
  const exporter = new InMemoryMetricExporter(AggregationTemporality.DELTA);
  const provider = new MeterProvider({
    readers: [new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 3_600_000 })],
  });
  t.after(() => provider.shutdown());
  let framesIn = 0;
  let asked = 0;
  createMetrics(provider.getMeter('test')).watch(() => {
    asked += 1;
    return {
      ...{ calls: 0, maxCalls: 1, upgradesWaiting: 0, bufferedBytes: 0, keysAgeMs: undefined },
      totals: {
        ...{ framesIn, framesOut: 0, bytesIn: 0, bytesOut: 0, malformed: 0, refused: 0 },
        ...{ keysFetched: 0, keysFailed: 0, events: {}, duplicates: 0 },
      },
    };
  });

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
