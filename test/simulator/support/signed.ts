import { createHash, createHmac } from 'node:crypto';
import type { Simulator } from '../../../simulator/simulator.ts';

export interface Signed {
  method?: string;
  body?: string;
  key?: string;
  date?: string;
  headers?: Record<string, string>;
}

/** A request signed as Microsoft's SDKs sign it, by hand: what goes wrong here, no SDK would do. */
export function signed(
  simulator: Simulator,
  target: string,
  { method = 'POST', body = '', key, date, headers }: Signed = {},
) {
  const accessKey = key ?? /accesskey=(.*)$/.exec(simulator.connectionString)?.[1] ?? '';
  const when = date ?? new Date().toUTCString();
  const hash = createHash('sha256').update(body).digest('base64');
  const text = `${method}\n${target}\n${when};${new URL(simulator.url).host};${hash}`;
  const signature = createHmac('sha256', Buffer.from(accessKey, 'base64')).update(text).digest('base64');
  return fetch(simulator.url + target, {
    method,
    ...(body !== '' && { body }),
    headers: {
      'x-ms-date': when,
      'x-ms-content-sha256': hash,
      authorization: `HMAC-SHA256 SignedHeaders=x-ms-date;host;x-ms-content-sha256&Signature=${signature}`,
      'content-type': 'application/json',
      ...headers,
    },
  });
}
