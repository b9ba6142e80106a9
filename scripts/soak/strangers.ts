import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createRandom } from '../../simulator/faults/random.ts';
import type { Simulator } from '../../simulator/simulator.ts';
import { wait } from '../../simulator/wait.ts';
import { type Attempt, attempt, attempts } from './attempts.ts';
import { dial, upgradeHead } from './raw.ts';

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
  /** Aborts when no more are to come, and those who linger are to go at once. */
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
  const closing = AbortSignal.any([over.signal, options.signal]);
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
    while (!closing.aborted) {
      const name = names[random.upTo('attempt', names.length)];
      if (name) track(come(name));
      else track(linger(beginnings[random.upTo('beginning', beginnings.length - 1)] ?? ''));
      await wait(everyMs, closing);
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
