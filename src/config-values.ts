// What a variable's text must look like, and what is said where it doesn't: config.ts reads them all.

import { z } from 'zod';

const text = (test: (value: string) => boolean, error: string) => z.string().refine(test, { error });

export const whole = (least: number, most: number, example: number) =>
  text(
    (value) => /^\d{1,16}$/.test(value) && Number(value) >= least && Number(value) <= most,
    `must be a whole number ${most < 100_000 ? `from ${least} to ${most}` : `of ${least} or more`}, for example ${example}`,
  ).transform(Number);

export const ratio = text(
  (value) => /^(0(\.\d+)?|1(\.0+)?)$/.test(value),
  'must be a number from 0 to 1, for example 0.5',
).transform(Number);

export const oneOf = <const T extends string>(...values: readonly [T, ...T[]]) =>
  z.enum(values, { error: `must be one of ${values.join(', ')}, for example ${values[0]}` });

export const audienceHelp =
  "the ACS resource's immutable id (immutableResourceId, not the ARM id), for example 8d0f5c3e-4a53-4c1b-9c8e-0f1a2b3c4d5e";
export const audienceId = text(
  (value) => /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(value),
  `must be ${audienceHelp}`,
);

export const secretPair = z
  .string()
  .transform((value) => value.split(',').map((part) => part.trim()))
  .refine((parts) => parts.length <= 2 && parts.every((part) => /^[\x21-\x7e]{32,}$/.test(part)), {
    error:
      'must be a secret of 32 or more printable ASCII characters, or two of them with a comma between; made for example with: openssl rand -hex 32',
  });

/** Whether only this machine can be meant. */
export function isLoopback({ hostname }: URL): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127(\.\d{1,3}){3}$/.test(hostname);
}

/** Whether a host could be this machine, in any spelling: only for refusing it. */
function looksLocal({ hostname }: URL): boolean {
  return /(^|\.)localhost\.?$|^127\.|^0\.0\.0\.0$|^\[::(1|ffff:7f[\da-f]{2}:[\da-f]{1,4})?\]$/.test(hostname);
}

/** Https anywhere, or http on loopback; loopback at all only where `loopback` allows it. */
function isTrustworthy(value: string, { loopback }: { loopback: boolean }): boolean {
  const url = URL.parse(value);
  if (!url || url.username || url.password || url.hash) return false;
  if (!loopback && looksLocal(url)) return false;
  return url.protocol === 'https:' || (url.protocol === 'http:' && isLoopback(url));
}

/** The same, with nothing behind the host. */
function isOrigin(value: string, allowed: { loopback: boolean }): boolean {
  if (!isTrustworthy(value, allowed)) return false;
  const { pathname, search } = new URL(value);
  return pathname === '/' && search === '';
}

export const serviceUrl = (allowed: { loopback: boolean }) =>
  text(
    (value) => isTrustworthy(value, allowed),
    `must be an https URL${allowed.loopback ? ' (http only for localhost)' : ', and not of this machine'}, for example https://acscallautomation.communication.azure.com`,
  );

export const origin = (allowed: { loopback: boolean }) =>
  text(
    (value) => isOrigin(value, allowed),
    `must be an https URL without a path${allowed.loopback ? ' (http only for localhost)' : ''}, for example https://calls.example.com`,
  ).transform((value) => new URL(value).origin);

// A token for the managed identity is never sent over http (the SDK throws), so not even to loopback.
export const httpsEndpoint = (allowed: { loopback: boolean }) =>
  text(
    (value) => isOrigin(value, allowed) && new URL(value).protocol === 'https:',
    'must be the https URL of the ACS resource, for example https://my-acs.communication.azure.com',
  );

export const connectionString = (endpointUrl: z.ZodType<string, string>) =>
  z
    .string()
    .transform((value) => {
      const parts = new Map(
        value.split(';').map((part) => {
          const equals = part.indexOf('=');
          return [part.slice(0, equals).trim().toLowerCase(), part.slice(equals + 1).trim()] as const;
        }),
      );
      const endpoint = endpointUrl.safeParse(parts.get('endpoint')).data;
      return { endpoint: endpoint ?? '', accessKey: parts.get('accesskey') ?? '' };
    })
    .refine(({ endpoint, accessKey }) => endpoint !== '' && /^[A-Za-z0-9+/]+={0,2}$/.test(accessKey), {
      error:
        'must have an https endpoint and a base64 access key, for example endpoint=https://my-acs.communication.azure.com/;accesskey=…',
    })
    // In the one form that the SDK reads: at another it throws, and its error repeats the key.
    .transform(({ endpoint, accessKey }) => ({
      endpoint,
      connectionString: `endpoint=${endpoint};accesskey=${accessKey}`,
    }));
