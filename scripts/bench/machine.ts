import { readFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import type { Processors } from './processors.ts';

/** What was measured on. */
export interface Machine {
  node: string;
  processors: string;
  /** Whether what is measured had a processor of its own. */
  apart: boolean;
}

export function describeMachine(parted: Processors | undefined): Machine {
  const all = cpus();
  return {
    node: process.version,
    processors: `${all.length} × ${all[0]?.model.trim()}`,
    apart: parted !== undefined,
  };
}

/** How many processes ran or wanted to, on average over the last minute. Zero on Windows, which doesn't tell. */
export function readLoad(): number {
  return loadavg()[0] ?? 0;
}

/**
 * How long a process's main thread has been ready to run while others ran (Linux, sched-stats.rst).
 *
 * @returns milliseconds; undefined where the system doesn't tell
 */
export function readWaitedMs(pid: number | 'self' = 'self'): number | undefined {
  try {
    return Number(readFileSync(`/proc/${pid}/schedstat`, 'utf8').split(' ')[1]) / 1e6;
  } catch {
    return undefined;
  }
}
