import type { EventFault } from './events/event-faults.ts';

/** What happened, as far as a test or a summary may ask for it. */
export type Happening =
  | { type: 'placed' }
  /** An attempt to deliver an event of Event Grid: a call, a recording's file, or the validation. No status: no answer. */
  | {
      type: 'announced';
      what: 'validation' | Announced;
      status: number | undefined;
      error: string | undefined;
    }
  /** A REST request of the app, once its answer is known. No status: the connection was cut. */
  | {
      type: 'request';
      operation: string;
      body: unknown;
      status: number | undefined;
      requestId: string | undefined;
      replayed: boolean;
    }
  | { type: 'answered'; callConnectionId: string }
  | { type: 'rejected'; reason: string }
  /** The media WebSocket was accepted (101) or refused. No status: nobody there. */
  | {
      type: 'upgrade';
      status: number | undefined;
      error: string | undefined;
      headers: Record<string, string>;
    }
  /** The end of a media WebSocket. Expected: the call is over, or another socket had taken its place. */
  | { type: 'media-closed'; by: 'app' | 'simulator'; code: number; reason: string; expected: boolean }
  /** As `upgrade` and `media-closed`, of the WebSocket that transcriptions go to. */
  | {
      type: 'transcription-upgrade';
      status: number | undefined;
      error: string | undefined;
      headers: Record<string, string>;
    }
  | { type: 'transcription-closed'; by: 'app' | 'simulator'; code: number; reason: string; expected: boolean }
  /** An attempt to deliver a callback event. No status: no answer. */
  | {
      type: 'event';
      event: string;
      id: string;
      attempt: number;
      status: number | undefined;
      error: string | undefined;
    }
  /** What the faults did to an event, Event Grid's or a callback. */
  | { type: 'fault'; fault: EventFault; event: string }
  | { type: 'ended'; outcome: string };

/** What Event Grid tells the app's webhook. */
export type Announced = 'call' | 'recording';

/** A happening with its time in milliseconds since 1970 and the call that it belongs to. */
export type Entry<T extends Happening['type'] = Happening['type']> = Extract<Happening, { type: T }> & {
  at: number;
  callId: string | undefined;
};

export interface Journal {
  readonly entries: readonly Entry[];
  add(happening: Happening): void;
  /** Takes an entry from the journal of a call. */
  take(entry: Entry): void;
  /**
   * The first entry of a type that matches, be it there already or still to come.
   *
   * @param ms how long to wait, in milliseconds, if not `waitMs`
   * @throws after that, naming what was waited for and what came instead
   */
  until<T extends Happening['type']>(
    type: T,
    match?: (entry: Entry<T>) => boolean,
    ms?: number,
  ): Promise<Entry<T>>;
  /** Ends all waiting. */
  close(): void;
}

/**
 * @param options.limit entries kept; the oldest go first
 * @param options.waitMs how long `until` waits, in milliseconds
 * @param options.now clock in milliseconds
 * @param options.callId the call that it is the journal of
 * @param options.also is told each entry as well
 */
export function createJournal({
  limit = 10_000,
  waitMs = 10_000,
  now = Date.now,
  callId,
  also,
}: {
  limit?: number;
  waitMs?: number;
  now?: () => number;
  callId?: string;
  also?: (entry: Entry) => void;
} = {}): Journal {
  const entries: Entry[] = [];
  const waiting = new Set<{ offer(entry: Entry): void; fail(why: string): void }>();

  function take(entry: Entry) {
    entries.push(entry);
    if (entries.length > limit) entries.shift();
    for (const waiter of waiting) waiter.offer(entry);
    also?.(entry);
  }

  return {
    entries,
    take,
    add: (happening) => take({ ...happening, at: now(), callId }),
    until<T extends Happening['type']>(
      type: T,
      match: (entry: Entry<T>) => boolean = () => true,
      ms: number = waitMs,
    ) {
      const fits = (entry: Entry): entry is Entry<T> => entry.type === type && match(entry as Entry<T>); // narrowed by type
      const there = entries.find(fits);
      if (there) return Promise.resolve(there);
      const { promise, resolve, reject } = Promise.withResolvers<Entry<T>>();
      const timer = setTimeout(() => waiter.fail(`did not happen within ${ms} ms`), ms);
      const waiter = {
        offer(entry: Entry) {
          if (!fits(entry)) return;
          settle();
          resolve(entry);
        },
        fail(why: string) {
          settle();
          reject(
            new Error(
              `'${type}' ${why}; what did: ${entries.map((entry) => entry.type).join(', ') || 'nothing'}`,
            ),
          );
        },
      };
      function settle() {
        clearTimeout(timer);
        waiting.delete(waiter);
      }
      waiting.add(waiter);
      return promise;
    },
    close() {
      for (const waiter of waiting) waiter.fail('will not happen: the simulator has closed');
    },
  };
}
