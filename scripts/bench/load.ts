import { randomBytes } from 'node:crypto';
import type { Figures } from './figures.ts';
import { maskFrame, openPeer, type Peer, type Target, UpgradeRefused } from './peer.ts';

/** Something to keep a server busy with. */
export interface Load {
  /** What makes work for later, such as records to send: what is measured, or what prepares it. */
  readonly leavesWork: 'run' | 'start';
  /** Prepares it, which isn't measured. @param width how many at a time */
  start(target: Target, width: number): Promise<RunningLoad>;
}

export interface RunningLoad {
  run(seconds: number): Promise<LoadResult>;
  end(): Promise<void>;
}

export interface LoadResult {
  /** How much was done. */
  count: number;
  /** What else there is to tell. */
  figures?: Figures;
}

/** 20 ms of audio as ACS sends it: 16 bits, 24 kHz, mono. */
export const audio = maskFrame(
  'text',
  Buffer.from(
    JSON.stringify({
      kind: 'AudioData',
      audioData: {
        timestamp: new Date().toISOString(),
        data: randomBytes(960).toString('base64'),
        silent: false,
      },
    }),
  ),
);

/** WebSockets that are opened with a token, closed after one frame has come back. As fast as it can be done. */
export const upgrades: Load = {
  leavesWork: 'run',
  async start(target, width) {
    const once = async () => {
      const peer = await openPeer(target);
      await peer.echo(audio);
      await peer.close();
    };
    return sideBySide(once, width);
  },
};

/**
 * Upgrades that are refused at the last and dearest of the token's checks: its signature is another's. Or sockets that are
 * closed for it, with a server that accepts before it looks.
 */
export const refusals: Load = {
  leavesWork: 'run',
  async start(target, width) {
    const [head, claims, signature = ''] = target.token.split('.');
    const other = Buffer.from(signature, 'base64url').reverse().toString('base64url');
    const refused = { ...target, token: [head, claims, other].join('.') };
    const once = async () => {
      try {
        const peer = await openPeer(refused);
        await peer.dismissed();
        await peer.close();
      } catch (error) {
        if (!(error instanceof UpgradeRefused) || error.status !== 401) throw error;
      }
    };
    return sideBySide(once, width);
  },
};

/** Frames on open calls, each sent as soon as the call's last one has come back. */
export const frames: Load = {
  leavesWork: 'start',
  async start(target, width) {
    const peers = await openPeers(width, () => openPeer(target));
    const once = peers.map((peer) => () => peer.echo(audio));
    return { run: (seconds) => repeat(once, seconds), end: () => closePeers(peers) };
  },
};

/** One after another: many at once would wait for each other in the server's backlog. */
export async function openPeers(count: number, open: (at: number) => Promise<Peer>): Promise<Peer[]> {
  const peers: Peer[] = [];
  for (let at = 0; at < count; at++) peers.push(await open(at));
  return peers;
}

export async function closePeers(peers: readonly Peer[]): Promise<void> {
  await Promise.all(peers.map((peer) => peer.close()));
}

/** The same, so many at a time: nothing is left of it to end. */
const sideBySide = (once: () => Promise<void>, width: number): RunningLoad => ({
  run: (seconds) => repeat(Array(width).fill(once), seconds),
  end: async () => {},
});

/** Does each of these over and over, all of them side by side. */
async function repeat(tasks: readonly (() => Promise<void>)[], seconds: number): Promise<LoadResult> {
  const until = performance.now() + seconds * 1_000;
  let count = 0;
  await Promise.all(
    tasks.map(async (task) => {
      while (performance.now() < until) {
        await task();
        count += 1;
      }
    }),
  );
  return { count };
}
