// The log as telemetry: lines with an `event` become events, others that warn become traces, and errors exceptions.

import { type AnyValueMap, type Logger, SeverityNumber } from '@opentelemetry/api-logs';
import { createLogLimiter } from '../log.ts';
import type { Budget } from './budget.ts';
import { callKeys, type EventName, events, traceKeys } from './names.ts';
import { callContext } from './spans.ts';

/** A line of the log, or part of one. */
export type LogRecord = Readonly<Record<string, unknown>>;

export interface RecordsOptions {
  logger: Logger;
  /** How many events of calls there may be. Others are few. */
  budget: Budget;
  /** Is told of each line that ends a call, and when that was, in milliseconds since 1970. */
  onCallEnd: (record: LogRecord, time: number) => void;
  /** A monotonic clock in milliseconds. */
  now?: () => number;
}

/** For refusals of one reason. The log has ten times as many in a flood, which in a day would be gigabytes. */
const refusalBound = { burst: 50, windowMs: 300_000 };

const severities = new Map<unknown, SeverityNumber>([
  ['warn', SeverityNumber.WARN],
  ['error', SeverityNumber.ERROR],
  ['fatal', SeverityNumber.FATAL],
]);

/** Takes lines of the log, at info and above. Of each it sends the keys that names.ts lists, and no other. */
export function createRecords({ logger, budget, onCallEnd, now = () => performance.now() }: RecordsOptions) {
  const mayTell = createLogLimiter({ ...refusalBound, now });
  /** Refusals that the next one of their reason is to tell of. */
  const untold = new Map<string, number>();

  /** @returns the refusal with the number of those held back before it; undefined: it is one of them itself */
  function boundRefusal(record: LogRecord): LogRecord | undefined {
    const reason = String(record.reason);
    const suppressed = (untold.get(reason) ?? 0) + Number(record.suppressed ?? 0);
    const isTold = mayTell(reason) !== undefined;
    untold.set(reason, isTold ? 0 : suppressed + 1);
    return isTold ? { ...record, ...(suppressed > 0 && { suppressed }) } : undefined;
  }

  function emit(record: LogRecord, timestamp: number, attributes: AnyValueMap) {
    const inCall = callContext(record.call);
    logger.emit({
      timestamp,
      severityNumber: severities.get(record.level) ?? SeverityNumber.INFO,
      body: String(record.msg),
      attributes: { ...attributes, ...pick(record, callKeys, isText) },
      // In the trace of its call; of none, in that of the request that is being handled.
      ...(inCall && { context: inCall }),
    });
  }

  return {
    write(line: string): void {
      // Before anything is spent on it. Within a text its quotes would be escaped.
      if (line.includes('"event":"call.') && !budget.take()) return;
      const parsed: LogRecord = JSON.parse(line);
      const record = parsed.event === 'request.refused' ? boundRefusal(parsed) : parsed;
      if (!record) return;
      const time = Date.parse(String(record.time));
      const warns = severities.has(record.level);
      const isFailure = warns && isRecord(record.error);
      if (isEvent(record.event)) emit(record, time, eventOf(record.event, record));
      else if (warns && !isFailure) emit(record, time, pick(record, traceKeys, isText));
      if (isFailure) emit(record, time, exceptionOf(record));
      if (record.event === 'call.ended') onCallEnd(record, time);
    },
  };
}

/** The form of a custom event: https://learn.microsoft.com/azure/azure-monitor/app/opentelemetry-add-modify */
function eventOf(name: EventName, record: LogRecord): AnyValueMap {
  const { properties, measurements } = events[name];
  return {
    'microsoft.custom_event.name': name,
    'microsoft.custom_measurements': JSON.stringify(pick(record, measurements, isNumber)),
    ...pick(record, properties, isText),
  };
}

/**
 * What may be said of an error: its name, its code and where it came from. Its message may quote what a caller or a
 * stranger sent (JSON.parse does), so the log's own words stand for it.
 */
function exceptionOf({ error, msg, ...record }: LogRecord): AnyValueMap {
  const { name, code, statusCode, message, stack } = isRecord(error) ? error : {};
  const frames = String(stack ?? '')
    .replace(String(message), '')
    .split('\n')
    .filter((line) => /^ +at /.test(line));
  return {
    'exception.type': String(name),
    'exception.message': String(msg),
    // Without one the record would be no exception.
    'exception.stacktrace': [String(name), ...frames].join('\n'),
    ...pick({ status: statusCode, ...record, code }, traceKeys, isText),
  };
}

function pick<T extends AnyValueMap[string]>(
  record: LogRecord,
  keys: readonly string[],
  isWanted: (value: unknown) => value is T,
): Record<string, T> {
  const picked: Record<string, T> = {};
  for (const key of keys) {
    const value = record[key];
    if (isWanted(value)) picked[key] = value;
  }
  return picked;
}

const isNumber = (value: unknown): value is number => Number.isFinite(value);
const isText = (value: unknown): value is string | number | boolean =>
  ['string', 'number', 'boolean'].includes(typeof value);
const isRecord = (value: unknown): value is LogRecord => typeof value === 'object' && value !== null;
const isEvent = (name: unknown): name is EventName => typeof name === 'string' && Object.hasOwn(events, name);
