// What holds for any input: tried with a few hundred of them by each run of the tests, and with as many as one likes by
// `npm run fuzz`.

import type fc from 'fast-check';
import { bindingProperties } from './binding.ts';
import { callProperties } from './calls.ts';
import { codecProperties } from './codec.ts';
import { configProperties } from './config.ts';
import { eventProperties } from './events.ts';
import { tokenProperties } from './token.ts';

/** Something that holds for any input. */
export interface Property {
  readonly name: string;
  readonly property: fc.IRawProperty<unknown>;
}

/** All of them. */
export const properties: readonly Property[] = Object.entries({
  codec: codecProperties,
  events: eventProperties,
  calls: callProperties,
  binding: bindingProperties,
  token: tokenProperties,
  config: configProperties,
}).flatMap(([room, those]) =>
  Object.entries<fc.IRawProperty<unknown>>(those).map(([name, property]) => ({
    name: `${room}: ${name}`,
    property,
  })),
);
