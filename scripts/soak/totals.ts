// What the log adds up to at the end, once its last line is read.

import { attempts } from './attempts.ts';

/** Each stranger who was turned away is in the log with the reason that was to be expected, and nobody else. */
export function compareRefusals(
  strangers: Readonly<Record<string, number>>,
  logged: ReadonlyMap<string, number>,
): string[] {
  const expected = new Map<string, number>();
  for (const [name, { reason }] of Object.entries(attempts)) {
    expected.set(reason, (expected.get(reason) ?? 0) + (strangers[name] ?? 0));
  }
  return compare('refusals in the log for', expected, logged);
}

/**
 * Each call is in the log once, with one hang-up if it was the app's to make. When a call is judged that may be too early
 * to tell: a second hang-up can still follow.
 *
 * @param placed how many calls there were, those that warmed up included
 * @param endedBy how many of them had each outcome
 */
export function compareCalls(
  { placed, endedBy }: { placed: number; endedBy: Readonly<Record<string, number>> },
  logged: ReadonlyMap<string, number>,
): string[] {
  const expected = new Map([
    ...['call.announced', 'call.answered', 'call.ended'].map((name) => [name, placed] as const),
    ['call.hung_up', endedBy['the app hung up'] ?? 0],
  ]);
  return compare('lines in the log of', expected, logged);
}

function compare(
  what: string,
  expected: ReadonlyMap<string, number>,
  logged: ReadonlyMap<string, number>,
): string[] {
  return [...expected]
    .filter(([name, count]) => count !== (logged.get(name) ?? 0))
    .map(([name, count]) => `${what} ${name}: ${logged.get(name) ?? 0}, not ${count}`);
}
