import { writeMark } from './marks.ts';
import type { Sound } from './wav.ts';
import { resample } from './wav.ts';

/** One frame of what a caller says. */
export interface CallerFrame {
  sequence: number;
  pcm: Buffer;
  silent: boolean;
}

/** The caller's voice, frame by frame. */
export interface Caller {
  next(): CallerFrame;
}

/**
 * @param options.sound what is said; silence afterwards, or again from the start when `loop`
 * @param options.sampleRate of the frames, in hertz
 * @param options.mark the number written into each frame; none leaves the audio as it is
 */
export function createCaller({
  sound,
  sampleRate,
  loop,
  mark,
}: {
  sound: Sound;
  sampleRate: number;
  loop: boolean;
  mark: number | undefined;
}): Caller {
  const samples = resample(sound, sampleRate);
  const perFrame = sampleRate / 50;
  const source = Buffer.from(samples.buffer, samples.byteOffset, samples.byteLength);
  let sequence = 0;
  let place = 0;

  return {
    next() {
      const pcm = Buffer.alloc(perFrame * 2);
      if (loop && place >= source.length) place = 0;
      const said = place < source.length ? source.copy(pcm, 0, place) : 0; // copy() throws beyond the end
      place += pcm.length;
      const silent = said === 0 || pcm.every((byte) => byte === 0);
      if (mark !== undefined) writeMark(pcm, { call: mark, sequence });
      return { sequence: sequence++, pcm, silent };
    },
  };
}
