import { generateKeyPairSync, type KeyObject, randomBytes, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { SignJWT } from 'jose';
import { createRandom } from '../../simulator/faults/random.ts';
import type { Simulator } from '../../simulator/simulator.ts';
import { wait } from '../../simulator/wait.ts';
import { openPeer, UpgradeRefused } from '../bench/peer.ts';
import { dial, upgradeHead } from './raw.ts';

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

const names = Object.keys(attempts) as Attempt[]; // its own keys

/** How far those get who begin a handshake and never end it. */
const beginnings = ['', 'GET ', 'half a head'] as const;

/** How long one of them waits at most until the app has had enough (12 s, and what a busy machine takes), in milliseconds. */
const heldMs = 25_000;

export interface StrangersOptions {
  simulator: Simulator;
  port: number;
  seed: number;
  /** Where the media of a call that runs goes: somebody may know that, and have no token. */
  addressOf: () => URL | undefined;
  /** Whether the issuer may be asked for its keys now, which is what an unknown kid brings about. */
  mayAskForKeys: () => boolean;
  /** Between two of them, in milliseconds. */
  everyMs?: number;
  onFault: (fault: string) => void;
  /** Aborts when those who linger are to go at once. */
  signal: AbortSignal;
}

export interface Strangers {
  /** How many have tried each. */
  readonly counts: Readonly<Record<string, number>>;
  /** How many handshakes that were never ended the app has cut off. */
  readonly cutOff: number;
  /** No more come. Resolves when the last one is gone. */
  stop(): Promise<void>;
}

/** Has strangers at the app's door, one after another, until they are stopped. */
export function receiveStrangers(options: StrangersOptions): Strangers {
  const { everyMs = 150, onFault } = options;
  const random = createRandom(options.seed, 'strangers');
  const key = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
  const over = new AbortController();
  const counts: Record<string, number> = {};
  const present = new Set<Promise<void>>();
  let cutOff = 0;

  async function come(name: Attempt) {
    const address = options.addressOf();
    if (!address) return; // no call runs just now
    if (name === 'an unknown kid' && !options.mayAskForKeys()) return;
    counts[name] = (counts[name] ?? 0) + 1;
    const status = await attempt(name, address.pathname, options, key).catch((error: Error) => error.message);
    if (status !== attempts[name].status)
      onFault(`a stranger with ${name} got ${status}, not ${attempts[name].status}`);
  }

  async function linger(beginning: (typeof beginnings)[number]) {
    const head = upgradeHead(`/ws/${randomBytes(54).toString('base64url')}`, 'x');
    const socket = dial(options.port, beginning === 'half a head' ? head : beginning);
    socket.resume();
    const patience = AbortSignal.any([options.signal, AbortSignal.timeout(heldMs)]);
    await once(socket, 'close', { signal: patience }).catch(() => {});
    if (socket.closed) cutOff += 1;
    else if (!options.signal.aborted)
      onFault(`a handshake that was never ended was held for ${heldMs / 1_000} s`);
    socket.destroy();
  }

  function track(visit: Promise<void>) {
    present.add(visit);
    visit.finally(() => present.delete(visit));
  }

  async function go() {
    while (!over.signal.aborted) {
      const name = names[random.upTo('attempt', names.length)];
      if (name) track(come(name));
      else track(linger(beginnings[random.upTo('beginning', beginnings.length - 1)] ?? ''));
      await wait(everyMs, over.signal);
    }
  }

  const going = go();
  return {
    counts,
    get cutOff() {
      return cutOff;
    },
    async stop() {
      over.abort();
      await going;
      await Promise.all(present);
    },
  };
}

/**
 * @param address the path of a call's media
 * @param key one that ACS doesn't have
 * @returns the status that the app answered with
 */
async function attempt(
  name: Attempt,
  address: string,
  { simulator, port }: StrangersOptions,
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
