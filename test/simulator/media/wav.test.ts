import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { formatWav, parseWav, resample, WavError } from '../../../simulator/media/wav.ts';
import { monoWav } from '../support/wav.ts';

test('reads 16-bit mono PCM at the three rates', () => {
  for (const sampleRate of [8_000, 16_000, 24_000]) {
    const samples = Int16Array.of(0, 1, -1, 32_767, -32_768);
    assert.deepEqual(parseWav(monoWav({ sampleRate, samples })), { sampleRate, samples });
  }
});

test('skips other chunks, padded ones too', () => {
  const wav = monoWav({ sampleRate: 8_000, samples: Int16Array.of(5) });
  const odd = Buffer.from('LIST\x03\x00\x00\x00abc\x00', 'latin1');
  assert.deepEqual(
    parseWav(Buffer.concat([wav.subarray(0, 36), odd, wav.subarray(36)])).samples,
    Int16Array.of(5),
  );
});

test('says what another file is', () => {
  const wav = (fields: Parameters<typeof monoWav>[1]) =>
    monoWav({ sampleRate: 24_000, samples: new Int16Array(4) }, fields);
  const cases: [Buffer, RegExp][] = [
    [Buffer.from('ID3 something'), /not a WAV/],
    [wav({ channels: 2 }), /mono.*2/],
    [wav({ bits: 8 }), /16-bit PCM.*8 bits/],
    [wav({ encoding: 3, bits: 32 }), /format 3/],
    [monoWav({ sampleRate: 44_100, samples: new Int16Array(4) }), /44100/],
    [wav({}).subarray(0, 36), /no audio/],
  ];
  for (const [file, message] of cases) {
    assert.throws(
      () => parseWav(file),
      (error: unknown) => error instanceof WavError && message.test(error.message),
    );
  }
});

test('any bytes are read or refused, never worse', () => {
  const header = monoWav({ sampleRate: 24_000, samples: new Int16Array(2) });
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 80 }), fc.nat(60), (bytes, at) => {
      const file = Buffer.concat([header.subarray(0, at), bytes]);
      try {
        parseWav(file);
      } catch (error) {
        assert.ok(error instanceof WavError, String(error));
      }
    }),
  );
});

test('channels take turns, the shorter filled up with silence', () => {
  const left = Buffer.from(Int16Array.of(1, 2, 3).buffer);
  const right = Buffer.from(Int16Array.of(-1).buffer);
  const wav = formatWav([left, right], 16_000);
  assert.equal(wav.readUInt16LE(22), 2);
  assert.equal(wav.readUInt32LE(24), 16_000);
  const samples = Array.from({ length: 6 }, (_, i) => wav.readInt16LE(44 + i * 2));
  assert.deepEqual(samples, [1, -1, 2, 0, 3, 0]);
});

test('another rate is the same sound', () => {
  const tone = (rate: number) =>
    Int16Array.from({ length: rate }, (_, i) => 8_000 * Math.sin((2 * Math.PI * 300 * i) / rate));
  const result = resample({ sampleRate: 8_000, samples: tone(8_000) }, 24_000);
  assert.equal(result.length, 24_000);
  const expected = tone(24_000);
  for (let i = 0; i < result.length - 3; i++)
    assert.ok(Math.abs((result[i] ?? 0) - (expected[i] ?? 0)) < 200);
});
