import type { IncomingMessage } from 'node:http';
import { InvalidToken, MissingToken } from './refusals.ts';

/** Members of a JSON object that nobody has vouched for yet. */
export type Claims = Readonly<Record<string, unknown>>;

/** A well-formed token: nothing in it is true yet. */
export interface Token {
  /** The compact serialization, as it came. */
  raw: string;
  header: Claims;
  payload: Claims;
}

/** What a token has to say to be ours. */
export interface Expected {
  /** The ACS resource's immutable id. */
  audience: string;
  issuer: string;
}

// ACS's own tokens have some 1 KB. Node's parser stops all headers together at 16 KiB.
const maxTokenLength = 8 * 1024;
const maxKidLength = 256;

/** By how much the clocks of ACS and of this app may differ. */
export const clockToleranceSeconds = 5;

/**
 * The Bearer token of a request, split into its parts. Cheap: no cryptography, and linear in the header's length
 * (passport-jwt's own extractor is quadratic: 325 ms for 15 KB).
 *
 * @throws {MissingToken} no Authorization header, another scheme, or two headers
 * @throws {InvalidToken} not three canonical base64url parts of which the first two are JSON objects
 */
export function readToken(request: Pick<IncomingMessage, 'headersDistinct'>): Token {
  const raw = bearer(request);
  if (raw.length > maxTokenLength) throw new InvalidToken('too_long');
  const [header, payload, signature, ...more] = raw.split('.', 4).map(decodePart);
  if (!header || !payload || !signature || more.length > 0) throw new InvalidToken('malformed');
  return { raw, header: parseObject(header), payload: parseObject(payload) };
}

/** RFC 6750, 2.1: `Bearer`, in any case (RFC 9110, 11.1), one or more spaces, the token. */
function bearer(request: Pick<IncomingMessage, 'headersDistinct'>): string {
  // `headers` would silently keep the first of two.
  const [value, ...more] = request.headersDistinct.authorization ?? [];
  if (more.length > 0) throw new MissingToken('several_headers');
  if (value === undefined) throw new MissingToken('no_token');
  const space = value.indexOf(' ');
  const scheme = space === -1 ? value : value.slice(0, space);
  if (scheme.toLowerCase() !== 'bearer') throw new MissingToken('other_scheme');
  const token = space === -1 ? '' : value.slice(space).replace(/^ +/, '');
  if (token === '') throw new MissingToken('no_token');
  return token;
}

/** The bytes of a part, or undefined: empty, foreign characters, padding, or spare bits that aren't zero. */
function decodePart(part: string): Buffer | undefined {
  const bytes = Buffer.from(part, 'base64url');
  return part !== '' && bytes.toString('base64url') === part ? bytes : undefined;
}

function parseObject(bytes: Buffer): Claims {
  let value: unknown;
  try {
    value = JSON.parse(utf8.decode(bytes));
  } catch {
    throw new InvalidToken('malformed');
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new InvalidToken('malformed');
  // A JSON object that isn't an array is a record of its members.
  return value as Claims;
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * The id of the key that a token says it is signed with. Only RS256, and no key but the issuer's: one that a
 * token brings along or links to would be the attacker's (RFC 8725, 3.1 and 3.10), and jsonwebtoken overlooks a
 * `crit` that it doesn't understand (RFC 7515, 4.1.11).
 *
 * @throws {InvalidToken}
 */
export function checkHeader(header: Claims): string {
  if (header.alg !== 'RS256') throw new InvalidToken('algorithm');
  if (Object.hasOwn(header, 'crit')) throw new InvalidToken('critical_header');
  if (['jwk', 'jku', 'x5u', 'x5c'].some((name) => Object.hasOwn(header, name))) {
    throw new InvalidToken('foreign_key');
  }
  const { kid } = header;
  if (typeof kid !== 'string' || kid === '' || kid.length > maxKidLength) throw new InvalidToken('kid');
  return kid;
}

/**
 * Checks what a token says, before anything is spent on its signature. jsonwebtoken would take a token without
 * `exp` (RFC 8725, 3.8 and 3.9, for the rest).
 *
 * @param seconds the time, in seconds since 1970
 * @throws {InvalidToken}
 */
export function checkClaims(claims: Claims, expected: Expected, seconds: number): void {
  const { exp, nbf, iss, aud } = claims;
  if (!isTime(exp)) throw new InvalidToken('expiry');
  if (exp + clockToleranceSeconds <= seconds) throw new InvalidToken('expired');
  if (Object.hasOwn(claims, 'nbf')) {
    if (!isTime(nbf)) throw new InvalidToken('not_before');
    if (nbf - clockToleranceSeconds > seconds) throw new InvalidToken('not_yet_valid');
  }
  if (iss !== expected.issuer) throw new InvalidToken('issuer');
  const audiences: unknown[] = Array.isArray(aud) ? aud : [aud];
  if (!audiences.every((id) => typeof id === 'string') || !audiences.includes(expected.audience)) {
    // The commonest mistake of all (the ARM id, another resource): the log shows both ids.
    throw new InvalidToken('audience', {
      tokenAudience: describeAudience(audiences),
      expectedAudience: expected.audience,
    });
  }
}

const isTime = (value: unknown): value is number => typeof value === 'number' && Number.isFinite(value);

/** What the log may show of a stranger's audience: a GUID, or that it is none. */
function describeAudience(audiences: readonly unknown[]): string {
  const guid = audiences.find(
    (id) => typeof id === 'string' && /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i.test(id),
  );
  return typeof guid === 'string' ? guid : 'not a GUID';
}
