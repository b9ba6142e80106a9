import { randomBytes } from 'node:crypto';
import { maskFrame, openPeer, type Peer, type Target, UpgradeRefused } from './peer.ts';

/** Something to keep a server busy with, as fast as it can. */
export interface Load {
  readonly name: 'upgrades' | 'refusals' | 'frames';
  /** What makes work for later, such as records to send: what is measured, or what prepares it. */
  readonly leavesWork: 'run' | 'start';
  /** Prepares it, which isn't measured. @param width how many at a time */
  start(target: Target, width: number): Promise<RunningLoad>;
}

export interface RunningLoad {
  /** @returns how many were done */
  run(seconds: number): Promise<number>;
  end(): Promise<void>;
}

/** 20 ms of audio as ACS sends it: 16 bits, 24 kHz, mono. */
const audio = maskFrame(
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

/** WebSockets that are opened with a token, closed after one frame has come back. */
export const upgrades: Load = {
  name: 'upgrades',
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

/** Upgrades that are refused at the last and dearest of the token's checks: its signature is another's. */
export const refusals: Load = {
  name: 'refusals',
  leavesWork: 'run',
  async start(target, width) {
    const [head, claims, signature = ''] = target.token.split('.');
    const other = Buffer.from(signature, 'base64url').reverse().toString('base64url');
    const refused = { ...target, token: [head, claims, other].join('.') };
    const once = () =>
      openPeer(refused).then(
        () => Promise.reject(new Error('a bad token was let in')),
        (error) => {
          if (!(error instanceof UpgradeRefused) || error.status !== 401) throw error;
        },
      );
    return sideBySide(once, width);
  },
};

/** Frames on open calls, each sent as soon as the call's last one has come back. */
export const frames: Load = {
  name: 'frames',
  leavesWork: 'start',
  async start(target, width) {
    const peers: Peer[] = [];
    for (let at = 0; at < width; at++) peers.push(await openPeer(target));
    const once = peers.map((peer) => () => peer.echo(audio));
    return {
      run: (seconds) => repeat(once, seconds),
      end: async () => void (await Promise.all(peers.map((peer) => peer.close()))),
    };
  },
};

/** The same, so many at a time: nothing is left of it to end. */
const sideBySide = (once: () => Promise<void>, width: number): RunningLoad => ({
  run: (seconds) => repeat(Array(width).fill(once), seconds),
  end: async () => {},
});

/** Does each of these over and over, all of them side by side. @returns how often, all together */
async function repeat(tasks: readonly (() => Promise<void>)[], seconds: number): Promise<number> {
  const until = performance.now() + seconds * 1_000;
  let done = 0;
  await Promise.all(
    tasks.map(async (task) => {
      while (performance.now() < until) {
        await task();
        done += 1;
      }
    }),
  );
  return done;
}
