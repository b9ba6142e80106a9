import assert from 'node:assert/strict';
import fc from 'fast-check';
import { bindingShape, createBindings, type Purpose } from '../../src/auth/binding.ts';

const purposes: Purpose[] = ['media', 'events'];
const purpose = fc.constantFrom(...purposes);
const bindings = createBindings({
  keys: ['a new key of thirty-two characters.', 'an old key of 32 characters'],
});

/** Members of 48 bits: the last one is in the year 10889. */
const time = fc.nat(2 ** 48 - 1);
const key = fc.string({ minLength: 1, maxLength: 64 });

const anySegment = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 100 }),
  fc.base64String(),
  fc.uint8Array({ minLength: 54, maxLength: 54 }).map((bytes) => Buffer.from(bytes).toString('base64url')),
);

export const bindingProperties = {
  'what is issued is opened, as it was, for its purpose alone': fc.property(
    time,
    fc.uniqueArray(key, { minLength: 2, maxLength: 2 }),
    purpose,
    (now, [first = '', second = ''], at) => {
      const issued = createBindings({ keys: [first], now: () => now }).issue();
      const { callId, issuedAt } = issued;
      assert.equal(issuedAt, now);
      assert.match(issued[at], bindingShape);
      for (const keys of [[first], [first, second], [second, first]]) {
        for (const other of purposes) {
          const expected = other === at ? { callId, issuedAt } : undefined;
          assert.deepEqual(createBindings({ keys }).open(issued[at], other), expected);
        }
      }
      assert.equal(createBindings({ keys: [second] }).open(issued[at], at), undefined);
    },
  ),

  'with any bit flipped it is refused': fc.property(fc.nat(54 * 8 - 1), purpose, (bit, at) => {
    const bytes = Buffer.from(bindings.issue()[at], 'base64url');
    bytes.writeUInt8(bytes.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
    assert.equal(bindings.open(bytes.toString('base64url'), at), undefined);
  }),

  'it has one form: with any character changed, added or removed it is refused': fc.property(
    fc.nat(72),
    fc.nat(1),
    fc.string({ unit: 'binary', maxLength: 2 }),
    (at, removed, other) => {
      const { media } = bindings.issue();
      const changed = media.slice(0, at) + other + media.slice(at + removed);
      fc.pre(changed !== media);
      assert.equal(bindings.open(changed, 'media'), undefined);
    },
  ),

  'any text may be asked for, and is none': fc.property(anySegment, purpose, (segment, at) => {
    assert.equal(bindings.open(segment, at), undefined);
  }),
};
