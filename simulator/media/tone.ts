const HERTZ = 400; // a whole number of waves in 20 ms: frames follow one another without a click
const LOUDNESS = 6_000;

/** 20 ms of a tone, as 16-bit little-endian PCM: what a prompt sounds like here whose own sound there isn't. */
export function makeTone(sampleRate: number): Buffer {
  const frame = Buffer.alloc(sampleRate / 25);
  for (let at = 0; at < frame.length; at += 2) {
    frame.writeInt16LE(Math.round(LOUDNESS * Math.sin((Math.PI * HERTZ * at) / sampleRate)), at);
  }
  return frame;
}

/** Both at once. Undefined is silence. */
export function mix(one: Buffer, other: Buffer | undefined): Buffer;
export function mix(one: Buffer | undefined, other: Buffer | undefined): Buffer | undefined;
export function mix(one: Buffer | undefined, other: Buffer | undefined): Buffer | undefined {
  if (!one || !other) return one ?? other;
  const both = Buffer.alloc(one.length);
  for (let at = 0; at < both.length; at += 2) {
    const sum = one.readInt16LE(at) + other.readInt16LE(at);
    both.writeInt16LE(Math.max(-32_768, Math.min(32_767, sum)), at);
  }
  return both;
}
