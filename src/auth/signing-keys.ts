import { AsyncLocalStorage } from 'node:async_hooks';
import type { KeyObject } from 'node:crypto';
import { createLogLimiter, type Logger } from '../log.ts';
import { event, msSince } from '../telemetry/event.ts';
import { fetchKeySet, type KeySet } from './key-set.ts';
import { CannotVerify, InvalidToken } from './refusals.ts';

/** All durations are in milliseconds. */
export interface SigningKeysOptions {
  /** Where the keys are. */
  jwksUrl: string;
  log: Logger;
  /** A monotonic clock: the wall clock jumps. */
  now?: () => number;
  /** For one fetch, head and body together. */
  fetchMs?: number;
  /** Of the set, inflated. */
  maxBytes?: number;
  /** After which the set is fetched again. */
  refreshMs?: number;
  /** Between two fetches, and after a failed one. */
  pauseMs?: number;
  /** How long the last good set serves. */
  maxAgeMs?: number;
  /** Tokens that may wait for a fetch at once. */
  maxWaiting?: number;
}

export type SigningKeys = ReturnType<typeof createSigningKeys>;

/**
 * The issuer's public keys: fetched ahead of need, kept while the issuer is away, and asked for again when a token
 * names a new one (a rotation), yet never more often than a stranger's tokens may cause.
 */
export function createSigningKeys({
  jwksUrl,
  log,
  now = () => performance.now(),
  fetchMs = 3000,
  maxBytes = 256 * 1024,
  refreshMs = 10 * 60_000,
  pauseMs = 5000,
  maxAgeMs = 24 * 60 * 60_000,
  maxWaiting = 200,
}: SigningKeysOptions) {
  const closing = new AbortController();
  const firstKeys = Promise.withResolvers<void>();
  // A fetch is for all: else the first to ask would have it in its trace, and all those that are scheduled after it.
  const onNobodysBehalf = AsyncLocalStorage.snapshot();
  const mayLog = createLogLimiter({ burst: 2, windowMs: 60_000, now });
  let keys: KeySet['keys'] = new Map();
  let fetchedAt = Number.NEGATIVE_INFINITY;
  let failedAt = Number.NEGATIVE_INFINITY;
  let inFlight: Promise<boolean> | undefined;
  let waiting = 0;
  let fetched = 0;
  let failed = 0;
  let timer: NodeJS.Timeout | undefined;

  const isFresh = (ageMs: number) => now() - fetchedAt < ageMs;

  /** One fetch at a time, whoever asks. Never rejects: true if the keys are new now. */
  function refresh(): Promise<boolean> {
    inFlight ??= onNobodysBehalf(fetchKeys).finally(() => {
      inFlight = undefined;
    });
    return inFlight;
  }

  async function fetchKeys(): Promise<boolean> {
    clearTimeout(timer);
    const startedAt = now();
    const begun = performance.now();
    try {
      const signal = AbortSignal.any([closing.signal, AbortSignal.timeout(fetchMs)]);
      const set = await fetchKeySet({ jwksUrl, maxBytes, signal });
      keys = set.keys;
      // The set is as old as the request for it: a rotation may have come since.
      fetchedAt = startedAt;
      fetched += 1;
      firstKeys.resolve();
      logFetch(set, msSince(begun));
      schedule(refreshMs);
      return true;
    } catch (error) {
      failedAt = now();
      failed += 1;
      logFailure(error);
      schedule(pauseMs);
      return false;
    }
  }

  function schedule(delayMs: number): void {
    if (closing.signal.aborted) return;
    timer = setTimeout(refresh, delayMs).unref();
  }

  function logFetch({ keys, ignored }: KeySet, fetchMs: number): void {
    const line = mayLog('fetched');
    if (!line) return;
    const { suppressed } = line;
    log.info(
      event('keys.fetched', { keys: keys.size, ignored, fetchMs, suppressed }),
      'signing keys fetched',
    );
  }

  function logFailure(error: unknown): void {
    const line = closing.signal.aborted ? undefined : mayLog('failed');
    if (!line) return;
    const { suppressed } = line;
    const facts = { cause: causeOf(error), serving: isFresh(maxAgeMs), suppressed };
    log.warn(event('keys.failed', facts), 'signing keys not fetched');
  }

  async function findAfterFetch(kid: string): Promise<KeyObject> {
    waiting += 1;
    try {
      if (!(await refresh())) throw new CannotVerify('no_keys');
    } finally {
      waiting -= 1;
    }
    const key = keys.get(kid);
    if (!key) throw new InvalidToken('unknown_key');
    return key;
  }

  return {
    /**
     * The key of that name: at once if it is known, else after a fetch of at most `fetchMs`.
     *
     * @throws {InvalidToken} (or rejects) there is no such key
     * @throws {CannotVerify} (or rejects) whether there is one can't be told now
     */
    find(kid: string): KeyObject | Promise<KeyObject> {
      const key = isFresh(maxAgeMs) ? keys.get(kid) : undefined;
      if (key) return key;
      if (!inFlight && isFresh(pauseMs)) throw new InvalidToken('unknown_key');
      if (!inFlight && now() - failedAt < pauseMs) throw new CannotVerify('no_keys');
      if (waiting >= maxWaiting) throw new CannotVerify('too_many_waiting');
      return findAfterFetch(kid);
    },

    /** Whether there are keys to verify with. */
    get ready(): boolean {
      return isFresh(maxAgeMs);
    },

    /** How often the set was fetched or not, how old the last one is, and how many tokens wait for it. */
    get stats() {
      const ageMs = fetched > 0 ? now() - fetchedAt : undefined;
      return { fetched, failed, ageMs, waiting };
    },

    /** Resolves with the first keys. */
    whenReady: firstKeys.promise,

    /** Starts the first fetch, and goes on fetching ahead of need. */
    start(): void {
      void refresh();
    },

    /** Ends all fetching. Known keys stay known. */
    close(): void {
      closing.abort();
      clearTimeout(timer);
    },
  };
}

/** Why a fetch failed, in a few words: fetch hides the system's error code in `cause`. */
function causeOf(error: unknown): string {
  if (!(error instanceof Error)) return 'not an error';
  const { cause } = error;
  const code = cause instanceof Error && 'code' in cause ? `: ${cause.code}` : '';
  return `${error.message}${code}`.slice(0, 200);
}
