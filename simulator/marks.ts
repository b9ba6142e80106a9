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

/** Reads the mark that begins at a sample of 16-bit little-endian PCM, if one does. */
function readMark(pcm: Buffer, sample: number): Mark | undefined {
  let at = sample * 2;
  for (let bit = 31; bit >= 0; bit--, at += 2) {
    if (((pcm[at] ?? 0) & 1) !== ((SYNC >>> bit) & 1)) return undefined;
  }
  const word = () => {
    let value = 0;
    for (let bit = 0; bit < 32; bit++, at += 2) value = (value << 1) | ((pcm[at] ?? 0) & 1);
    return value >>> 0;
  };
  const call = word();
  const sequence = word();
  return word() === check(call, sequence) ? { call, sequence } : undefined;
}

/**
 * Finds the marks in a stream of audio, whatever sizes the other side cuts it into.
 *
 * @returns a function that takes the next piece and returns the marks completed by it
 */
export function createMarkReader(): (pcm: Buffer) => Mark[] {
  let rest = Buffer.alloc(0);
  return (piece) => {
    const pcm = rest.length === 0 ? piece : Buffer.concat([rest, piece]);
    const samples = pcm.length >> 1;
    const marks: Mark[] = [];
    let sample = 0;
    for (; sample + MARK_SAMPLES <= samples; sample++) {
      const mark = readMark(pcm, sample);
      if (!mark) continue;
      marks.push(mark);
      sample += MARK_SAMPLES - 1;
    }
    rest = Buffer.from(pcm.subarray(sample * 2));
    return marks;
  };
}
