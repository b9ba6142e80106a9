import { randomInt } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import fc from 'fast-check';
import type { Property } from '../../test/fuzz/properties.ts';

export interface FuzzOptions {
  readonly properties: readonly Property[];
  /** Ends it, after the turn that is under way. */
  readonly signal: AbortSignal;
  /** How long each property has its turn, in milliseconds. */
  readonly turnMs?: number;
  /** Is told of each turn, and how many runs there were so far. */
  readonly progress: (name: string, runs: number) => void;
  /** Is told of each counterexample, with how to have it again. */
  readonly found: (report: string) => void;
}

/** How often each property held, and how many did not. */
export interface FuzzSummary {
  readonly runs: ReadonlyMap<string, number>;
  readonly counterexamples: number;
}

/** Tries properties in turn, each time on other inputs. One that doesn't hold has had its last turn. */
export async function fuzz(options: FuzzOptions): Promise<FuzzSummary> {
  const { properties, signal, turnMs = 500, progress, found } = options;
  const runs = new Map(properties.map(({ name }) => [name, 0]));
  const holding = new Set(properties);
  let total = 0;

  while (holding.size > 0) {
    for (const property of holding) {
      // Signals and timers have their turn too: most properties leave them none.
      await setImmediate();
      if (signal.aborted) return { runs, counterexamples: properties.length - holding.size };
      const seed = randomInt(2 ** 31);
      const limits = { seed, numRuns: Number.MAX_SAFE_INTEGER, interruptAfterTimeLimit: turnMs };
      const details = await fc.check(property.property, limits);
      total += details.numRuns;
      runs.set(property.name, (runs.get(property.name) ?? 0) + details.numRuns);
      progress(property.name, total);
      if (!isRefuted(details)) continue;
      holding.delete(property);
      found(report(property, details));
    }
  }
  return { runs, counterexamples: properties.length };
}

/**
 * Tries one property on one input again.
 *
 * @param options.seed,path as a report has them
 * @returns the report; undefined if it holds now
 */
export async function repeat(
  property: Property,
  { seed, path }: { seed: number; path: string },
): Promise<string | undefined> {
  const details = await fc.check(property.property, { seed, path, endOnFailure: true });
  return isRefuted(details) ? report(property, details) : undefined;
}

/** Not merely interrupted before its first run. */
const isRefuted = ({ failed, interrupted, counterexample }: fc.RunDetails<unknown>) =>
  failed && (counterexample !== null || !interrupted);

function report({ name }: Property, details: fc.RunDetails<unknown>): string {
  const { seed, counterexamplePath: path, counterexample, errorInstance } = details;
  const again =
    path === null ? '' : `\n  again: npm run fuzz -- --only '${name}' --seed ${seed} --path ${path}`;
  const why = errorInstance instanceof Error ? errorInstance.message : String(errorInstance);
  return `does not hold: ${name}\n  counterexample: ${fc.stringify(counterexample)}\n  ${why}${again}`;
}
