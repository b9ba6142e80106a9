// What the tests ask of what arrived.

import type { Envelope } from './ingestion.ts';

/** Settings of the SDK with which nothing is sent but by a flush, or when there is much. */
export const delayed = {
  OTEL_BSP_SCHEDULE_DELAY: '600000',
  OTEL_BLRP_SCHEDULE_DELAY: '600000',
  OTEL_METRIC_EXPORT_INTERVAL: '600000',
  OTEL_METRIC_EXPORT_TIMEOUT: '20000',
};

/** The table that Application Insights puts a record into. */
export function tableOf({ data }: Envelope): string {
  return tables[data.baseType] ?? data.baseType;
}

const tables: Readonly<Record<string, string>> = {
  RequestData: 'AppRequests',
  RemoteDependencyData: 'AppDependencies',
  MetricData: 'AppMetrics',
  EventData: 'AppEvents',
  MessageData: 'AppTraces',
  ExceptionData: 'AppExceptions',
};

/** Its column `Name`. */
export function nameOf({ data: { baseData } }: Envelope): string | undefined {
  return baseData.metrics?.[0]?.name ?? baseData.name;
}

export const propertiesOf = ({ data }: Envelope) => data.baseData.properties ?? {};
export const measurementsOf = ({ data }: Envelope) => data.baseData.measurements ?? {};
export const traceOf = ({ tags }: Envelope) => tags['ai.operation.id'];
