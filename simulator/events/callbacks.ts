import { randomUUID } from 'node:crypto';
import type { CallIds } from '../calls/identifiers.ts';
import type { Outcome } from '../http/post.ts';
import { retry, send } from '../http/post.ts';
import type { EventFate } from './event-faults.ts';
import { createTurns } from './event-faults.ts';

/** A CloudEvent as ACS posts it to a callback URI. */
export interface CallbackEvent {
  id: string;
  source: string;
  type: string;
  data: Record<string, unknown>;
  time: string;
  specversion: string;
  datacontenttype: string;
  subject: string;
}

/** `resultInformation` of an event. */
export interface Result {
  code: number;
  subCode: number;
  message: string;
}

/**
 * One event in ACS's envelope.
 *
 * @param type without the `Microsoft.Communication.` before it
 * @param data what it says besides the call's names; may name another call
 */
export function callbackEvent(
  type: string,
  {
    callConnectionId,
    serverCallId,
    correlationId,
  }: Pick<CallIds, 'callConnectionId' | 'serverCallId' | 'correlationId'>,
  data: Record<string, unknown>,
  time: Date,
): CallbackEvent {
  const source = `calling/callConnections/${callConnectionId}`;
  const names = { callConnectionId, serverCallId, correlationId };
  return {
    id: randomUUID(),
    source,
    type: `Microsoft.Communication.${type}`,
    data: { version: '2026-03-12', ...names, publicEventType: `Microsoft.Communication.${type}`, ...data },
    time: time.toISOString(),
    specversion: '1.0',
    datacontenttype: 'application/json',
    subject: source,
  };
}

/** The callback events of one call: one at a time and in order, each with its retries, unless faults say otherwise. */
export interface Callbacks {
  /**
   * Delivers in turn, as ACS does; resolves when the app has taken it or the attempts are used up, and at once where
   * the faults let it be late or lost.
   *
   * @param to another callback URI, where an operation named one for its events
   */
  push(event: CallbackEvent, to?: string): Promise<void>;
  /** Resolves when everything is delivered, what is late too. */
  settled(): Promise<void>;
  /** Delivers at once, out of turn and without retries: for whatever a test wants to see arrive. */
  post(body: unknown, headers?: Record<string, string>): Promise<Outcome>;
}

/**
 * @param options.url the call's callback URI
 * @param options.token makes the token of one request
 * @param options.faults,random what befalls the events
 * @param options.note is told each attempt, and each fault
 * @param options.retryMs pauses before the next attempts, in milliseconds
 * @param options.timeoutMs how long an answer may take, in milliseconds
 * @param options.overtakeMs how long an event that is to be overtaken waits for another, in milliseconds
 */
export function createCallbacks({
  url,
  token,
  faults,
  random,
  note,
  signal,
  retryMs = [1_000, 2_000, 4_000],
  timeoutMs = 10_000,
  overtakeMs = 1_000,
}: EventFate & {
  url: string;
  token: () => Promise<string>;
  signal: AbortSignal;
  retryMs?: readonly number[];
  timeoutMs?: number;
  overtakeMs?: number;
}): Callbacks {
  async function post(body: unknown, headers: Record<string, string> = {}, to = url): Promise<Outcome> {
    return send(to, {
      body: typeof body === 'string' ? body : JSON.stringify(body),
      headers: {
        'content-type': 'application/json; charset=utf-8',
        authorization: `Bearer ${await token()}`,
        ...headers,
      },
      timeoutMs,
      signal,
    });
  }

  function deliver({ event, to }: { event: CallbackEvent; to: string | undefined }): Promise<boolean> {
    return retry(retryMs, signal, async (attempt) => {
      const { status, error } = await post([event], {}, to);
      note({ type: 'event', event: nameOf(event), id: event.id, attempt, status, error });
      return status !== undefined && status >= 200 && status < 300;
    });
  }

  const turns = createTurns({
    fate: { faults, random, note },
    nameOf: ({ event }) => nameOf(event),
    deliver,
    overtakeMs,
    signal,
  });
  return {
    post: (body, headers) => post(body, headers),
    push: (event, to) => turns.push({ event, to }),
    settled: turns.settled,
  };
}

const nameOf = ({ type }: CallbackEvent) => type.replace('Microsoft.Communication.', '');
