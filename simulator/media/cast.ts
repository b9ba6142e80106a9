import type { CallOptions } from '../calls/handle.ts';
import { parseIdentifier } from '../calls/identifiers.ts';
import type { Exchange } from '../exchange.ts';
import { atPitch } from './speech.ts';
import type { Speech } from './voices.ts';

/** Who says what: the caller comes first, and nobody's pitch is another's. */
export function createCast({ sound = 'speech', voices = {} }: CallOptions, exchange: Exchange) {
  const given = new Map(Object.entries(voices).map(([who, said]) => [parseIdentifier(who).rawId, said]));
  return (rawId: string, nth: number): Speech => {
    const said = given.get(rawId) ?? (nth === 0 ? sound : 'speech');
    if (said === 'silence') return { sound: { sampleRate: 24_000, samples: new Int16Array(0) }, loop: false };
    if (said !== 'speech') return { sound: said, loop: false };
    return { sound: nth === 0 ? exchange.speech() : atPitch(exchange.speech(), 2 ** (nth / 4)), loop: true };
  };
}
