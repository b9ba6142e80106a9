import { createHmac, generateKeyPairSync, type KeyObject, randomUUID, sign } from 'node:crypto';
import { EventEmitter, once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';

/** A key pair as the issuer uses it: the private half signs, the public half is served as `jwk`. */
export interface SigningKey {
  kid: string;
  privateKey: KeyObject;
  publicKey: KeyObject;
  jwk: Record<string, unknown>;
}

/** What goes wrong at the issuer; `undefined` for nothing. */
export type Fault =
  | 'down' // the connection is reset
  | 'slow' // no answer until release()
  | 'hang after headers' // a head that promises a body, and no body
  | 'status' // 500, with the right keys as its body
  | 'garbled' // 200, not JSON
  | 'huge' // 200, 1 MiB of JSON
  | 'huge when inflated' // 200, 1 MiB of JSON as a few KB of gzip
  | 'redirect'; // 302 to where the right keys are

/** Whatever a token is to say instead of what it should; `undefined` leaves a member out. */
export interface TokenOptions {
  header?: Record<string, unknown>;
  claims?: Record<string, unknown>;
  /** Signs; default is the issuer's first key, whose `kid` goes into the header. */
  key?: SigningKey;
}

/** Makes an RSA key pair and its public JWK. */
export function createSigningKey({
  kid = randomUUID(),
  bits = 2048,
}: {
  kid?: string;
  bits?: number;
} = {}): SigningKey {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: bits });
  const jwk = { ...publicKey.export({ format: 'jwk' }), kid, use: 'sig', alg: 'RS256' };
  return { kid, privateKey, publicKey, jwk };
}

/** One part of a token: an object (as JSON) or raw bytes in base64url. */
export function encodePart(part: object | string | Uint8Array): string {
  const bytes = typeof part === 'string' || part instanceof Uint8Array ? part : JSON.stringify(part);
  return Buffer.from(bytes).toString('base64url');
}

/** Signs two raw parts, whatever they are. */
export function signRaw(header: string, payload: string, key: SigningKey): string {
  const input = `${header}.${payload}`;
  return `${input}.${sign('RSA-SHA256', Buffer.from(input), key.privateKey).toString('base64url')}`;
}

