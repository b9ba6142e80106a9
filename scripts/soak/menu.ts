/** The keys that the soak's handler heeds, on a call that it otherwise sends back. */
export const menu = { playLong: '1', playShort: '2', stop: '#', hangUp: '0' } as const;

/** How long what they play is, in milliseconds. */
export const playMs = { [menu.playLong]: 65_000, [menu.playShort]: 20_000 } as const;

/** What the handler says of a call at its end. */
export interface Tally {
  correlationId: string | undefined;
  /** Frames of the caller that went back, that didn't because something was playing, and that the call refused. */
  echoed: number;
  withheld: number;
  refused: number;
  /** What became of each thing that was played, and how much of it all didn't fit, in milliseconds. */
  played: ('played' | 'stopped')[];
  unplayedMs: number;
}

/** 24 kHz, mono. */
const frameSamples = 480;
const levels = 10_000;

/** The level that all samples of the nth frame have: an even one, whereas the first of a caller's frame is odd. */
const levelOf = (nth: number) => 2 * (nth % levels) + 2;

/** Audio of which each 20 ms can be told from those before and after. */
export function makeNumbered(ms: number): Buffer {
  const samples = new Int16Array((ms / 20) * frameSamples);
  for (let nth = 0; nth < ms / 20; nth++) {
    samples.fill(levelOf(nth), nth * frameSamples, (nth + 1) * frameSamples);
  }
  return Buffer.from(samples.buffer);
}

/** Counts the frames of numbered audio as they come, of each time that some was played. */
export function createNumberedEar() {
  const heard: number[] = [];
  const gaps: string[] = [];

  return {
    /** How many frames in a row each of what was played had, and where one was missing, came twice or was spoilt. */
    heard,
    gaps,
    /** Takes a frame. @returns whether it is one of these */
    take(pcm: Buffer): boolean {
      const level = pcm.readInt16LE(0);
      if (level % 2 !== 0) return false;
      const next = heard.at(-1) ?? 0;
      const isWhole = pcm.length === frameSamples * 2 && pcm.readInt16LE(pcm.length - 2) === level;
      if (!isWhole) gaps.push(`after ${next} frames one of ${pcm.length} bytes is spoilt`);
      else if (level === levelOf(0)) heard.push(1);
      else if (heard.length > 0 && level === levelOf(next)) heard[heard.length - 1] = next + 1;
      else gaps.push(`after ${next} frames came number ${level / 2}`);
      return true;
    },
  };
}
