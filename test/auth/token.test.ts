import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { InvalidToken } from '../../src/auth/refusals.ts';
import { type Claims, checkClaims, checkHeader, readToken } from '../../src/auth/token.ts';
import { reasonOf, request, wellFormed } from '../fuzz/token.ts';

const encode = (text: string) => Buffer.from(text).toString('base64url');

describe('the Bearer token of a request', () => {
  for (const scheme of ['Bearer', 'bearer', 'BEARER', 'bEaReR']) {
    it(`is found behind ${scheme}`, () => {
      assert.equal(readToken(request(`${scheme} ${wellFormed}`)).raw, wellFormed);
    });
  }

  it('may stand behind several spaces (RFC 6750, 2.1)', () => {
    assert.equal(readToken(request(`Bearer   ${wellFormed}`)).raw, wellFormed);
  });

  const refused: [what: string, authorization: string[], reason: string][] = [
    ['no header', [], 'no_token'],
    ['an empty header', [''], 'other_scheme'],
    ['a scheme without a token', ['Bearer'], 'no_token'],
    ['a scheme and spaces', ['Bearer   '], 'no_token'],
    ['a token without a scheme', [wellFormed], 'other_scheme'],
    ['another scheme', [`Basic ${wellFormed}`], 'other_scheme'],
    ['a longer scheme', [`Bearers ${wellFormed}`], 'other_scheme'],
    ['a tab behind the scheme', [`Bearer\t${wellFormed}`], 'other_scheme'],
    ['two headers', [`Bearer ${wellFormed}`, `Bearer ${wellFormed}`], 'several_headers'],
    ['two headers, one of them empty', [`Bearer ${wellFormed}`, ''], 'several_headers'],
    ['two tokens in one header', [`Bearer ${wellFormed}, Bearer ${wellFormed}`], 'malformed'],
    ['a token and a parameter', [`Bearer ${wellFormed} a=b`], 'malformed'],
    ['a token of four parts', [`Bearer ${wellFormed}.c2ln`], 'malformed'],
    ['a token behind a space that is none', [`Bearer \u00a0${wellFormed}`], 'malformed'],
    ['a token of more than 8 KiB', [`Bearer ${wellFormed}${'A'.repeat(8192)}`], 'too_long'],
  ];
  for (const [what, authorization, reason] of refused) {
    it(`is refused: ${what}`, () => {
      assert.equal(
        reasonOf(() => readToken(request(...authorization))),
        reason,
      );
    });
  }

  it('is read in linear time: 16 KB cost about twice what 8 KB cost, not four times', () => {
    // The worst case of passport-jwt's extractor, and of a naive split: nothing to split at.
    const hostile = (length: number) =>
      [
        'a'.repeat(length),
        `Bearer ${' '.repeat(length)}x`,
        `Bearer ${'a'.repeat(length)}`,
        `Bearer ${'.'.repeat(length)}`,
        `Bearer ${'a.'.repeat(length / 2)}`,
      ].map((value) => request(value));
    /** CPU time in microseconds for one of each. */
    const cost = (requests: ReturnType<typeof hostile>) => {
      const start = process.cpuUsage();
      let rounds = 0;
      let spent = 0;
      for (; spent < 20_000; rounds += 1) {
        for (const each of requests) reasonOf(() => readToken(each));
        const { user, system } = process.cpuUsage(start);
        spent = user + system;
      }
      return spent / rounds;
    };
    const least = (length: number) => {
      const requests = hostile(length);
      return Math.min(...Array.from({ length: 5 }, () => cost(requests)));
    };
    const small = least(8192);
    const big = least(16_384);
    assert.ok(big < 3 * small, `8 KB: ${small} µs, 16 KB: ${big} µs`);
  });
});

describe('the grammar of a token', () => {
  const bad: [what: string, header: string, payload: string][] = [
    ['JSON that ends early', encode('{"alg":'), encode('{}')],
    ['an array as header', encode('[]'), encode('{}')],
    ['null as header', encode('null'), encode('{}')],
    ['a string as payload', encode('{}'), encode('"x"')],
    ['an array as payload', encode('{}'), encode('[{}]')],
    ['a byte order mark', encode('\ufeff{}'), encode('{}')],
    ['bytes that are not UTF-8', encode('{}'), Buffer.from('{"a":"\xff"}', 'latin1').toString('base64url')],
    ['spare bits', `${encode('{}').slice(0, -1)}1`, encode('{}')],
    ['8 KB of brackets', encode('['.repeat(3000)), encode('{}')],
  ];
  for (const [what, header, payload] of bad) {
    it(`refuses ${what}`, () => {
      assert.equal(
        reasonOf(() => readToken(request(`Bearer ${header}.${payload}.c2ln`))),
        'malformed',
      );
    });
  }
});

