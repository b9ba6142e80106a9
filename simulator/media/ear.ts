import type { AppFrame } from './app-frames.ts';
import { parseAppFrame } from './app-frames.ts';
import type { Meter } from './meter.ts';
import { createPlayback } from './playback.ts';

/** What the caller has heard of the app so far. */
export interface EarReport {
  /** Packets that were heard, or will be, and those that weren't, by reason. */
  received: number;
  unheard: Record<string, number>;
  /** What the caller heard, and what StopAudio took back, in milliseconds. */
  heardMs: number;
  stoppedMs: number;
  stops: number;
}

/** The caller's side of what the app says. */
export interface Ear {
  /** Takes a frame of the app, and tells what it was. */
  hear(data: Buffer, isBinary: boolean): AppFrame;
  /** What is heard in the next 20 ms, if anyone listens. Undefined: silence. */
  next(listening: boolean): Buffer | undefined;
  readonly received: number;
  /** What waits to be heard, in milliseconds. */
  readonly waitingMs: number;
  report(): EarReport;
}

/**
 * @param options.frameBytes 20 ms of audio
 * @param options.bidirectional whether the app asked to be heard at all
 * @param options.meter is given what is heard
 */
export function createEar({
  frameBytes,
  bidirectional,
  meter,
}: {
  frameBytes: number;
  bidirectional: boolean;
  meter: Meter;
}): Ear {
  const playback = createPlayback({ frameBytes });
  const unheard: Record<string, number> = {};
  let received = 0;
  let stops = 0;
  let stoppedMs = 0;

  function take(frame: AppFrame): AppFrame {
    if (frame.kind === 'stop') {
      stops += 1;
      stoppedMs += playback.stop();
    }
    if (frame.kind !== 'audio') return frame;
    if (!bidirectional) return { kind: 'unheard', why: 'the stream is not bidirectional' };
    if (!playback.push(frame.pcm)) return { kind: 'unheard', why: 'more than the buffer holds' };
    received += 1;
    meter.received(frame.pcm);
    return frame;
  }

  return {
    hear(data, isBinary) {
      const frame = take(
        isBinary ? { kind: 'unheard', why: 'a binary frame' } : parseAppFrame(data.toString()),
      );
      if (frame.kind === 'unheard') unheard[frame.why] = (unheard[frame.why] ?? 0) + 1;
      return frame;
    },
    next: playback.next,
    get received() {
      return received;
    },
    get waitingMs() {
      return playback.waitingMs;
    },
    report: () => ({ received, unheard: { ...unheard }, heardMs: playback.heardMs, stoppedMs, stops }),
  };
}
