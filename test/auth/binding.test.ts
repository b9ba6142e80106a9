import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { bindingShape, createBindings, type Purpose } from '../../src/auth/binding.ts';

const oldKey = 'an old key of thirty-two characters';
const newKey = 'a new key of thirty-two characters.';
const purposes: Purpose[] = ['media', 'events'];

describe('a binding', () => {
  const bindings = createBindings({ keys: [newKey, oldKey], now: () => 1_764_000_000_123.9 });

  it('names its call and the time of answering, in both addresses', () => {
    const issued = bindings.issue();
    assert.match(issued.callId, /^[0-9a-f]{32}$/);
    assert.equal(issued.issuedAt, 1_764_000_000_123);
    const call = { callId: issued.callId, issuedAt: issued.issuedAt };
    for (const purpose of purposes) {
      assert.match(issued[purpose], bindingShape);
      assert.equal(issued[purpose].length, 72);
      assert.deepEqual(bindings.open(issued[purpose], purpose), call);
    }
  });

  it('is different for each call', () => {
    const ids = new Set(Array.from({ length: 1000 }, () => bindings.issue().callId));
    assert.equal(ids.size, 1000);
  });

  it('in one address does not pass for the other', () => {
    const { media, events } = bindings.issue();
    assert.equal(bindings.open(media, 'events'), undefined);
    assert.equal(bindings.open(events, 'media'), undefined);
  });

  it('is signed with the first key and good with each', () => {
    const first = createBindings({ keys: [newKey] });
    const second = createBindings({ keys: [oldKey] });
    assert.ok(first.open(bindings.issue().media, 'media'));
    assert.equal(second.open(bindings.issue().media, 'media'), undefined);
    assert.ok(bindings.open(first.issue().media, 'media'));
    assert.ok(bindings.open(second.issue().media, 'media'));
    const stranger = createBindings({ keys: ['a key of somebody else, 32 letters'] });
    assert.equal(bindings.open(stranger.issue().media, 'media'), undefined);
  });

  it('has one form: with anything changed, added or removed it is refused', () => {
    const { media } = bindings.issue();
    for (const changed of [
      `${media}=`,
      `${media}\n`,
      ` ${media}`,
      `${media}A`,
      media.slice(0, -1),
      `${media}/`,
    ]) {
      assert.equal(bindings.open(changed, 'media'), undefined);
      assert.doesNotMatch(changed, bindingShape);
    }
  });

  it('needs a key', () => {
    assert.throws(() => createBindings({ keys: [] }), TypeError);
  });
});
