import { definedOf } from '../defined.ts';
import type { FaultChanges } from '../faults/faults.ts';
import type { Simulator } from '../simulator.ts';
import type { NextAnswer, Scenario } from './scenario.ts';

/** What a scenario spoils for all calls, until it is over. */
export interface Spoils {
  next(answer: NextAnswer): void;
  faults(changes: FaultChanges): void;
  dialed(what: NonNullable<Scenario['dialed']>): void;
  takeBack(): void;
}

export function createSpoils(simulator: Simulator): Spoils {
  const undo: (() => void)[] = [];
  return {
    next({ operation, ...fault }) {
      undo.push(simulator.failNext(operation, fault));
    },
    faults(changes) {
      const before = Object.entries(simulator.faults).filter(([name]) => name in changes);
      simulator.setFaults(changes);
      undo.push(() => simulator.setFaults(Object.fromEntries(before)));
    },
    dialed(what) {
      undo.push(simulator.setDialed(definedOf(what)));
    },
    takeBack() {
      for (const step of undo.reverse()) step();
    },
  };
}
