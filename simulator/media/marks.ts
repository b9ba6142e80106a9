/**
 * Frames are told apart by what they carry, not by when they come: the least significant bits of a frame's first
 * samples spell which call it belongs to and which frame of it this is. That is below what anyone hears, it survives
 * whatever passes audio through, and is lost in whatever changes it.
 */
export interface Mark {
  /** Which call: 32 bits. */
  call: number;
  /** Which of its frames: 32 bits, from 0. */
  sequence: number;
}

const SYNC = 0xca11ab1e;
const WORDS = 4;

/** Samples that a mark takes: a sync word, the call, the sequence and a check of both, a bit each. */
export const MARK_SAMPLES = WORDS * 32;

function check(call: number, sequence: number): number {
  return Math.imul(call ^ Math.imul(sequence, 0x9e3779b1), 0x85ebca6b) >>> 0;
}

/** Writes a mark into the first samples of 16-bit little-endian PCM. */
export function writeMark(pcm: Buffer, { call, sequence }: Mark): void {
  const words = [SYNC, call, sequence, check(call, sequence)];
  let at = 0;
  for (const word of words) {
    for (let bit = 31; bit >= 0; bit--, at += 2) {
      pcm[at] = ((pcm[at] ?? 0) & 0xfe) | ((word >>> bit) & 1);
    }
  }
}

/**
 * Finds the marks in a stream of audio, whatever sizes the other side cuts it into.
 *
 * @returns a function that takes the next piece and returns the marks completed by it
 */
export function createMarkReader(): (pcm: Buffer) => Mark[] {
  // The last 128 bits, which move up by one with each sample: a mark is complete when they are one.
  let [first, call, sequence, last] = [0, 0, 0, 0];
  return (piece) => {
    const marks: Mark[] = [];
    for (let at = 0; at + 1 < piece.length; at += 2) {
      first = (first << 1) | (call >>> 31);
      call = (call << 1) | (sequence >>> 31);
      sequence = (sequence << 1) | (last >>> 31);
      last = (last << 1) | ((piece[at] ?? 0) & 1);
      const isMark = first >>> 0 === SYNC && last >>> 0 === check(call, sequence);
      if (isMark) marks.push({ call: call >>> 0, sequence: sequence >>> 0 });
    }
    return marks;
  };
}
