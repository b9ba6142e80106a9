import { createCounters } from '../media/session.ts';
import type { CallControl } from './call-control.ts';

type CallTotals = CallControl['totals'];

/** What all calls came to since the start of the process. */
export function createTotals() {
  let ended: CallTotals = { ...createCounters(), duplicates: 0 };
  const events: Record<string, number> = {};

  return {
    /** Takes over what a call that ends came to. */
    add(call: CallTotals): void {
      ended = sum(ended, call);
    },
    /** Counts an event. @param type of a closed list */
    count(type: string): void {
      events[type] = (events[type] ?? 0) + 1;
    },
    /** The sums over calls that have ended and those that still run. */
    with: (running: readonly CallTotals[]) => ({ ...running.reduce(sum, ended), events: { ...events } }),
  };
}

function sum(one: CallTotals, other: CallTotals): CallTotals {
  return {
    framesIn: one.framesIn + other.framesIn,
    framesOut: one.framesOut + other.framesOut,
    bytesIn: one.bytesIn + other.bytesIn,
    bytesOut: one.bytesOut + other.bytesOut,
    malformed: one.malformed + other.malformed,
    refused: one.refused + other.refused,
    maxBufferedBytes: Math.max(one.maxBufferedBytes, other.maxBufferedBytes),
    duplicates: one.duplicates + other.duplicates,
  };
}
