import assert from 'node:assert/strict';
import fc from 'fast-check';
import { InvalidToken, MissingToken, Refusal } from '../../src/auth/refusals.ts';
import { createAuthenticate } from '../../src/auth/strategy.ts';
import { type Claims, checkClaims, checkHeader, readToken } from '../../src/auth/token.ts';
import { createSigningKey, encodePart, type SigningKey, signRaw } from '../support/issuer.ts';
import { anyJson, anyText, nearly } from './arbitraries.ts';

export const wellFormed = `${encodePart('{"alg":"RS256"}')}.${encodePart('{"exp":1}')}.${encodePart('signature')}`;

/** A request with these Authorization headers. */
export const request = (...authorization: string[]) => ({
  headersDistinct: authorization.length > 0 ? { authorization } : {},
});

/** Why something is refused; undefined if it isn't. Whatever else is thrown is a fault. */
export function reasonOf(run: () => unknown): string | undefined {
  try {
    run();
  } catch (error) {
    assert.ok(error instanceof Refusal, String(error));
    return error.reason;
  }
  return undefined;
}

const part = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.base64String(),
  anyJson.map((value) => encodePart(JSON.stringify(value))),
  fc.uint8Array().map((bytes) => encodePart(bytes)),
);
const anyToken = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 200 }),
  fc.array(part, { maxLength: 5 }).map((parts) => parts.join('.')),
);
const anyObject = nearly({}).map((members) => ({ json: JSON.stringify(members), members }));

const expected = { issuer: 'https://issuer.example', audience: '8d0f5c3e-4a53-4c1b-9c8e-0f1a2b3c4d5e' };
const kid = 'the key of the issuer';
// Far enough from now that no run is on the edge: jsonwebtoken goes by a clock of its own.
const seconds = fc
  .double({ min: 100, max: 1e12, noNaN: true })
  .chain((away) => fc.constantFrom(Date.now() / 1000 - away, Date.now() / 1000 + away));
const ours = fc.constant(expected.audience);
const anyHeader = nearly({ alg: fc.constant('RS256'), kid: fc.constant(kid), typ: fc.constant('JWT') });
const anyClaims = nearly({
  iss: fc.constant(expected.issuer),
  aud: fc.oneof(ours, fc.array(fc.oneof(ours, ours, anyJson), { maxLength: 3 })),
  exp: fc.oneof({ weight: 2, arbitrary: fc.constant(4e9) }, seconds),
  nbf: fc.oneof({ weight: 2, arbitrary: fc.constant(1) }, seconds),
  sub: anyText,
});

/** Whether ACS would say so of a token that holds now, in other words than the check's. */
function isGood({ iss, aud, exp, ...more }: Claims): boolean {
  const now = Date.now() / 1000;
  const audiences: unknown[] = [aud].flat();
  return (
    iss === expected.issuer &&
    audiences.includes(expected.audience) &&
    audiences.every((id) => typeof id === 'string') &&
    typeof exp === 'number' &&
    exp > now &&
    (!('nbf' in more) || (typeof more.nbf === 'number' && more.nbf <= now))
  );
}

let key: SigningKey | undefined;
/** Made once, and not before it is needed: it takes a while. */
const signingKey = () => {
  key ??= createSigningKey({ kid });
  return key;
};

export const tokenProperties = {
  'any header is a token of canonical parts and two objects, or refused with 401': fc.property(
    anyToken,
    fc.constantFrom('Bearer ', 'bearer  ', '', 'Basic '),
    (raw, scheme) => {
      try {
        const token = readToken(request(scheme + raw));
        const parts = token.raw.split('.');
        assert.equal(parts.length, 3);
        for (const each of parts) {
          assert.match(each, /^[A-Za-z0-9_-]+$/);
          assert.equal(Buffer.from(each, 'base64url').toString('base64url'), each);
        }
        for (const value of [token.header, token.payload]) {
          assert.ok(typeof value === 'object' && value !== null && !Array.isArray(value));
        }
      } catch (error) {
        assert.ok(error instanceof MissingToken || error instanceof InvalidToken, String(error));
        assert.equal(error.status, 401);
      }
    },
  ),

  'two objects and some bytes are a token, as they are': fc.property(
    anyObject,
    anyObject,
    fc.uint8Array({ minLength: 1 }),
    (header, payload, signature) => {
      const raw = [header.json, payload.json, signature].map(encodePart).join('.');
      fc.pre(raw.length <= 8192);
      const token = readToken(request(`Bearer ${raw}`));
      assert.deepEqual(token, { raw, header: header.members, payload: payload.members });
    },
  ),

  'a token with any character more is none': fc.property(
    fc.nat(wellFormed.length),
    fc.constantFrom(' ', '=', '+', '/', '.', '\n', 'é', '\0'),
    (at, extra) => {
      // Spaces before the token belong to the header.
      fc.pre(!(at === 0 && extra === ' '));
      const raw = wellFormed.slice(0, at) + extra + wellFormed.slice(at);
      assert.equal(
        reasonOf(() => readToken(request(`Bearer ${raw}`))),
        'malformed',
      );
    },
  ),

  'no header names a key but by a kid, for RS256, with nothing else to mind': fc.property(
    fc.oneof(
      nearly({ alg: fc.constant('RS256'), kid: fc.string({ maxLength: 2 }) }),
      nearly({ alg: fc.constant('RS256'), kid: anyText, crit: anyJson, jku: anyText, x5c: anyJson }),
    ),
    (header) => {
      const asked = { ...header };
      const isRefused = reasonOf(() => checkHeader(asked)) !== undefined;
      if (isRefused) return;
      assert.partialDeepStrictEqual(asked, { alg: 'RS256', kid: checkHeader(asked) });
      assert.ok(checkHeader(asked).length >= 1 && checkHeader(asked).length <= 256);
      for (const name of ['crit', 'jwk', 'jku', 'x5u', 'x5c']) assert.ok(!Object.hasOwn(asked, name));
    },
  ),

  'the claims hold or they do not, and the log hears of an audience only if it is a GUID': fc.property(
    anyClaims,
    (claims) => {
      let details: Readonly<Record<string, string>> = {};
      const isRefused = reasonOf(() => {
        try {
          checkClaims({ ...claims }, expected, Math.floor(Date.now() / 1000));
        } catch (error) {
          if (error instanceof Refusal) details = error.details;
          throw error;
        }
      });
      assert.equal(isRefused === undefined, isGood({ ...claims }), isRefused);
      const { tokenAudience = 'not a GUID' } = details;
      assert.match(tokenAudience, /^(not a GUID|[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12})$/);
    },
  ),

  'a good signature is taken for one whatever is signed, and refused for what our own checks say alone':
    fc.asyncProperty(anyHeader, anyClaims, async (header, claims) => {
      const raw = signRaw(encodePart(header), encodePart(claims), signingKey());
      fc.pre(raw.length <= 8192);
      const authenticate = createAuthenticate({ keys: { find: () => signingKey().publicKey }, expected });
      const token = readToken(request(`Bearer ${raw}`));
      const reason = reasonOf(() => {
        checkHeader(token.header);
        checkClaims(token.payload, expected, Math.floor(Date.now() / 1000));
      });
      const outcome = await authenticate(token).catch((error: unknown) => error);
      if (reason === undefined) assert.deepEqual(outcome, token.payload);
      else assert.ok(outcome instanceof InvalidToken && outcome.reason === reason, String(outcome));
    }),
};
