import { createHistogram } from 'node:perf_hooks';

/** Of times, in milliseconds. */
export interface Percentiles {
  p50: number;
  p99: number;
  max: number;
}

/** Gathers times, however many, in little memory: whole microseconds, from 1 on. */
export function createTimes() {
  const microseconds = createHistogram();
  return {
    record: (ms: number) => microseconds.record(Math.max(1, Math.round(ms * 1_000))),
    reset: () => microseconds.reset(),
    get count() {
      return microseconds.count;
    },
    read: (): Percentiles => ({
      p50: microseconds.percentile(50) / 1_000,
      p99: microseconds.percentile(99) / 1_000,
      max: microseconds.max / 1_000,
    }),
  };
}
