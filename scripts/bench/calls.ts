// Calls in real time: each says 50 frames a second, all of them spread over the 20 ms of a frame.

import { setTimeout } from 'node:timers/promises';
import { createTimes } from '../times.ts';
import { audio, closePeers, type Load, openPeers, type RunningLoad } from './load.ts';
import { openPeer, type Target } from './peer.ts';

const frameMs = 20;

/** What comes first isn't measured: calls that begin all at once, and what is sent ahead. */
const leadSeconds = 0.6;

/** Every frame comes back: how long that takes. */
export const echoedCalls: Load = {
  leavesWork: 'start',
  async start(target, width) {
    const running = await openEchoedCalls(target, width);
    await running.run(leadSeconds);
    return running;
  },
};

/** The same calls, none of which has said anything yet. */
export async function openEchoedCalls(target: Target, width: number): Promise<RunningLoad> {
  const trips = createTimes();
  /** When each frame was sent that isn't back yet, of each call: they come back in order. */
  const under = Array.from({ length: width }, (): number[] => []);
  let waiting = 0;
  let onReturn = () => {};
  const calls = await openCalls(target, width, (at) => {
    trips.record(performance.now() - (under[at]?.shift() ?? Number.NaN));
    waiting -= 1;
    if (waiting === 0) onReturn();
  });

  async function run(seconds: number) {
    trips.reset();
    const { count, sentLateP99Ms } = await calls.speak(seconds, (at) => {
      under[at]?.push(performance.now());
      waiting += 1;
    });
    const returned = new Promise<void>((resolve) => {
      onReturn = resolve;
    });
    if (waiting > 0) await Promise.race([returned, calls.broken]);
    const { p50, p99 } = trips.read();
    return { count, figures: { roundTripP50Ms: p50, roundTripP99Ms: p99, sentLateP99Ms } };
  }
  return { run, end: calls.end };
}

/**
 * The server speaks on its own, ahead of what is heard: whether each frame comes before it is to be heard. The first is
 * heard when it comes, each other right after the one before, or when it comes: then there was a gap.
 */
export const playedCalls: Load = {
  leavesWork: 'start',
  async start(target, width) {
    let [count, gaps, worstGapMs] = [0, 0, 0];
    /** When all that has come of each call will have been heard. */
    const heardAt = new Float64Array(width);
    const calls = await openCalls(target, width, (at) => {
      const now = performance.now();
      const due = heardAt[at] || now;
      const gapMs = now - due;
      if (gapMs > 0) {
        gaps += 1;
        worstGapMs = Math.max(worstGapMs, gapMs);
      }
      heardAt[at] = Math.max(due, now) + frameMs;
      count += 1;
    });

    await calls.speak(leadSeconds);
    async function run(seconds: number) {
      count = 0;
      const { sentLateP99Ms } = await calls.speak(seconds);
      return { count, figures: { gaps, worstGapMs, sentLateP99Ms } };
    }
    return { run, end: calls.end };
  },
};

/** @param onMessage is told of which call a message came */
async function openCalls(target: Target, width: number, onMessage: (at: number) => void) {
  const peers = await openPeers(width, (at) => openPeer(target, () => onMessage(at)));
  /** Rejects when one of them ends. */
  const broken = Promise.race(peers.map(({ closed }) => closed)).then(() => {
    throw new Error('a call ended before its time');
  });
  broken.catch(() => {}); // in the end all of them do

  async function speakAll(seconds: number, onSend: (at: number) => void) {
    const late = createTimes();
    const total = Math.floor((seconds * 1_000 * width) / frameMs);
    const begun = performance.now();
    for (let count = 0; count < total; ) {
      await setTimeout(1);
      const due = Math.min(total, ((performance.now() - begun) * width) / frameMs);
      for (; count < due; count++) {
        late.record(performance.now() - begun - (count * frameMs) / width);
        onSend(count % width);
        peers[count % width]?.send(audio);
      }
    }
    return { count: total, sentLateP99Ms: late.read().p99 };
  }
  return {
    broken,
    /** All of them say so much. @param onSend is told which call a frame goes to */
    speak: (seconds: number, onSend = (_at: number) => {}) =>
      Promise.race([speakAll(seconds, onSend), broken]),
    end: () => closePeers(peers),
  };
}