/** An issuer of tokens as ACS is one: signs them, and serves the keys that prove it, on a port of its own. */
export async function createIssuer({ audience = randomUUID() }: { audience?: string } = {}) {
  const first = createSigningKey();
  const server = createServer();
  const events = new EventEmitter();
  let keys = [first];
  let body: unknown;
  let fault: Fault | undefined;
  let fetches = 0;
  let held: ServerResponse[] = [];

  const document = () => JSON.stringify(body === undefined ? { keys: keys.map(({ jwk }) => jwk) } : body);
  const json = (response: ServerResponse, text: string | Buffer, headers: Record<string, string> = {}) =>
    response.writeHead(200, { 'content-type': 'application/json', ...headers }).end(text);

  const answers: Record<Fault, (response: ServerResponse) => void> = {
    down: (response) => response.destroy(),
    slow: (response) => held.push(response),
    'hang after headers': (response) => {
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': '1000' });
      response.write('{');
    },
    status: (response) => response.writeHead(500).end(document()),
    garbled: (response) => json(response, '{"keys":[<html>'),
    huge: (response) => json(response, padded()),
    'huge when inflated': (response) => json(response, gzipSync(padded()), { 'content-encoding': 'gzip' }),
    redirect: (response) => response.writeHead(302, { location: '/elsewhere' }).end(),
  };
  const padded = () => document() + ' '.repeat(1024 * 1024);

  server.on('request', (request, response) => {
    if (request.url === '/elsewhere') {
      json(response, document());
      return;
    }
    fetches += 1;
    if (fault) answers[fault](response);
    else json(response, document());
    events.emit('fetch');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  // A server that listens on a port has an AddressInfo, never a pipe's name.
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  return {
    issuer: url,
    audience,
    jwksUrl: `${url}/calling/keys`,
    /** The key that signs. */
    get key(): SigningKey {
      return keys[0] ?? first;
    },
    /** How often the keys were asked for. */
    get fetches(): number {
      return fetches;
    },
    set fault(value: Fault | undefined) {
      fault = value;
    },
    /** Serves this instead of the keys. */
    set body(value: unknown) {
      body = value;
    },
    /** Resolves when the keys are asked for next. */
    fetched: async (): Promise<void> => {
      await once(events, 'fetch');
    },
    /** Answers what the fault `slow` holds back, and ends the fault. */
    release(): void {
      fault = undefined;
      for (const response of held) json(response, document());
      held = [];
    },
    /** From now on another key signs; the old one is served no more, unless it is to be kept. */
    rotate({ keep = false } = {}): SigningKey {
      const next = createSigningKey();
      keys = [next, ...(keep ? keys : [])];
      return next;
    },
    token(options: TokenOptions = {}): string {
      const key = options.key ?? keys[0] ?? first;
      const header = { alg: 'RS256', typ: 'JWT', kid: key.kid, ...options.header };
      const claims = { ...validClaims(url, audience), ...options.claims };
      return signRaw(encodePart(header), encodePart(claims), key);
    },
    async close(): Promise<void> {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

export type Issuer = Awaited<ReturnType<typeof createIssuer>>;

const now = () => Math.floor(Date.now() / 1000);

function validClaims(issuer: string, audience: string) {
  return { iss: issuer, aud: audience, iat: now(), nbf: now(), exp: now() + 300 };
}

/** Every way in which a token of this issuer can be wrong, by name: RFC 8725's, and some more. */
export function brokenTokens(issuer: Issuer): Record<string, string> {
  const { key } = issuer;
  const stranger = createSigningKey({ kid: key.kid });
  const [head = '', payload = '', signature = ''] = issuer.token().split('.');
  const headed = (header: Record<string, unknown>) => issuer.token({ header });
  const claiming = (claims: Record<string, unknown>) => issuer.token({ claims });
  const hmacHead = encodePart({ alg: 'HS256', typ: 'JWT', kid: key.kid });
  const hmac = (secret: string | Buffer) =>
    `${hmacHead}.${payload}.${createHmac('sha256', secret).update(`${hmacHead}.${payload}`).digest('base64url')}`;
  const noneHead = encodePart({ alg: 'none', typ: 'JWT', kid: key.kid });

  return {
    'no parts': 'token',
    'two parts': `${head}.${payload}`,
    'four parts': `${head}.${payload}.${signature}.${signature}`,
    'an empty header': `.${payload}.${signature}`,
    'an empty payload': `${head}..${signature}`,
    'an empty signature': `${head}.${payload}.`,
    'only dots': '..',
    'padding in base64url': `${head}.${payload}.${signature}==`,
    'base64 instead of base64url': `${head}.${payload}.+/${signature.slice(2)}`,
    'spare bits in base64url': `${head}.${payload}.${signature.slice(0, -1)}${oddEnd(signature)}`,
    'a header that is no JSON': signRaw(encodePart('{"alg":'), payload, key),
    'a header that is an array': signRaw(encodePart([]), payload, key),
    'a header that is null': signRaw(encodePart('null'), payload, key),
    'a payload that is no JSON': signRaw(head, encodePart('exp'), key),
    'a payload that is an array': signRaw(head, encodePart([]), key),
    'a payload that is a string': signRaw(head, encodePart('"exp"'), key),
    'a payload that is not UTF-8': signRaw(head, encodePart(Buffer.from([0x7b, 0xff, 0x7d])), key),
    'more than 8 KiB': claiming({ padding: 'x'.repeat(8 * 1024) }),

    'alg none': `${noneHead}.${payload}.`,
    'alg none with a signature': `${noneHead}.${payload}.${signature}`,
    'alg None': headed({ alg: 'None' }),
    'alg missing': headed({ alg: undefined }),
    'alg not a string': headed({ alg: ['RS256'] }),
    'alg in lower case': headed({ alg: 'rs256' }),
    'alg RS512': headed({ alg: 'RS512' }),
    'alg PS256': headed({ alg: 'PS256' }),
    'alg ES256': headed({ alg: 'ES256' }),
    'HMAC with the public key as PEM': hmac(String(key.publicKey.export({ type: 'spki', format: 'pem' }))),
    'HMAC with the public key as DER': hmac(key.publicKey.export({ type: 'spki', format: 'der' })),
    'HMAC with the modulus': hmac(String(key.jwk.n)),
    'HMAC with nothing': hmac(''),

    'an embedded key': issuer.token({ key: stranger, header: { jwk: stranger.jwk } }),
    'an embedded certificate': issuer.token({ key: stranger, header: { x5c: ['AA=='] } }),
    'a linked key': issuer.token({ key: stranger, header: { jku: `${issuer.issuer}/elsewhere` } }),
    'a linked certificate': issuer.token({ key: stranger, header: { x5u: `${issuer.issuer}/elsewhere` } }),
    'an embedded key that is the right one': headed({ jwk: key.jwk }),
    'a linked key that is the right one': headed({ jku: issuer.jwksUrl }),
    'a critical header': headed({ crit: ['exp'], exp: now() + 300 }),
    'an empty crit': headed({ crit: [] }),
    'a missing kid': headed({ kid: undefined }),
    'an empty kid': headed({ kid: '' }),
    'a kid that is a number': headed({ kid: 1 }),
    'a kid that is null': headed({ kid: null }),
    'a kid that is an array': headed({ kid: [key.kid] }),
    'a kid of 4 KB': headed({ kid: 'k'.repeat(4096) }),
    'an unknown kid': headed({ kid: 'unknown' }),
    'a kid from Object.prototype': headed({ kid: '__proto__' }),

    'a missing exp': claiming({ exp: undefined }),
    'an exp that is a string': claiming({ exp: String(now() + 300) }),
    'an exp that is null': claiming({ exp: null }),
    'an exp that is infinite': withRawClaim(issuer, '"exp":1e999'),
    'an exp in the past': claiming({ exp: now() - 60 }),
    'an exp of zero': claiming({ exp: 0 }),
    'an nbf in the future': claiming({ nbf: now() + 60 }),
    'an nbf that is a string': claiming({ nbf: String(now()) }),
    'an nbf that is null': claiming({ nbf: null }),
    'a missing issuer': claiming({ iss: undefined }),
    'an empty issuer': claiming({ iss: '' }),
    'an issuer in an array': claiming({ iss: [issuer.issuer] }),
    'an issuer with a slash more': claiming({ iss: `${issuer.issuer}/` }),
    'another issuer': claiming({ iss: 'https://issuer.example' }),
    'a missing audience': claiming({ aud: undefined }),
    'an empty audience': claiming({ aud: '' }),
    'an empty array of audiences': claiming({ aud: [] }),
    'another audience': claiming({ aud: randomUUID() }),
    'other audiences': claiming({ aud: [randomUUID(), randomUUID()] }),
    'an audience in an object': claiming({ aud: { [issuer.audience]: true } }),
    'an audience among other things': claiming({ aud: [issuer.audience, 1] }),
    'an audience in two arrays': claiming({ aud: [[issuer.audience]] }),

    "a stranger's signature": issuer.token({ key: stranger }),
    'a changed header': `${encodePart({ alg: 'RS256', kid: key.kid })}.${payload}.${signature}`,
    'changed claims': `${head}.${encodePart({ ...validClaims(issuer.issuer, issuer.audience), sub: 'me' })}.${signature}`,
    'a changed signature': `${head}.${payload}.${signature.startsWith('A') ? 'B' : 'A'}${signature.slice(1)}`,
    'a short signature': `${head}.${payload}.${signature.slice(0, 100)}`,
    'a signature of zeros': `${head}.${payload}.${encodePart(new Uint8Array(256))}`,
  };
}

/** A last character that stands for the same bytes: 256 bytes leave four bits of it unused. */
function oddEnd(text: string): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
  return alphabet.charAt(alphabet.indexOf(text.slice(-1)) ^ 1);
}

/** Claims that JSON.stringify can't write, put in as text in place of the claim of the same name. */
function withRawClaim(issuer: Issuer, claim: string): string {
  const claims = JSON.stringify({ ...validClaims(issuer.issuer, issuer.audience), exp: undefined });
  const header = { alg: 'RS256', typ: 'JWT', kid: issuer.key.kid };
  return signRaw(encodePart(header), encodePart(claims.replace(/}$/, `,${claim}}`)), issuer.key);
}
