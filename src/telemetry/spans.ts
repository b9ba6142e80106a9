// The spans that are made here, and the ids of calls on those that the instrumentations make.

import { AsyncLocalStorage } from 'node:async_hooks';
import {
  type Attributes,
  type Context,
  isValidTraceId,
  propagation,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  TraceFlags,
  type Tracer,
  trace,
} from '@opentelemetry/api';
import type { Budgets } from './budget.ts';
import type { LogRecord } from './records.ts';
import type { CallTags, UpgradeFacts } from './telemetry.ts';

/**
 * What is recorded in it belongs to the trace of a call, whose id is the call's: the same on every instance, without
 * a span that would have to be open all the while.
 *
 * @returns undefined if that is no id of a call
 */
export function callContext(call: unknown): Context | undefined {
  if (typeof call !== 'string' || !isValidTraceId(call)) return undefined;
  const spanId = call.slice(0, 16);
  return trace.setSpanContext(ROOT_CONTEXT, { traceId: call, spanId, traceFlags: TraceFlags.SAMPLED });
}

/** Whose spans are ours. */
export const tracerName = 'callgate';

/** @param budgets how many there may be */
export function createSpans(tracer: Tracer, budgets: Budgets) {
  return {
    /** An upgrade, for which no instrumentation makes a span: of its call if it was let in, else on its own. */
    upgrade({ route, outcome, status, reason, checkMs, traceparent, ...tags }: UpgradeFacts): void {
      if (!budgets[outcome].take()) return;
      const now = Date.now();
      const inCall = outcome === 'accepted' ? callContext(tags.call) : undefined;
      // Not its parent: a stranger would choose where it is found.
      const caller =
        inCall && traceparent
          ? trace.getSpanContext(propagation.extract(ROOT_CONTEXT, { traceparent }))
          : undefined;
      const span = tracer.startSpan(
        `GET ${route}`,
        {
          kind: SpanKind.SERVER,
          startTime: now - checkMs,
          attributes: {
            // Without the method the response code would be 0.
            'http.request.method': 'GET',
            'http.route': route,
            'http.response.status_code': status,
            'url.path': route,
            'callgate.outcome': outcome,
            ...(reason !== undefined && { 'callgate.reason': reason }),
            ...attributesOf(tags),
          },
          ...(caller && { links: [{ context: caller }] }),
        },
        inCall ?? ROOT_CONTEXT,
      );
      if (outcome === 'refused') span.setStatus({ code: SpanStatusCode.ERROR });
      span.end(now);
    },

    /** The whole of a call, from the line of the log that ends it: until then its events tell of it. */
    endCall({ call, callConnectionId, correlationId, reason, lastedMs }: LogRecord, time: number): void {
      const inCall = callContext(call);
      if (!inCall || !budgets.accepted.take()) return;
      const startTime = time - Number(lastedMs ?? 0);
      const attributes = {
        ...attributesOf({
          call: textOf(call),
          callConnectionId: textOf(callConnectionId),
          correlationId: textOf(correlationId),
        }),
        'callgate.reason': String(reason),
      };
      tracer.startSpan('call', { kind: SpanKind.INTERNAL, startTime, attributes }, inCall).end(time);
    },
  };
}

/** The ids of calls, on the spans of what is done for them. */
export function createTags() {
  const current = new AsyncLocalStorage<CallTags>();
  return {
    within: <T>(tags: CallTags, run: () => T): T => current.run(tags, run),
    tag(tags: CallTags): void {
      trace.getActiveSpan()?.setAttributes(attributesOf(tags));
    },
    processor: {
      onStart(span: Span): void {
        const tags = current.getStore();
        if (tags) span.setAttributes(attributesOf(tags));
      },
      onEnd: () => {},
      forceFlush: async () => {},
      shutdown: async () => {},
    },
  };
}

type Ids = { readonly [Key in keyof CallTags]?: CallTags[Key] | undefined };

function attributesOf({ call, callConnectionId, correlationId }: Ids): Attributes {
  return {
    ...(call !== undefined && { call }),
    ...(callConnectionId !== undefined && { callConnectionId }),
    ...(correlationId !== undefined && { correlationId }),
  };
}

const textOf = (value: unknown) => (typeof value === 'string' ? value : undefined);
