import { type KeyObject, randomBytes, randomUUID } from 'node:crypto';
import { SignJWT } from 'jose';
import type { Simulator } from '../../simulator/simulator.ts';
import { openPeer, UpgradeRefused } from '../bench/peer.ts';

/** What strangers try, and what they get: a status, and for what reason as the log has it. */
export const attempts = {
  'no token': { status: 401, reason: 'no_token' },
  'a token that is none': { status: 401, reason: 'malformed' },
  'an old token': { status: 401, reason: 'expired' },
  "another's token": { status: 401, reason: 'audience' },
  'a forged token': { status: 401, reason: 'signature' },
  'an unknown kid': { status: 401, reason: 'unknown_key' },
  'a forged binding': { status: 403, reason: 'bad_binding' },
  'a forged event': { status: 403, reason: 'bad_binding' },
  'a forged announcement': { status: 401, reason: 'wrong_key' },
} as const;
export type Attempt = keyof typeof attempts;

/**
 * @param address the path of a call's media
 * @param key one that ACS doesn't have
 * @returns the status that the app answered with
 */
export async function attempt(
  name: Attempt,
  address: string,
  { simulator, port }: { simulator: Simulator; port: number },
  key: KeyObject,
): Promise<number> {
  const forged = randomBytes(54).toString('base64url');
  if (name === 'a forged event') {
    const authorization = `Bearer ${await simulator.token()}`;
    return post(port, `/api/callbacks/${forged}`, { authorization }, [
      simulator.calls.at(-1)?.event('CallConnected'),
    ]);
  }
  if (name === 'a forged announcement') {
    return post(
      port,
      '/api/incoming-call',
      { 'x-event-grid-key': forged },
      simulator.calls.at(-1)?.announcement,
    );
  }
  // A binding is looked at before the token's claims: who is to be refused for those needs a good one.
  const path = name === 'a forged binding' ? `/ws/${forged}` : address;
  return knock(port, path, await tokenFor(name, simulator, key));
}

/** A token as good as a stranger's can be. */
async function tokenFor(name: Attempt, simulator: Simulator, key: KeyObject): Promise<string> {
  if (name === 'no token') return '';
  if (name === 'a token that is none') return 'e30.e30';
  if (name === 'an old token') return simulator.token(-3_600);
  if (name === 'an unknown kid') return sign(simulator, key);
  const token = await simulator.token();
  if (name === 'a forged binding') return token;
  const [head = '', claims = '', signature = ''] = token.split('.');
  if (name === 'a forged token')
    return [head, claims, Buffer.from(signature, 'base64url').reverse().toString('base64url')].join('.');
  const other = { ...JSON.parse(Buffer.from(claims, 'base64url').toString()), aud: randomUUID() };
  return [head, Buffer.from(JSON.stringify(other)).toString('base64url'), signature].join('.');
}

function sign({ issuer, audience }: Simulator, key: KeyObject): Promise<string> {
  return new SignJWT({})
    .setProtectedHeader({ alg: 'RS256', typ: 'JWT', kid: randomUUID() })
    .setIssuer(issuer)
    .setAudience(audience)
    .setIssuedAt()
    .setExpirationTime('1h')
    .sign(key);
}

async function knock(port: number, path: string, token: string): Promise<number> {
  try {
    const peer = await openPeer({ port, path, token });
    await peer.close();
    return 101;
  } catch (error) {
    if (error instanceof UpgradeRefused) return error.status;
    throw error;
  }
}

async function post(
  port: number,
  path: string,
  headers: Record<string, string>,
  body: unknown,
): Promise<number> {
  const response = await fetch(`http://127.0.0.1:${port}${path}`, {
    method: 'POST',
    headers: { ...headers, 'content-type': 'application/json' },
    body: JSON.stringify(body ?? []),
  });
  await response.body?.cancel();
  return response.status;
}
