/** What the caller hears: the app's audio, played in real time from a buffer. */
export interface Playback {
  /** Takes audio to be played after what waits already; false when the buffer is full. */
  push(pcm: Buffer): boolean;
  /** Empties the buffer, as StopAudio does. Returns how much is never heard, in milliseconds. */
  stop(): number;
  /**
   * Plays one frame's time, which goes by unheard where nobody is listening. Undefined: silence. The frame is gone with
   * the next one.
   */
  next(listening?: boolean): Buffer | undefined;
  readonly waitingMs: number;
  readonly heardMs: number;
}

/**
 * @param options.frameBytes 20 ms of audio
 * @param options.leadFrames frames that wait before an empty buffer plays again, so that jitter isn't heard
 * @param options.limitMs how much may wait, in milliseconds; how much ACS buffers is undocumented
 */
export function createPlayback({
  frameBytes,
  leadFrames = 2,
  limitMs = 600_000,
}: {
  frameBytes: number;
  leadFrames?: number;
  limitMs?: number;
}): Playback {
  const toMs = (bytes: number) => (bytes / frameBytes) * 20;
  const frame = Buffer.alloc(frameBytes);
  let pieces: Buffer[] = [];
  let waiting = 0;
  let heard = 0;
  let rest = leadFrames;

  function take(listening: boolean): Buffer | undefined {
    let filled = 0;
    while (filled < frameBytes) {
      const piece = pieces[0];
      if (!piece) break;
      const copied = piece.copy(frame, filled, 0, frameBytes - filled);
      filled += copied;
      if (copied === piece.length) pieces.shift();
      else pieces[0] = piece.subarray(copied);
    }
    frame.fill(0, filled);
    waiting -= filled;
    if (!listening) return undefined;
    heard += filled;
    return frame;
  }

  return {
    push(pcm) {
      if (toMs(waiting + pcm.length) > limitMs) return false;
      pieces.push(pcm);
      waiting += pcm.length;
      return true;
    },
    stop() {
      const unheard = toMs(waiting);
      pieces = [];
      waiting = 0;
      rest = leadFrames;
      return unheard;
    },
    next(listening = true) {
      if (waiting === 0) {
        rest = leadFrames;
        return undefined;
      }
      if (rest > 0) {
        rest -= 1;
        return undefined;
      }
      return take(listening);
    },
    get waitingMs() {
      return toMs(waiting);
    },
    get heardMs() {
      return toMs(heard);
    },
  };
}
