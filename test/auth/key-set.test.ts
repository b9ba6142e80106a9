import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { selectKeys } from '../../src/auth/key-set.ts';
import { createSigningKey } from '../support/issuer.ts';

const good = createSigningKey({ kid: 'good' });
const other = createSigningKey({ kid: 'other' });
const kids = (entries: unknown[]) => [...selectKeys(entries).keys.keys()];

describe('of a key set', () => {
  const { use: _use, alg: _alg, ...bare } = good.jwk;
  const usable: [what: string, jwk: unknown][] = [
    ['use and alg', good.jwk],
    ['neither use nor alg', bare],
    ['key_ops with verify', { ...bare, key_ops: ['verify'] }],
    ['members nobody knows', { ...good.jwk, x5c: 1, x5t: [], issuer: 'x' }],
  ];
  for (const [what, jwk] of usable) {
    it(`an RSA key with ${what} is used`, () => {
      const { keys, ignored } = selectKeys([jwk]);
      assert.equal(keys.get('good')?.equals(good.publicKey), true);
      assert.equal(ignored, 0);
    });
  }

  const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ format: 'jwk' });
  const unusable: [what: string, entry: unknown][] = [
    ['null', null],
    ['undefined', undefined],
    ['a number', 7],
    ['a string', 'key'],
    ['an array', [good.jwk]],
    ['an empty object', {}],
    ['a key of 1024 bits', { ...createSigningKey({ kid: 'x', bits: 1024 }).jwk }],
    ['a key of 2047 bits', { ...createSigningKey({ kid: 'x', bits: 2047 }).jwk }],
    ['an EC key', { ...ec, kid: 'x' }],
    ['a symmetric key', { kty: 'oct', kid: 'x', k: good.jwk.n }],
    ['a kty in lower case', { ...good.jwk, kid: 'x', kty: 'rsa' }],
    ['no kid', { ...good.jwk, kid: undefined }],
    ['an empty kid', { ...good.jwk, kid: '' }],
    ['a kid that is a number', { ...good.jwk, kid: 7 }],
    ['a key for encryption', { ...good.jwk, kid: 'x', use: 'enc' }],
    ['a use of null', { ...good.jwk, kid: 'x', use: null }],
    ['a key for another algorithm', { ...good.jwk, kid: 'x', alg: 'PS256' }],
    ['key_ops without verify', { ...good.jwk, kid: 'x', key_ops: ['sign'] }],
    ['key_ops that are no array', { ...good.jwk, kid: 'x', key_ops: 'verify' }],
    ['no modulus', { ...good.jwk, kid: 'x', n: undefined }],
    ['a modulus that is no base64url', { ...good.jwk, kid: 'x', n: '%%%' }],
    ['a modulus that is a number', { ...good.jwk, kid: 'x', n: 7 }],
    ['an exponent of 1', { ...good.jwk, kid: 'x', e: 'AQ' }],
    ['an exponent of 0', { ...good.jwk, kid: 'x', e: 'AA' }],
  ];
  for (const [what, entry] of unusable) {
    it(`an entry with ${what} costs itself alone`, () => {
      assert.deepEqual(kids([entry, good.jwk, entry]), ['good']);
      assert.throws(() => selectKeys([entry]), /no usable key/);
    });
  }

  it('two usable keys with one kid are both left out', () => {
    const double = { ...other.jwk, kid: 'good' };
    assert.throws(() => selectKeys([good.jwk, double]), /no usable key/);
    assert.throws(() => selectKeys([good.jwk, good.jwk, double]), /no usable key/);
    assert.deepEqual(kids([good.jwk, double, other.jwk]), ['other']);
  });

  it('a kid shared with an unusable key names the usable one (RFC 7517, 4.5)', () => {
    assert.deepEqual(kids([{ ...ec, kid: 'good' }, good.jwk, { ...good.jwk, use: 'enc' }]), ['good']);
  });

  it('an empty one has no usable key', () => {
    assert.throws(() => selectKeys([]), /no usable key/);
  });

  it('no entry whatever makes the rest unusable', () => {
    fc.assert(
      fc.property(fc.array(fc.anything()), (entries) => {
        assert.equal(selectKeys([...entries, good.jwk]).keys.has('good'), true);
      }),
    );
  });
});
