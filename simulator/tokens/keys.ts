import type { KeyObject } from 'node:crypto';
import { generateKeyPair, randomUUID } from 'node:crypto';
import { promisify } from 'node:util';
import type { JWK } from 'jose';
import { exportJWK, SignJWT } from 'jose';
import type { Faults } from '../faults/faults.ts';

/** A key that signs tokens. */
export interface SigningKey {
  kid: string;
  privateKey: KeyObject;
  publicKey: KeyObject;
  jwk: JWK;
}

/** The keys that ACS signs its tokens with, made anew at each start. */
export interface Keys {
  /** The key set as it is published. */
  jwks(): { keys: JWK[] };
  /** From now on another key signs. The one before stays published, since tokens of its time are still about. */
  rotate(): Promise<void>;
  /**
   * A new token for this resource.
   *
   * @param lifetimeSeconds ACS's are 24 hours on a WebSocket and 5 minutes on a callback
   * @param fault what is wrong with it; by default what is wrong with all
   */
  token(lifetimeSeconds: number, fault?: Faults['token']): Promise<string>;
}

/**
 * @param options.issuer,audience the `iss` and `aud` of each token
 * @param options.faults what is wrong with tokens at present
 * @param options.now clock in milliseconds
 */
export async function createKeys({
  issuer,
  audience,
  faults,
  now = Date.now,
}: {
  issuer: string;
  audience: string;
  faults: () => Faults;
  now?: () => number;
}): Promise<Keys> {
  let current = await makeSigningKey();
  let published = [current];
  let foreign: SigningKey | undefined;

  return {
    jwks: () => ({ keys: published.map((key) => key.jwk) }),
    async rotate() {
      const next = await makeSigningKey();
      published = [next, current];
      current = next;
    },
    async token(lifetimeSeconds, fault = faults().token) {
      if (fault === 'foreign') foreign ??= await makeSigningKey();
      const key = fault === 'foreign' && foreign ? foreign : current;
      // An hour ago is beyond any tolerance for clocks that differ.
      const issuedAt = Math.floor(now() / 1000) - (fault === 'expired' ? lifetimeSeconds + 3600 : 0);
      return new SignJWT({ jti: randomUUID() })
        .setProtectedHeader({ alg: 'RS256', typ: 'JWT', kid: key.kid })
        .setIssuer(issuer)
        .setAudience(fault === 'wrong-audience' ? randomUUID() : audience)
        .setIssuedAt(issuedAt)
        .setNotBefore(issuedAt)
        .setExpirationTime(issuedAt + lifetimeSeconds)
        .sign(key.privateKey);
    },
  };
}

/** Makes a key for RS256. */
export async function makeSigningKey(): Promise<SigningKey> {
  const { publicKey, privateKey } = await promisify(generateKeyPair)('rsa', { modulusLength: 2048 });
  const kid = randomUUID();
  return {
    kid,
    privateKey,
    publicKey,
    jwk: { ...(await exportJWK(publicKey)), kid, use: 'sig', alg: 'RS256' },
  };
}
