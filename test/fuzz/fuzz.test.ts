import { describe, it } from 'node:test';
import fc from 'fast-check';
import { properties } from './properties.ts';

/** The same inputs each time: others are for `npm run fuzz`. */
const seed = 20_260_901;

describe('it holds for any input, says', () => {
  for (const { name, property } of properties) {
    it(name, async () => {
      await fc.assert(property, { seed, numRuns: 500 });
    });
  }
});
