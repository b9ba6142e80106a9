import { errors } from 'jose';
import type { Request } from '../http/http.ts';
import { RestError } from '../http/rest-error.ts';
import type { Entra } from './entra.ts';
import { checkSignature } from './signature.ts';

/**
 * What ACS takes for a credential: a signature with the access key, or a Bearer token of Entra ID over https.
 *
 * @param options.accessKey decoded
 * @param options.entra without it no token is taken
 * @param options.now clock in milliseconds
 * @param options.toleranceMs how far the clock of who signs may differ, in milliseconds
 * @returns a check that throws a RestError, 401
 */
export function createCredentialCheck({
  accessKey,
  entra,
  now,
  toleranceMs = 15 * 60_000,
}: {
  accessKey: Buffer;
  entra: Pick<Entra, 'verify'> | undefined;
  now: () => number;
  toleranceMs?: number;
}): (request: Request) => Promise<void> {
  return async (request) => {
    const bearer = /^Bearer +(\S+)$/i.exec(request.headers.authorization ?? '');
    if (!bearer) {
      checkSignature(request, accessKey, now(), toleranceMs);
      return;
    }
    if (!entra) throw denied('The simulator takes tokens only where it was started with Entra ID.');
    // The SDKs refuse to send one, and here it would be as readable on the wire.
    if (!request.secure) throw denied('A token is taken over https only.');
    try {
      await entra.verify(bearer[1] ?? '');
    } catch (error) {
      if (error instanceof errors.JOSEError) throw denied(`The token is not good: ${error.message}.`);
      throw error;
    }
  };
}

/** RFC 6750, 3. */
function denied(message: string): RestError {
  return new RestError(401, 'Denied', message, { 'www-authenticate': 'Bearer error="invalid_token"' });
}
