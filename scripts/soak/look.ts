import { setTimeout } from 'node:timers/promises';
import type { Percentiles } from '../times.ts';
import type { SoakedApp } from './app.ts';

/** What the app's process holds, once nothing of it is left to collect; and how it has done since it was begun with. */
export interface Look {
  /** In bytes: the process, JavaScript's heap and what of it is in use, and buffers outside of it. */
  rss: number;
  heapTotal: number;
  heapUsed: number;
  external: number;
  /** What keeps the process alive, by Node's name for it; and `files`: open files and sockets, of which Linux alone tells. */
  handles: Record<string, number>;
  eventLoopDelayMs: Percentiles;
  /** Of processors, all threads together, since its start, in milliseconds. */
  usedMs: number;
}

const mib = 1024 * 1024;

/** By how much it may hold more than before, in bytes: caches that fill. */
const tolerance = { heapUsed: 8 * mib, external: 8 * mib };

const everyMs = 1_000;

/** Waits until a process without calls has let go of everything: twice in a row it holds the same. */
export async function lookAtRest(app: SoakedApp, patienceMs = 15_000): Promise<Look> {
  const until = performance.now() + patienceMs;
  app.hush();
  let last = await app.look();
  for (;;) {
    await setTimeout(everyMs);
    const now = await app.look();
    const isAtRest = Object.keys({ ...last.handles, ...now.handles }).every(
      (name) => last.handles[name] === now.handles[name],
    );
    if (isAtRest || performance.now() > until) return now;
    last = now;
  }
}

/** Waits until it holds no more than before. @returns the last look, and what it still holds too much of */
export async function lookAgain(
  app: SoakedApp,
  before: Look,
  patienceMs = 30_000,
): Promise<{ look: Look; faults: string[] }> {
  const until = performance.now() + patienceMs;
  for (;;) {
    app.hush();
    const look = await app.look();
    const faults = compare(before, look);
    if (faults.length === 0 || performance.now() > until) return { look, faults };
    await setTimeout(everyMs);
  }
}

function compare(before: Look, after: Look): string[] {
  const faults = Object.entries(after.handles)
    .filter(([name, count]) => count > (before.handles[name] ?? 0))
    .map(([name, count]) => `handles: ${count} of ${name}, and ${before.handles[name] ?? 0} before`);
  for (const name of ['heapUsed', 'external'] as const) {
    if (after[name] - before[name] <= tolerance[name]) continue;
    faults.push(`memory: ${name} is ${mb(after[name])}, and was ${mb(before[name])} before`);
  }
  return faults;
}

/** The most that the process had of the system in each half of the run, in bytes. */
export interface Peaks {
  first: number;
  second: number;
}

/** By how much the second may be more, in bytes; and how long a run has to be for it to mean something, in seconds. */
const growth = { bytes: 64 * mib, fromSeconds: 600 };

/**
 * What a process has once needed it keeps for the next time, though nothing of it is in use: what was most is no leak.
 * What goes on growing is.
 */
export function comparePeaks({ first, second }: Peaks, seconds: number): string[] {
  if (seconds < growth.fromSeconds || second - first <= growth.bytes) return [];
  return [`memory: the process had up to ${mb(first)} in the first half, and ${mb(second)} in the second`];
}

export const mb = (bytes: number) => `${(bytes / mib).toFixed(1)} MB`;
