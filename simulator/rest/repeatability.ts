import type { Effect } from './operation.ts';

/** Requests that may come again: Microsoft's guidelines on REST call it repeatability. */
export interface Repeatability {
  /** Runs once for each key. What comes again has the same body for its answer, and no other effect. */
  once(key: string, run: () => Promise<Effect>): Promise<{ effect: Effect; replayed: boolean }>;
}

/** @param options.limit how many are remembered */
export function createRepeatability(limit = 10_000): Repeatability {
  const answered = new Map<string, Promise<Effect>>();

  return {
    async once(key, run) {
      const known = answered.get(key);
      if (known) return { effect: { body: (await known).body }, replayed: true };
      const running = run();
      answered.set(key, running);
      running.catch(() => answered.delete(key)); // a refusal may be different the next time
      const [oldest] = answered.keys();
      if (answered.size > limit && oldest !== undefined) answered.delete(oldest);
      return { effect: await running, replayed: false };
    },
  };
}
