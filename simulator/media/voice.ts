import type { Sound } from './wav.ts';
import { resample } from './wav.ts';

/** 20 ms of what somebody says: 16-bit little-endian PCM, the taker's to change, and gone with the next frame. */
export interface VoiceFrame {
  pcm: Buffer;
  silent: boolean;
}

/** What somebody says, frame by frame. */
export interface Voice {
  next(): VoiceFrame;
}

/**
 * @param options.sound what is said; silence afterwards, or again from the start when `loop`
 * @param options.sampleRate of the frames, in hertz
 */
export function createVoice({
  sound,
  sampleRate,
  loop,
}: {
  sound: Sound;
  sampleRate: number;
  loop: boolean;
}): Voice {
  const samples = resample(sound, sampleRate);
  const silence = Buffer.alloc(sampleRate / 25);
  const pcm = Buffer.alloc(silence.length); // one for all frames: there are 50 a second for each call
  const source = Buffer.from(samples.buffer, samples.byteOffset, samples.byteLength);
  let place = 0;

  return {
    next() {
      if (loop && place >= source.length) place = 0;
      const said = place < source.length ? source.copy(pcm, 0, place) : 0; // copy() throws beyond the end
      pcm.fill(0, said);
      place += pcm.length;
      return { pcm, silent: pcm.equals(silence) };
    },
  };
}
