import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createOutboundAudioData, createOutboundStopAudioData } from '@azure/communication-call-automation';
import fc from 'fast-check';
import { parseAppFrame } from '../../../simulator/media/app-frames.ts';

const pcm = Buffer.from([1, 2, 3, 4]);
const data = pcm.toString('base64');

test('audio and StopAudio in each of the casings that circulate', () => {
  const audio = [
    JSON.stringify({ Kind: 'AudioData', AudioData: { Data: data }, StopAudio: null }),
    JSON.stringify({ kind: 'AudioData', audioData: { data } }),
    createOutboundAudioData(data),
  ];
  for (const text of audio) assert.deepEqual(parseAppFrame(text), { kind: 'audio', pcm });
  const stop = [
    JSON.stringify({ Kind: 'StopAudio', AudioData: null, StopAudio: {} }),
    JSON.stringify({ kind: 'stopAudio', stopAudio: {} }),
    createOutboundStopAudioData(),
  ];
  for (const text of stop) assert.deepEqual(parseAppFrame(text), { kind: 'stop' });
});

test('what is not heard says why', () => {
  const audio = (value: unknown) => JSON.stringify({ Kind: 'AudioData', AudioData: { Data: value } });
  const cases: [string, RegExp][] = [
    ['no json', /not JSON/],
    ['null', /no kind/],
    ['{"Kind":"Mark"}', /unknown kind/],
    ['{"Kind":"AudioData"}', /no data/],
    [audio(7), /no data/],
    [audio(''), /empty/],
    [audio('AQ=='), /odd/],
    [audio('!!!!'), /not base64/],
    [audio(Buffer.from('RIFF....').toString('base64')), /WAV/],
    [audio(Buffer.alloc(65_538).toString('base64')), /64 KB/],
  ];
  for (const [text, why] of cases) {
    const frame = parseAppFrame(text);
    assert.ok(
      frame.kind === 'unheard' && why.test(frame.why),
      `${text.slice(0, 60)}: ${JSON.stringify(frame)}`,
    );
  }
});

test('total: any text, any JSON', () => {
  fc.assert(fc.property(fc.oneof(fc.string(), fc.json()), (text) => parseAppFrame(text).kind.length > 0));
});
