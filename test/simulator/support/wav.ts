import type { Sound } from '../../../simulator/media/wav.ts';

/** A WAV file, right or wrong. */
export function monoWav(
  { sampleRate, samples }: Sound,
  { channels = 1, bits = 16, encoding = 1 }: { channels?: number; bits?: number; encoding?: number } = {},
): Buffer {
  const size = samples.length * 2;
  const file = Buffer.alloc(44 + size);
  file.write('RIFF');
  file.writeUInt32LE(36 + size, 4);
  file.write('WAVEfmt ', 8);
  file.writeUInt32LE(16, 16);
  file.writeUInt16LE(encoding, 20);
  file.writeUInt16LE(channels, 22);
  file.writeUInt32LE(sampleRate, 24);
  file.writeUInt16LE(bits, 34);
  file.write('data', 36);
  file.writeUInt32LE(size, 40);
  for (const [i, sample] of samples.entries()) file.writeInt16LE(sample, 44 + i * 2);
  return file;
}
