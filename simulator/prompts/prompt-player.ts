import { createPlayback } from '../media/playback.ts';
import { makeTone } from '../media/tone.ts';
import type { Sound } from '../media/wav.ts';
import { resample } from '../media/wav.ts';
import { wait } from '../wait.ts';

/** What can be played: a sound, or what a tone stands for, with the milliseconds that it takes. */
export type Playable = { sound: Sound } | { ms: number };

/** What the app has played to the call, one thing at a time. */
export interface PromptPlayer {
  /** Plays for as long as it takes, or until `until` fires. */
  play(playable: Playable, until: AbortSignal): Promise<void>;
  /** The next 20 ms of it. Undefined: nothing sounds. */
  next(): Buffer | undefined;
}

/**
 * @param options.frameMs what 20 ms of audio take, in milliseconds
 * @param options.sampleRate of what is heard, in hertz
 * @param options.isHeard whether there is somebody who takes what is next
 */
export function createPromptPlayer({
  frameMs,
  sampleRate,
  isHeard,
}: {
  frameMs: number;
  sampleRate: () => number;
  isHeard: () => boolean;
}): PromptPlayer {
  const silence = () => undefined;
  let next: PromptPlayer['next'] = silence;

  async function playTone(ms: number, until: AbortSignal) {
    const tone = makeTone(sampleRate());
    next = () => tone;
    await wait((ms / 20) * frameMs, until);
  }

  async function playSound(sound: Sound, until: AbortSignal) {
    const rate = sampleRate();
    const samples = resample(sound, rate);
    const frameBytes = rate / 25;
    const playback = createPlayback({ frameBytes, leadFrames: 0, limitMs: Number.POSITIVE_INFINITY });
    playback.push(Buffer.from(samples.buffer, samples.byteOffset, samples.byteLength));
    next = playback.next;
    await wait((sound.samples.length / sound.sampleRate) * 50 * frameMs, until);
    // Whoever listens may be some frames behind this clock, and is to hear it to its end.
    while (playback.waitingMs > 0 && isHeard() && !until.aborted) await wait(frameMs, until);
  }

  return {
    async play(playable, until) {
      if ('sound' in playable) await playSound(playable.sound, until);
      else await playTone(playable.ms, until);
      next = silence;
    },
    next: () => next(),
  };
}
