import { createHash } from 'node:crypto';
import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64';
import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { xoroshiro128plusFromState } from 'pure-rand/generator/xoroshiro128plus';
import type { RandomGenerator } from 'pure-rand/types/RandomGenerator';

/** How often something happens: always, never, or with this probability. */
export type Share = boolean | number | null;

/**
 * Chance that repeats itself. Each `what` draws from a stream of its own, so that how often something else is asked,
 * and when, makes no difference.
 */
export interface Random {
  /** Whether it happens this time. */
  chance(what: string, share: Share): boolean;
  /** A whole number from 0 up to and including `most`. */
  upTo(what: string, most: number): number;
}

/** @param seed what makes the same things happen again: a seed, and whatever tells one user of it from another */
export function createRandom(...seed: readonly (number | string)[]): Random {
  const streams = new Map<string, RandomGenerator>();

  function stream(what: string): RandomGenerator {
    let generator = streams.get(what);
    if (!generator) {
      const digest = createHash('sha256')
        .update(JSON.stringify([...seed, what]))
        .digest();
      generator = xoroshiro128plusFromState([0, 4, 8, 12].map((at) => digest.readInt32LE(at)));
      streams.set(what, generator);
    }
    return generator;
  }

  return {
    chance(what, share) {
      if (typeof share !== 'number') return share === true;
      return uniformFloat64(stream(what)) < share;
    },
    upTo: (what, most) => uniformInt(stream(what), 0, most),
  };
}
