import { EventEmitter, once } from 'node:events';

/** What came, and waiting for what will. */
export interface Arrivals<T> {
  readonly all: readonly T[];
  add(...news: T[]): void;
  /**
   * The first that matches, be it there already or still to come.
   *
   * @param wanted what is waited for, in words
   * @throws when it doesn't come in time, naming what came instead
   */
  until(match: (one: T) => boolean, wanted?: string): Promise<T>;
}

/**
 * @param options.limitMs how long `until` waits for an arrival at most, in milliseconds
 * @param options.name what an error calls one that came
 */
export function createArrivals<T>({
  limitMs,
  name,
}: {
  limitMs: number;
  name: (one: T) => unknown;
}): Arrivals<T> {
  const all: T[] = [];
  const arrivals = new EventEmitter().setMaxListeners(0);

  return {
    all,
    add(...news) {
      all.push(...news);
      arrivals.emit('arrival');
    },
    async until(match, wanted = 'what was awaited') {
      const limit = AbortSignal.timeout(limitMs);
      for (;;) {
        const found = all.find(match);
        if (found !== undefined) return found;
        await once(arrivals, 'arrival', { signal: limit }).catch(() => {
          throw new Error(`${wanted} didn't come; this did: ${all.map(name).join('; ')}`);
        });
      }
    },
  };
}
