import type { Faults } from '../faults/faults.ts';
import type { Answer, Request } from '../http/http.ts';
import { wait } from '../wait.ts';
import type { Keys } from './keys.ts';

/**
 * The key set and the OpenID document, as ACS publishes them.
 *
 * @param options.slowMs what a slow key set takes, in milliseconds
 * @returns an answer, or nothing where the path is another
 */
export function createDiscovery({
  keys,
  issuer,
  jwksUrl,
  faults,
  signal,
  slowMs = 10_000,
}: {
  keys: Keys;
  issuer: string;
  jwksUrl: string;
  faults: () => Faults;
  signal: AbortSignal;
  slowMs?: number | undefined;
}): (request: Request) => Promise<Answer> | undefined {
  async function keySet(): Promise<Answer> {
    const fault = faults().keys;
    if (fault === 'down')
      return { status: 503, body: { error: { code: '503', message: 'Service Unavailable' } } };
    if (fault === 'garbled') return { status: 200, body: Buffer.from('{"keys":[null,{"kty":"RSA","n":') };
    if (fault === 'slow') await wait(slowMs, signal);
    return { status: 200, body: keys.jwks() };
  }

  async function openId(): Promise<Answer> {
    return {
      status: 200,
      body: {
        issuer,
        jwks_uri: jwksUrl,
        id_token_signing_alg_values_supported: ['RS256'],
        response_types_supported: ['token'],
      },
    };
  }

  return ({ method, path }) => {
    if (method !== 'GET') return undefined;
    if (path === '/calling/keys') return keySet();
    if (path === '/calling/.well-known/acsopenidconfiguration') return openId();
    return undefined;
  };
}
