import type { Faults } from '../faults/faults.ts';
import type { Random } from '../faults/random.ts';
import type { Happening } from '../journal.ts';
import { wait } from '../wait.ts';

/** The faults that befall events. */
export type EventFault = 'duplicateEvents' | 'reorderEvents' | 'delayEvents' | 'loseEvents';

/** What decides about a call's events. */
export interface EventFate {
  faults: () => Faults;
  random: Random;
  /** Is told each fault that happens. */
  note: (happening: Happening) => void;
}

/** Whether a fault befalls an event of this name. Each name has its own chance: events of two names may race. */
export function befalls({ faults, random, note }: EventFate, fault: EventFault, event: string): boolean {
  const current = faults();
  if (current.onlyEvents?.includes(event) === false) return false;
  const share = fault === 'delayEvents' ? (current.delayEvents?.share ?? false) : current[fault];
  if (!random.chance(`${fault} ${event}`, share)) return false;
  note({ type: 'fault', fault, event });
  return true;
}

/** How many copies of an event go out, the lost ones included. */
export const copiesOf = (fate: EventFate, event: string) => (befalls(fate, 'duplicateEvents', event) ? 2 : 1);

/** The order in which events go out. */
export interface Turns<Event> {
  /** Resolves when it is delivered; at once if the faults keep it from being that now. */
  push(event: Event): Promise<void>;
  /** Resolves when everything is, what is late too. */
  settled(): Promise<void>;
}

/**
 * Delivers one at a time and in turn, but for what the faults say: at least once, out of order and a minute late, as
 * in the field. An event that is late or overtaken keeps nobody waiting.
 *
 * @param options.overtakeMs how long one that is to be overtaken waits for another, in milliseconds
 */
export function createTurns<Event>({
  fate,
  nameOf,
  deliver,
  overtakeMs,
  signal,
}: {
  fate: EventFate;
  nameOf: (event: Event) => string;
  deliver: (event: Event) => Promise<unknown>;
  overtakeMs: number;
  signal: AbortSignal;
}): Turns<Event> {
  let last: Promise<unknown> = Promise.resolve();
  let overtaken: (() => void) | undefined;
  const delayed = new Set<Promise<void>>();

  async function take(event: Event): Promise<void> {
    const turn = last.then(() => deliver(event));
    last = turn;
    overtaken?.(); // it comes next
    await turn;
  }

  function takeAfter(delay: Promise<void>, event: Event): void {
    const done = delay.then(() => take(event)).finally(() => delayed.delete(done));
    delayed.add(done);
  }

  /** Until another has had its turn, should there be one. */
  function untilOvertaken(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    overtaken = resolve;
    const patience = new AbortController();
    return Promise.race([promise, wait(overtakeMs, AbortSignal.any([signal, patience.signal]))]).finally(
      () => {
        patience.abort();
        overtaken = undefined;
      },
    );
  }

  async function dispatch(event: Event): Promise<void> {
    const name = nameOf(event);
    if (befalls(fate, 'loseEvents', name)) return;
    if (befalls(fate, 'delayEvents', name)) {
      takeAfter(wait(fate.faults().delayEvents?.ms ?? 0, signal), event);
    } else if (!overtaken && befalls(fate, 'reorderEvents', name)) {
      takeAfter(untilOvertaken(), event);
    } else await take(event);
  }

  return {
    async push(event) {
      const copies = copiesOf(fate, nameOf(event));
      await Promise.all(Array.from({ length: copies }, () => dispatch(event)));
    },
    async settled() {
      while (delayed.size > 0) await Promise.all(delayed);
    },
  };
}
