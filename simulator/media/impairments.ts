import type { Faults } from '../faults/faults.ts';
import type { Random } from '../faults/random.ts';
import { wait } from '../wait.ts';
import type { AcsSocket } from './acs-socket.ts';

/** A media WebSocket over a bad network, as far as the faults say so. */
export interface ImpairedSocket extends AcsSocket {
  /** Sends a frame of audio, which may come late or never; `sent` is told when it goes out. */
  speak(frame: string, sent: () => void): void;
}

/** What lies between a call and the app: jitter, bursts, loss and a slow reader. */
export interface Impairments {
  impair(socket: AcsSocket): ImpairedSocket;
  /** Frames of audio that were never sent: lost, or held back when the WebSocket ended. */
  readonly withheld: number;
  /** A clock that stands still while nothing is read: what the app says meanwhile isn't late. */
  clock(): number;
}

interface HeldFrame {
  frame: string | Buffer;
  sent: (() => void) | undefined;
  due: number;
}

/**
 * Faults may change while a call lasts. What is held back stays in order, as on TCP, keys between the audio included.
 *
 * @param options.clock monotonic clock in milliseconds
 */
export function createImpairments({
  faults,
  random,
  clock,
}: {
  faults: () => Faults;
  random: Random;
  clock: () => number;
}): Impairments {
  let withheld = 0;
  let deafMs = 0;
  let deafSince: number | undefined;

  function listen(hears: boolean) {
    if (hears === (deafSince === undefined)) return;
    if (deafSince !== undefined) deafMs += clock() - deafSince;
    deafSince = hears ? undefined : clock();
  }

  function impair(socket: AcsSocket): ImpairedSocket {
    const over = new AbortController();
    let burst: HeldFrame[] = [];
    let queue: HeldFrame[] = [];
    let isDraining = false;
    let isPausing = false;
    let readUntil = clock();

    function hold(frame: string | Buffer, sent?: () => void) {
      const { burstFrames, jitterMs } = faults();
      const isHeld = burst.length + queue.length > 0 || jitterMs !== null || (burstFrames ?? 1) > 1;
      if (!isHeld) {
        socket.send(frame, sent);
        return;
      }
      burst.push({ frame, sent, due: 0 });
      if (burst.length < (burstFrames ?? 1)) return;
      const delay = jitterMs === null ? 0 : random.upTo('jitterMs', jitterMs);
      // Whatever is due before its turn waits for those ahead of it.
      queue.push(...burst.map((held) => ({ ...held, due: clock() + delay })));
      burst = [];
      void drain();
    }

    /** Sends what is due, at once where nothing is to be waited for. */
    async function drain() {
      if (isDraining) return;
      isDraining = true;
      for (let next = queue[0]; next && !over.signal.aborted; next = queue[0]) {
        const early = next.due - clock();
        if (early > 0) await wait(early, over.signal);
        else {
          queue.shift();
          socket.send(next.frame, next.sent);
        }
      }
      isDraining = false;
    }

    async function readSlowly() {
      const slow = faults().slowReader;
      if (!slow || isPausing || clock() < readUntil) return;
      isPausing = true;
      pause();
      await wait(slow.pauseMs, over.signal);
      resume();
      readUntil = clock() + slow.readMs;
      isPausing = false;
    }

    function pause() {
      listen(false);
      socket.pause();
    }

    function resume() {
      listen(true);
      socket.resume();
    }

    /** Nothing is held back any more. */
    function stop(): HeldFrame[] {
      over.abort();
      const held = [...queue, ...burst];
      queue = [];
      burst = [];
      return held;
    }

    function discard() {
      withheld += stop().filter(({ sent }) => sent).length;
      listen(true);
    }

    void socket.closed.then(discard);
    return {
      send: (frame, sent) => hold(frame, sent),
      speak(frame, sent) {
        void readSlowly();
        if (random.chance('loseFrames', faults().loseFrames)) withheld += 1;
        else hold(frame, sent);
      },
      close(code, reason) {
        for (const { frame, sent } of stop()) socket.send(frame, sent);
        socket.close(code, reason);
      },
      drop() {
        discard();
        socket.drop();
      },
      pause,
      resume,
      get bufferedBytes() {
        if (burst.length + queue.length === 0) return socket.bufferedBytes; // asked before each frame
        const held = [...queue, ...burst];
        return held.reduce((bytes, { frame }) => bytes + frame.length, socket.bufferedBytes);
      },
      closed: socket.closed,
    };
  }

  return {
    impair,
    get withheld() {
      return withheld;
    },
    clock: () => clock() - deafMs - (deafSince === undefined ? 0 : clock() - deafSince),
  };
}
