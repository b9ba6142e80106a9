import { mix } from '../media/tone.ts';
import type { SpokenFrame } from '../media/voices.ts';
import { resample, toSamples } from '../media/wav.ts';

/** What ACS records at, in hertz, and how many participants it keeps apart. */
export const tapeRate = 16_000;
const MAX_CHANNELS = 5;
const MAX_FRAMES = 10 * 60 * 50;
const FRAME_BYTES = tapeRate / 25;

/** What is recorded of a call, 20 ms after 20 ms: everyone in one channel, or each in their own. */
export interface Tape {
  /** Takes 20 ms; after ten minutes, nothing more. */
  add(frames: readonly SpokenFrame[], sampleRate: number): void;
  readonly ms: number;
  /** Who is in which channel. */
  readonly seats: ReadonlyMap<string, number>;
  readonly channelCount: number;
  /** 16-bit little-endian PCM. */
  channels(): Buffer[];
}

/** @param wanted who is to have which channel; the others get the next one once they are heard */
export function createTape(unmixed: boolean, wanted: ReadonlyMap<string, number>): Tape {
  const seats = new Map(unmixed ? wanted : []);
  const tracks: Buffer[][] = Array.from({ length: unmixed ? MAX_CHANNELS : 1 }, () => []);
  let length = 0;

  function seatOf(speaker: string): number {
    const taken = new Set(seats.values());
    const seat = seats.get(speaker) ?? tracks.findIndex((_, at) => !taken.has(at));
    if (seat >= 0) seats.set(speaker, seat);
    return seat;
  }

  function write({ speaker = '', pcm }: SpokenFrame, sampleRate: number) {
    const track = tracks[unmixed ? seatOf(speaker) : 0];
    if (!track) return;
    track[length] = mix(atTapeRate(pcm, sampleRate), track[length]);
  }

  /** Where nobody is heard, a track has nothing. */
  function toPcm(track: readonly Buffer[]): Buffer {
    const pcm = Buffer.alloc(length * FRAME_BYTES);
    track.forEach((frame, at) => {
      frame.copy(pcm, at * FRAME_BYTES);
    });
    return pcm;
  }

  const channelCount = () => Math.max(1, ...[...seats.values()].map((seat) => seat + 1));

  return {
    add(frames, sampleRate) {
      if (length >= MAX_FRAMES) return;
      for (const frame of frames) if (!frame.silent) write(frame, sampleRate);
      length += 1;
    },
    get ms() {
      return length * 20;
    },
    seats,
    get channelCount() {
      return channelCount();
    },
    channels: () => tracks.slice(0, channelCount()).map(toPcm),
  };
}

/** A copy, as the frame itself is marked once it is sent. */
function atTapeRate(pcm: Buffer, sampleRate: number): Buffer {
  const { buffer, byteLength } = resample({ sampleRate, samples: toSamples(pcm) }, tapeRate);
  return Buffer.from(buffer, 0, byteLength);
}
