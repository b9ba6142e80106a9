/** Mono audio: 16-bit samples at a rate in hertz. */
export interface Sound {
  sampleRate: number;
  samples: Int16Array;
}

/** A file that isn't a WAV, or not one that a caller can speak. */
export class WavError extends Error {
  override name = 'WavError';
}

/**
 * Reads a WAV file of 16-bit PCM, mono, at 8, 16 or 24 kHz.
 *
 * @throws {WavError} says what the file is instead
 */
export function parseWav(file: Buffer): Sound {
  if (file.toString('latin1', 0, 4) !== 'RIFF' || file.toString('latin1', 8, 12) !== 'WAVE') {
    throw new WavError('not a WAV file');
  }
  let sampleRate = 0;
  for (let at = 12; at + 8 <= file.length; ) {
    const kind = file.toString('latin1', at, at + 4);
    const size = file.readUInt32LE(at + 4);
    const body = file.subarray(at + 8, at + 8 + size);
    if (kind === 'fmt ') sampleRate = checkFormat(body);
    if (kind === 'data') {
      if (sampleRate === 0) throw new WavError('its audio comes before its format');
      return { sampleRate, samples: toSamples(body) };
    }
    at += 8 + size + (size & 1); // chunks are padded to an even length
  }
  throw new WavError('it holds no audio');
}

const PCM = 1;
const EXTENSIBLE = 0xfffe;

function checkFormat(body: Buffer): number {
  if (body.length < 16) throw new WavError('its format is cut short');
  const extended = body.readUInt16LE(0) === EXTENSIBLE && body.length >= 26;
  const encoding = body.readUInt16LE(extended ? 24 : 0);
  const channels = body.readUInt16LE(2);
  const sampleRate = body.readUInt32LE(4);
  const bits = body.readUInt16LE(14);
  if (encoding !== PCM || bits !== 16)
    throw new WavError(`it needs 16-bit PCM, this has ${bits} bits of format ${encoding}`);
  if (channels !== 1) throw new WavError(`it needs one channel (mono), this has ${channels}`);
  if (![8_000, 16_000, 24_000].includes(sampleRate)) {
    throw new WavError(`it needs a rate of 8000, 16000 or 24000 Hz, this has ${sampleRate}`);
  }
  return sampleRate;
}

/** Copies 16-bit little-endian PCM into samples; an odd last byte is left out. */
export function toSamples(pcm: Buffer): Int16Array {
  const samples = new Int16Array(pcm.length >> 1);
  for (let i = 0; i < samples.length; i++) samples[i] = pcm.readInt16LE(i * 2);
  return samples;
}

/**
 * A WAV file of 16-bit PCM.
 *
 * @param channels 16-bit little-endian mono PCM, one after another; the shorter are filled up with silence
 */
export function formatWav(channels: readonly Buffer[], sampleRate: number): Buffer {
  const samples = Math.max(0, ...channels.map(({ length }) => length >> 1));
  const step = channels.length * 2;
  const size = samples * step;
  const header = Buffer.alloc(44);
  header.write('RIFF', 0, 'latin1');
  header.writeUInt32LE(36 + size, 4);
  header.write('WAVEfmt ', 8, 'latin1');
  header.writeUInt32LE(16, 16);
  header.writeUInt16LE(PCM, 20);
  header.writeUInt16LE(channels.length, 22);
  header.writeUInt32LE(sampleRate, 24);
  header.writeUInt32LE(sampleRate * step, 28);
  header.writeUInt16LE(step, 32);
  header.writeUInt16LE(16, 34);
  header.write('data', 36, 'latin1');
  header.writeUInt32LE(size, 40);
  return Buffer.concat([header, interleave(channels, samples)]);
}

/** Sample by sample, one channel after another. One alone is as it is, which with minutes of audio saves calls a stall. */
function interleave(channels: readonly Buffer[], samples: number): Buffer {
  const [only, ...others] = channels;
  if (only && others.length === 0) return only.subarray(0, samples * 2);
  const all = Buffer.alloc(samples * channels.length * 2);
  for (const [place, pcm] of channels.entries()) {
    for (let i = 0; i < pcm.length >> 1; i++) {
      all.writeInt16LE(pcm.readInt16LE(i * 2), (i * channels.length + place) * 2);
    }
  }
  return all;
}

/** The same sound at another rate, by linear interpolation: plain, and good enough for speech on a telephone. */
export function resample({ sampleRate, samples }: Sound, to: number): Int16Array {
  if (sampleRate === to) return samples;
  const result = new Int16Array(Math.floor((samples.length * to) / sampleRate));
  for (let i = 0; i < result.length; i++) {
    const place = (i * sampleRate) / to;
    const before = Math.floor(place);
    const a = samples[before] ?? 0;
    const b = samples[before + 1] ?? a;
    result[i] = Math.round(a + (b - a) * (place - before));
  }
  return result;
}