describe('the header of a token', () => {
  it('gives the kid, and may have a thumbprint and members nobody knows', () => {
    assert.equal(checkHeader({ alg: 'RS256', kid: 'a', typ: 'JWT', x5t: 'b', 'x5t#S256': 'c', z: 1 }), 'a');
  });

  const refused: [header: Claims, reason: string][] = [
    [{ kid: 'a' }, 'algorithm'],
    [{ alg: 'none', kid: 'a' }, 'algorithm'],
    [{ alg: 'HS256', kid: 'a' }, 'algorithm'],
    [{ alg: 'PS256', kid: 'a' }, 'algorithm'],
    [{ alg: ['RS256'], kid: 'a' }, 'algorithm'],
    [{ alg: 'RS256' }, 'kid'],
    [{ alg: 'RS256', kid: '' }, 'kid'],
    [{ alg: 'RS256', kid: 7 }, 'kid'],
    [{ alg: 'RS256', kid: 'k'.repeat(257) }, 'kid'],
    [{ alg: 'RS256', kid: 'a', crit: ['exp'] }, 'critical_header'],
    [{ alg: 'RS256', kid: 'a', crit: undefined }, 'critical_header'],
    [{ alg: 'RS256', kid: 'a', jwk: null }, 'foreign_key'],
    [{ alg: 'RS256', kid: 'a', jku: 'https://issuer.example' }, 'foreign_key'],
    [{ alg: 'RS256', kid: 'a', x5u: 'https://issuer.example' }, 'foreign_key'],
    [{ alg: 'RS256', kid: 'a', x5c: [] }, 'foreign_key'],
  ];
  for (const [header, reason] of refused) {
    it(`is refused for its ${reason}: ${JSON.stringify(header).slice(0, 60)}`, () => {
      assert.equal(
        reasonOf(() => checkHeader(header)),
        reason,
      );
    });
  }
});

describe('the claims of a token', () => {
  const expected = { issuer: 'https://issuer.example', audience: '8d0f5c3e-4a53-4c1b-9c8e-0f1a2b3c4d5e' };
  const other = '00000000-4a53-4c1b-9c8e-0f1a2b3c4d5e';
  const valid = { iss: expected.issuer, aud: expected.audience, exp: 1000 };
  const check = (claims: Claims, seconds = 500) => reasonOf(() => checkClaims(claims, expected, seconds));

  const accepted: [what: string, claims: Claims, seconds?: number][] = [
    ['the three that are required', valid],
    ['an array of audiences with ours', { ...valid, aud: [other, expected.audience] }],
    ['an exp 4 s ago', valid, 1004],
    ['an nbf in 5 s', { ...valid, nbf: 505 }],
    ['an nbf with a fraction', { ...valid, nbf: 499.5 }],
    ['anything else', { ...valid, sub: 1, jti: null, iat: 'x' }],
  ];
  for (const [what, claims, seconds] of accepted) {
    it(`may be: ${what}`, () => assert.equal(check(claims, seconds), undefined));
  }

  const { exp: _exp, ...endless } = valid;
  const { iss: _iss, ...unsigned } = valid;
  const { aud: _aud, ...open } = valid;
  const refused: [reason: string, claims: Claims, seconds?: number][] = [
    ['expiry', endless],
    ['expiry', { ...valid, exp: '1000' }],
    ['expiry', { ...valid, exp: Number.POSITIVE_INFINITY }],
    ['expiry', { ...valid, exp: null }],
    ['expired', valid, 1005],
    ['not_before', { ...valid, nbf: '1' }],
    ['not_before', { ...valid, nbf: null }],
    ['not_before', { ...valid, nbf: Number.NEGATIVE_INFINITY }],
    ['not_yet_valid', { ...valid, nbf: 506 }],
    ['issuer', unsigned],
    ['issuer', { ...valid, iss: '' }],
    ['issuer', { ...valid, iss: [expected.issuer] }],
    ['issuer', { ...valid, iss: `${expected.issuer}/` }],
    ['audience', open],
    ['audience', { ...valid, aud: '' }],
    ['audience', { ...valid, aud: other }],
    ['audience', { ...valid, aud: [] }],
    ['audience', { ...valid, aud: [expected.audience, 1] }],
    ['audience', { ...valid, aud: [[expected.audience]] }],
    ['audience', { ...valid, aud: { 0: expected.audience } }],
    ['audience', { ...valid, aud: `${expected.audience} ` }],
  ];
  for (const [reason, claims, seconds] of refused) {
    it(`are refused for ${reason}: ${JSON.stringify(claims).slice(55, 140)}`, () => {
      assert.equal(check(claims, seconds), reason);
    });
  }

  it('show a wrong audience to the log if it is a GUID, beside ours', () => {
    const detailsFor = (aud: unknown) => {
      try {
        checkClaims({ ...valid, aud }, expected, 500);
      } catch (error) {
        assert.ok(error instanceof InvalidToken);
        assert.doesNotMatch(error.message, /[0-9a-f]{8}/);
        return error.details;
      }
      return undefined;
    };
    assert.deepEqual(detailsFor(other), { tokenAudience: other, expectedAudience: expected.audience });
    assert.equal(detailsFor(['x', other])?.tokenAudience, other);
    const armId = `/subscriptions/${other}/resourceGroups/x`;
    for (const aud of [armId, '', undefined, `${other}\n`, 'x'.repeat(5000), {}]) {
      assert.equal(detailsFor(aud)?.tokenAudience, 'not a GUID');
    }
  });
});
