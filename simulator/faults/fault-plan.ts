import { randomInt } from 'node:crypto';
import { definedOf } from '../defined.ts';
import type { CallFaults, FaultChanges, Faults } from './faults.ts';
import { callFaultsSchema, faultChangesSchema, noFaults } from './faults.ts';
import type { Random } from './random.ts';
import { createRandom } from './random.ts';

/** What goes wrong in a simulator, and what in its calls. */
export interface FaultPlan {
  readonly current: Faults;
  /** @throws ZodError, which names the field that is wrong */
  change(changes: FaultChanges): void;
  /**
   * What goes wrong in one call more. With the same seed the nth call has the same luck; a call with a seed of its own
   * always has.
   *
   * @param own takes the place of the simulator's
   * @throws ZodError, which names the field that is wrong
   */
  forCall(own?: CallFaults): { faults: () => Faults; random: Random };
}

/** @param seed by default another one each time */
export function createFaultPlan(seed = makeSeed()): FaultPlan {
  let current: Faults & { seed: number } = { ...noFaults, seed };
  let calls = 0;

  return {
    get current() {
      return current;
    },
    change(changes) {
      const { seed: sown, ...others } = definedOf(faultChangesSchema.parse(changes));
      current = { ...current, ...others };
      if (sown === undefined) return;
      current.seed = sown ?? makeSeed();
      calls = 0;
    },
    forCall(own = {}) {
      const instead = definedOf(callFaultsSchema.parse(own));
      calls += 1;
      return {
        faults: () => ({ ...current, ...instead }),
        random: instead.seed == null ? createRandom(current.seed, calls) : createRandom(instead.seed),
      };
    },
  };
}

const makeSeed = () => randomInt(2 ** 32);
