// Application Insights. Loaded with --import, before whatever it is to observe. Without a connection string nothing
// of it is loaded: it takes half a second and 50 MB.

import { describeError } from './log.ts';
import { failSoft } from './telemetry/fail-soft.ts';
import { readTelemetrySettings, type TelemetrySettings } from './telemetry/settings.ts';
import { noTelemetry, type Telemetry } from './telemetry/telemetry.ts';

/** Read by the SDK as it starts. */
const sdkSettings = {
  // The name of the role; without one it is the path of node.
  OTEL_SERVICE_NAME: 'callgate',
  // Not baggage: whatever a stranger's request has in it would go on to ACS.
  OTEL_PROPAGATORS: 'tracecontext',
  // Numbers about the SDK itself, and about the machine.
  APPLICATION_INSIGHTS_NO_STATSBEAT: '1',
  APPLICATIONINSIGHTS_SDKSTATS_DISABLED: 'true',
  APPLICATIONINSIGHTS_OPENTELEMETRY_RESOURCE_METRIC_DISABLED: 'true',
};

const settings = readTelemetrySettings(process.env);

/** What the app tells telemetry through, be it on or off. */
export const telemetry: Telemetry = settings ? await start(settings) : noTelemetry;

/** Telemetry that can't be started is no reason not to take calls. */
async function start(settings: TelemetrySettings): Promise<Telemetry> {
  for (const [name, value] of Object.entries(sdkSettings)) process.env[name] ??= value;
  try {
    const { startAzureMonitor } = await import('./telemetry/azure-monitor.ts');
    return failSoft(startAzureMonitor(settings));
  } catch (error) {
    return {
      ...noTelemetry,
      report: (log) => log.warn({ error: describeError(error) }, 'telemetry cannot be started: none is sent'),
    };
  }
}
