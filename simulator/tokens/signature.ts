import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import type { Request } from '../http/http.ts';
import { RestError } from '../http/rest-error.ts';

const SIGNED = 'x-ms-date;host;x-ms-content-sha256';

/**
 * Checks the HMAC signature that the access key of a connection string makes.
 *
 * @param key the access key, decoded
 * @param toleranceMs how far the clocks may differ, in milliseconds
 * @throws {RestError} 401
 */
export function checkSignature(request: Request, key: Buffer, now: number, toleranceMs: number): void {
  const { headers, body, method, target } = request;
  const given = /^HMAC-SHA256 SignedHeaders=([^&]+)&Signature=(.+)$/.exec(headers.authorization ?? '');
  if (!given) throw denied('A request has to be signed with the access key, or to carry a Bearer token.');
  if (given[1]?.toLowerCase() !== SIGNED) throw denied(`The signature has to cover ${SIGNED}.`);
  const date = String(headers['x-ms-date']);
  const age = Math.abs(now - Date.parse(date));
  if (!(age <= toleranceMs)) throw denied('The date is missing or too far off.');
  const hash = createHash('sha256').update(body).digest('base64');
  if (headers['x-ms-content-sha256'] !== hash) throw denied("The content's hash does not fit the content.");
  const text = `${method}\n${target}\n${date};${headers.host};${hash}`;
  const expected = createHmac('sha256', key).update(text).digest();
  const signature = Buffer.from(given[2] ?? '', 'base64');
  if (signature.length !== expected.length || !timingSafeEqual(signature, expected)) {
    throw denied('The signature does not fit: another access key, or another string to sign.');
  }
}

function denied(message: string): RestError {
  return new RestError(401, 'Denied', message, { 'www-authenticate': 'HMAC-SHA256' });
}
