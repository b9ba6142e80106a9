import fc from 'fast-check';

/** A value as it comes out of JSON: without -0, and with `__proto__` as a member like any other. */
export const asJson = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

/** Names that mean something to JavaScript. */
const hostileNames = [
  '__proto__',
  'constructor',
  'prototype',
  'toString',
  'hasOwnProperty',
  'then',
  'toJSON',
];

/** Whatever JSON can say, members with a bad name included. */
export const anyJson: fc.Arbitrary<unknown> = fc
  .oneof(
    { weight: 3, arbitrary: fc.jsonValue() },
    fc.dictionary(fc.oneof(fc.constantFrom(...hostileNames), fc.string()), fc.jsonValue(), { maxKeys: 5 }),
  )
  .map(asJson);

/**
 * An object that has some members of a good one, others that are nonsense, and some that nobody knows; or all of a
 * good one's but one.
 */
export function nearly(good: Readonly<Record<string, fc.Arbitrary<unknown>>>): fc.Arbitrary<object> {
  const members = Object.entries(good).map(
    ([name, value]) => [name, fc.oneof({ weight: 4, arbitrary: value }, anyJson)] as const,
  );
  const some = fc.record(Object.fromEntries(members), { requiredKeys: [] });
  const unknown = fc.dictionary(fc.constantFrom('more', ...hostileNames), fc.jsonValue(), { maxKeys: 2 });
  const odd = fc.oneof(fc.constantFrom(undefined, null, '', 0, false), anyJson);
  const allButOne = fc
    .tuple(fc.record(good), fc.constantFrom('more', ...Object.keys(good)), odd)
    .map(([all, name, value]) => ({ ...all, [name]: value }));
  return fc
    .oneof(
      fc.tuple(unknown, some).map(([more, known]) => ({ ...more, ...known })),
      allButOne,
    )
    .map((value) => JSON.parse(JSON.stringify(value)));
}

/** A member that may be absent or null. */
export const maybe = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<T | null | undefined> =>
  fc.oneof({ weight: 2, arbitrary: value }, fc.constantFrom(null, undefined));

/** Any text, control characters and lone surrogates included. */
export const anyText: fc.Arbitrary<string> = fc.oneof(
  fc.string(),
  fc.string({ unit: 'binary' }),
  fc.string({ unit: fc.constantFrom(...'{}[]":,\\/ \n=+-_\0\u0141é\u2028') }),
);
