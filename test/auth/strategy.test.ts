import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import passport from 'passport';
import { CannotVerify, InvalidToken } from '../../src/auth/refusals.ts';
import { createSigningKeys, type SigningKeys } from '../../src/auth/signing-keys.ts';
import { createAuthenticate } from '../../src/auth/strategy.ts';
import { readToken } from '../../src/auth/token.ts';
import { brokenTokens, createIssuer, type Issuer } from '../support/issuer.ts';
import { createRecordedLog } from './recorded-log.ts';

const parse = (raw: string) => readToken({ headersDistinct: { authorization: [`Bearer ${raw}`] } });

describe('the check of a token', () => {
  let issuer: Issuer;
  let keys: SigningKeys;
  let authenticate: (raw: string) => Promise<unknown>;

  before(async () => {
    issuer = await createIssuer();
    keys = createSigningKeys({ jwksUrl: issuer.jwksUrl, log: createRecordedLog().log });
    keys.start();
    await keys.whenReady;
    const check = createAuthenticate({ keys, expected: issuer });
    authenticate = async (raw) => check(parse(raw));
  });
  after(async () => {
    keys.close();
    await issuer.close();
  });

  it('gives the claims of a good one', async () => {
    const claims = await authenticate(issuer.token({ claims: { sub: 'somebody' } }));
    assert.partialDeepStrictEqual(claims, { sub: 'somebody' });
  });

  it('takes our audience among others, a thumbprint, and no nbf', async () => {
    await authenticate(issuer.token({ claims: { aud: [randomUUID(), issuer.audience] } }));
    await authenticate(issuer.token({ header: { x5t: 'thumbprint', typ: undefined } }));
    await authenticate(issuer.token({ claims: { nbf: undefined, iat: undefined } }));
  });

  it('allows for clocks that are 4 s apart', async () => {
    const seconds = Math.floor(Date.now() / 1000);
    await authenticate(issuer.token({ claims: { exp: seconds - 3, nbf: seconds - 60 } }));
    await authenticate(issuer.token({ claims: { nbf: seconds + 4 } }));
  });

  it('refuses every broken one, and follows no link', async (t) => {
    const { fetches } = issuer;
    for (const [what, raw] of Object.entries(brokenTokens(issuer))) {
      await t.test(what, async () => {
        await assert.rejects(authenticate(raw), (error: unknown) => error instanceof InvalidToken);
      });
    }
    assert.equal(issuer.fetches, fetches);
  });

  it('refuses a good signature under a key of ours that is not the one named', async () => {
    const stranger = await createIssuer();
    const both = createAuthenticate({
      keys: { find: (kid) => (kid === 'a' ? issuer.key.publicKey : stranger.key.publicKey) },
      expected: issuer,
    });
    const raw = (kid: string) => issuer.token({ header: { kid } });
    await both(parse(raw('a')));
    await assert.rejects(both(parse(raw('b'))), { reason: 'signature' });
    await stranger.close();
  });

  it('is made by another Passport than the global one', () => {
    // Not in Passport's types, and the only place where it would show.
    const global = passport as unknown as { _strategies: Record<string, unknown> };
    assert.deepEqual(Object.keys(global._strategies), ['session']);
  });
});

describe('the look-up of a key', () => {
  const lookUps: string[] = [];
  const needsLookUp = new Set([
    'an unknown kid',
    'a kid from Object.prototype',
    "a stranger's signature",
    'a changed header',
    'changed claims',
    'a changed signature',
    'a short signature',
    'a signature of zeros',
  ]);
  const counting = {
    find(kid: string): never {
      lookUps.push(kid);
      throw new InvalidToken('unknown_key');
    },
  };

  it('comes after all that can be told without it', async (t) => {
    const issuer = await createIssuer();
    t.after(() => issuer.close());
    const authenticate = createAuthenticate({ keys: counting, expected: issuer });
    for (const [what, raw] of Object.entries(brokenTokens(issuer))) {
      lookUps.length = 0;
      await assert.rejects(async () => authenticate(parse(raw)), InvalidToken);
      assert.equal(lookUps.length, needsLookUp.has(what) ? 1 : 0, what);
    }
  });

  const outcomes: [what: string, find: SigningKeys['find'], expected: object][] = [
    [
      'an unknown key',
      () => {
        throw new InvalidToken('unknown_key');
      },
      { name: 'InvalidToken', reason: 'unknown_key' },
    ],
    [
      'an unknown key, later',
      () => Promise.reject(new InvalidToken('unknown_key')),
      { name: 'InvalidToken', reason: 'unknown_key' },
    ],
    [
      'no keys',
      () => {
        throw new CannotVerify('no_keys');
      },
      { name: 'CannotVerify', reason: 'no_keys' },
    ],
    [
      'no keys, later',
      () => Promise.reject(new CannotVerify('no_keys')),
      { name: 'CannotVerify', reason: 'no_keys' },
    ],
    [
      'any other error',
      () => {
        throw new TypeError('x');
      },
      { name: 'CannotVerify', reason: 'fault' },
    ],
    [
      'any other error, later',
      () => Promise.reject(new Error('jwt malformed')),
      { name: 'CannotVerify', reason: 'fault' },
    ],
    ['a rejection with nothing', () => Promise.reject(undefined), { name: 'CannotVerify', reason: 'fault' }],
  ];
  for (const [what, find, expected] of outcomes) {
    it(`that ends with ${what} is told by the error's class`, async (t) => {
      const issuer = await createIssuer();
      t.after(() => issuer.close());
      const authenticate = createAuthenticate({ keys: { find }, expected: issuer });
      await assert.rejects(authenticate(parse(issuer.token())), expected);
    });
  }

  it('that does not end is given up', async (t) => {
    const issuer = await createIssuer();
    t.after(() => issuer.close());
    const keys = { find: () => new Promise<never>(() => undefined) };
    const authenticate = createAuthenticate({ keys, expected: issuer, checkMs: 20 });
    await assert.rejects(authenticate(parse(issuer.token())), { name: 'CannotVerify', reason: 'too_slow' });
  });

  it('leaves Passport before its caller goes on: a throw there does not come back', async (t) => {
    const issuer = await createIssuer();
    t.after(() => issuer.close());
    const authenticate = createAuthenticate({
      keys: { find: () => issuer.key.publicKey },
      expected: issuer,
    });
    let calls = 0;
    const later = authenticate(parse(issuer.token())).then(() => {
      calls += 1;
      assert.doesNotMatch(String(new Error('here').stack), /passport/);
      throw new RangeError('of a listener');
    });
    await assert.rejects(later, RangeError);
    assert.equal(calls, 1);
  });
});
