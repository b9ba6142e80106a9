import type { JWK } from 'jose';
import { jwtVerify, SignJWT } from 'jose';
import { makeSigningKey } from './keys.ts';

/** What the SDK's scope, https://communication.azure.com//.default, asks a token for. */
const acsAudience = 'https://communication.azure.com';

/** How long a token is good, unless told otherwise, in seconds. */
export const entraTokenSeconds = 3600;

/** A token in the making. */
export interface EntraTokenOptions {
  /** Who is to take it. By default ACS. */
  audience?: string;
  /** Whose it is: a client id. By default that of the one registered app. */
  client?: string;
  /** Who says so. By default the local Entra ID. */
  issuer?: string;
  /** By default {@link entraTokenSeconds}. */
  lifetimeSeconds?: number;
}

/** The tokens of the local Entra ID. */
export interface EntraTokens {
  jwks(): { keys: JWK[] };
  issue(options?: EntraTokenOptions): Promise<string>;
  /**
   * Takes a token for ACS.
   *
   * @throws {JOSEError} with what is wrong in words that don't repeat the token
   */
  verify(token: string): Promise<void>;
}

/**
 * @param options.client whose a token is unless told otherwise
 * @param options.now clock in milliseconds
 */
export async function createEntraTokens({
  issuer: ownIssuer,
  tenant,
  client: defaultClient,
  now,
}: {
  issuer: string;
  tenant: string;
  client: string;
  now: () => number;
}): Promise<EntraTokens> {
  const { kid, privateKey, publicKey, jwk } = await makeSigningKey();
  return {
    jwks: () => ({ keys: [jwk] }),
    issue({
      audience = acsAudience,
      client = defaultClient,
      issuer = ownIssuer,
      lifetimeSeconds = entraTokenSeconds,
    } = {}) {
      const issuedAt = Math.floor(now() / 1000);
      return new SignJWT({ tid: tenant, appid: client })
        .setProtectedHeader({ alg: 'RS256', typ: 'JWT', kid })
        .setIssuer(issuer)
        .setSubject(client)
        .setAudience(audience)
        .setIssuedAt(issuedAt)
        .setNotBefore(issuedAt)
        .setExpirationTime(issuedAt + lifetimeSeconds)
        .sign(privateKey);
    },
    async verify(token) {
      await jwtVerify(token, publicKey, {
        issuer: ownIssuer,
        audience: acsAudience,
        algorithms: ['RS256'],
        currentDate: new Date(now()),
      });
    },
  };
}
