// Application Insights, as it is to be: only what names.ts lists, and requests with routes for addresses. The package
// sends much else by default, and leaves out what is asked of it in many ways without a word.

import { createRequire, syncBuiltinESMExports } from 'node:module';
import { setTimeout as delay } from 'node:timers/promises';
import { metrics, trace } from '@opentelemetry/api';
import { logs } from '@opentelemetry/api-logs';
import { registerInstrumentations } from '@opentelemetry/instrumentation';
import { ExpressInstrumentation, ExpressLayerType } from '@opentelemetry/instrumentation-express';
import { UndiciInstrumentation } from '@opentelemetry/instrumentation-undici';
import { AggregationType } from '@opentelemetry/sdk-metrics';
import { shutdownAzureMonitor, useAzureMonitor } from 'applicationinsights';
import { register } from 'import-in-the-middle/register-hooks.mjs';
import { createBudgets } from './budget.ts';
import { createSignIn } from './identity.ts';
import { createMetrics } from './metrics.ts';
import { createRecords } from './records.ts';
import type { TelemetrySettings } from './settings.ts';
import { createSpanFilter, isProbe } from './span-filter.ts';
import { createSpans, createTags, tracerName } from './spans.ts';
import type { Telemetry } from './telemetry.ts';

/** Instrumentations whose package is there, and the app has no use for. */
const off = { enabled: false };

/** @throws whatever the SDK does */
export function startAzureMonitor(settings: TelemetrySettings): Telemetry {
  // Named imports pass by any other hook.
  register({ include: ['express'] });
  const tags = createTags();
  const budgets = createBudgets();
  const signIn = settings.auth === 'identity' ? createSignIn() : undefined;

  useAzureMonitor({
    azureMonitorExporterOptions: {
      connectionString: settings.connectionString,
      allowInsecureConnection: settings.isInsecure,
      // What isn't taken is kept on disk and sent again: at the end, retries would leave no time for that.
      retryOptions: { maxRetries: 0 },
      ...(signIn && { credential: signIn.credential }),
    },
    // By default five traces a second are kept, whatever the ratio.
    tracesPerSecond: 0,
    samplingRatio: settings.samplingRatio,
    // With it, events of calls that are not sampled would vanish.
    enableTraceBasedSamplingForLogs: false,
    // It would keep an error that nobody handled from ending the process: that is main.ts's.
    enableAutoCollectExceptions: false,
    enableLiveMetrics: false,
    enableStandardMetrics: false,
    enablePerformanceCounters: false,
    views: ['http', 'undici'].map((name) => ({
      meterName: `@opentelemetry/instrumentation-${name}`,
      aggregation: { type: AggregationType.DROP },
    })),
    instrumentationOptions: {
      http: httpInstrumentation,
      // It doubles each request to ACS, once with the whole address.
      azureSdk: off,
      mongoDb: off,
      mySql: off,
      postgreSql: off,
      redis: off,
      redis4: off,
      bunyan: off,
      winston: off,
    },
    spanProcessors: [tags.processor, createSpanFilter(settings.publicUrl, budgets)],
  });
  registerInstrumentations({
    instrumentations: [
      // For the routes of requests; its own spans say nothing more.
      new ExpressInstrumentation({ ignoreLayersType: Object.values(ExpressLayerType) }),
      new UndiciInstrumentation(),
    ],
  });

  // Node's own modules are patched as they are required, and once: so it is done now, and for named imports too.
  const require = createRequire(import.meta.url);
  for (const name of ['http', 'https']) require(name);
  syncBuiltinESMExports();

  // Only now: the package has replaced what the API's globals were.
  const spans = createSpans(trace.getTracer(tracerName), budgets);
  const counts = createMetrics(metrics.getMeter('callgate'), budgets);
  const records = createRecords({
    logger: logs.getLogger('callgate'),
    budget: budgets.accepted,
    onCallEnd: spans.endCall,
  });

  return {
    records,
    report: (log) => void signIn?.report(log),
    upgrade(facts) {
      spans.upgrade(facts);
      counts.upgrade(facts);
    },
    watch: counts.watch,
    within: tags.within,
    tag: tags.tag,
    async flush(timeoutMs) {
      // Against a server that never answers it takes longer than anyone would wait, and it may reject.
      await Promise.race([
        Promise.try(shutdownAzureMonitor).catch(() => {}),
        delay(timeoutMs, undefined, { ref: false }),
      ]);
    },
  };
}

const httpInstrumentation = {
  enabled: true,
  ignoreIncomingRequestHook: ({ url }: { url?: string }) => isProbe(url),
  // The SDK asks what it is to do, every now and then.
  ignoreOutgoingRequestHook: ({ hostname }: { hostname?: string | null }) =>
    hostname === 'settings.sdk.monitor.azure.com',
};
