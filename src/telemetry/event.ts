import type { EventName, events } from './names.ts';

/** What the log line of an event must say beside its name: all of its keys, of which some may be unknown. */
export type EventFields<Name extends EventName> = {
  readonly [Key in (typeof events)[Name]['properties'][number]]: string | number | boolean | undefined;
} & {
  readonly [Key in (typeof events)[Name]['measurements'][number]]: number | undefined;
};

/**
 * The fields of a log line that is an event (names.ts has them all). A misspelt name or key is a type error.
 *
 * @param fields may be left out where the event has none
 */
export function event<Name extends EventName>(
  name: Name,
  ...[fields]: keyof EventFields<Name> extends never ? [] : [fields: EventFields<Name>]
) {
  return { event: name, ...fields };
}

/** The keys of an error in an event: neither its message nor its stack, which may hold anything. */
export function errorKeys(error: unknown): { type: string; code: string | undefined } {
  if (!(error instanceof Error)) return { type: typeof error, code: undefined };
  const code = 'code' in error && ['string', 'number'].includes(typeof error.code) ? error.code : undefined;
  return { type: error.name, code: code === undefined ? undefined : String(code).slice(0, 64) };
}

/** A duration for an event. @param begun what `performance.now()` said @returns milliseconds, to a tenth */
export function msSince(begun: number): number {
  return Math.round((performance.now() - begun) * 10) / 10;
}
