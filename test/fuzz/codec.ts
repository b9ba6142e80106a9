import assert from 'node:assert/strict';
import fc from 'fast-check';
import { parseAppFrame } from '../../simulator/media/app-frames.ts';
import { maxMessageBytes } from '../../src/media/audio-frame.ts';
import { type Frame, formatAudio, parseFrame } from '../../src/media/frames.ts';
import { anyJson, anyText, asJson, maybe, nearly } from './arbitraries.ts';

const isBase64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/** One message as ACS writes it. */
export const audioMessage = (audioData: object): Buffer =>
  Buffer.from(JSON.stringify({ kind: 'AudioData', audioData }));

const parse = (message: unknown): Frame => parseFrame(Buffer.from(JSON.stringify(message)));

export function assertAudio(frame: Frame): asserts frame is Extract<Frame, { kind: 'audio' }> {
  assert.equal(frame.kind, 'audio');
}

/** The same message by the way of JSON.parse: white space before JSON means nothing, but isn't ACS's manner. */
export const parseSlowly = (message: Buffer): Frame => parseFrame(Buffer.concat([Buffer.from(' '), message]));

/** Asserts that a message is read alike with JSON.parse and without, and without a throw. */
export function assertSame(message: Buffer): void {
  const fast = parseFrame(message);
  const slow = parseSlowly(message);
  assert.deepEqual(fast, slow);
  if (fast.kind === 'audio' && slow.kind === 'audio') assert.deepEqual(fast.pcm, slow.pcm);
}

const base64 = fc.uint8Array({ maxLength: 1000 }).map((bytes) => Buffer.from(bytes).toString('base64'));
/** With one character that isn't base64, or not there. */
const almostBase64 = fc
  .tuple(base64, fc.nat(), fc.constantFrom(...'-_= "\\\n\0\u0141é'))
  .map(
    ([good, at, bad]) =>
      good.slice(0, at % (good.length + 1)) + bad + good.slice((at % (good.length + 1)) + 1),
  );

const anyAudioData = nearly({
  timestamp: fc.oneof(fc.constant('2024-11-15T19:16:12.925Z'), anyText),
  participantRawID: fc.oneof(fc.constant(null), anyText),
  data: fc.oneof({ weight: 3, arbitrary: base64 }, almostBase64),
  silent: fc.boolean(),
});

/** Whether Microsoft's description of an audio message holds, in other words than the codec's. */
function isAudio({ data, silent, timestamp, participantRawID }: Record<string, unknown>): boolean {
  const isText = (value: unknown) => value === undefined || value === null || typeof value === 'string';
  const isFlag = silent === undefined || silent === null || typeof silent === 'boolean';
  return (
    typeof data === 'string' && isBase64.test(data) && isFlag && isText(timestamp) && isText(participantRawID)
  );
}

const kinds = ['AudioData', 'AudioMetadata', 'DtmfData', 'TranscriptionMetadata', 'TranscriptionData'];
const envelope = fc.record(
  Object.fromEntries([
    ['kind', fc.oneof(fc.constantFrom(...kinds), anyJson)],
    ...kinds.map((kind) => [kind[0]?.toLowerCase() + kind.slice(1), anyJson]),
  ]),
  { requiredKeys: [] },
);

const wholeMessage = audioMessage({
  timestamp: '2024',
  participantRawID: '8:acs:1',
  data: 'AAECAw==',
  silent: false,
});
const damage = fc.array(
  fc.record({
    at: fc.nat(wholeMessage.length),
    remove: fc.nat(3),
    insert: fc.oneof(
      fc.uint8Array({ maxLength: 3 }),
      fc.string({ unit: fc.constantFrom(...'{}[]":,\\ \n='), maxLength: 3 }).map((text) => Buffer.from(text)),
    ),
  }),
  { maxLength: 3 },
);

/** As JSON has it, where null says no more than a member that is absent. */
const withoutNull = (value: object) =>
  Object.fromEntries(
    Object.entries(value).flatMap(([name, member]) => (member == null ? [] : [[name, asJson(member)]])),
  );

const text = maybe(anyText);
const number = maybe(fc.double({ noNaN: true, noDefaultInfinity: true }));
const metadata = fc.record({
  encoding: fc.constant('PCM'),
  sampleRate: fc.integer({ min: 8_000, max: 48_000 }),
  channels: fc.constantFrom(1, 2),
  subscriptionId: text,
  length: maybe(fc.integer({ min: 1, max: maxMessageBytes })),
});
const transcription = fc.record({
  text: anyText,
  resultStatus: fc.constantFrom('Final', 'final', 'Intermediate', null, undefined),
  format: text,
  confidence: number,
  offset: number,
  duration: number,
  words: maybe(fc.array(fc.record({ text: anyText, offset: number, duration: number }), { maxLength: 3 })),
  participantRawID: text,
});

export const codecProperties = {
  'any bytes are a frame': fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) =>
    assertSame(Buffer.from(bytes)),
  ),

  'any text is a frame': fc.property(anyText, (any) => assertSame(Buffer.from(any))),

  'any JSON is a frame': fc.property(fc.oneof(anyJson, envelope), (value) =>
    assertSame(Buffer.from(JSON.stringify(value))),
  ),

  'audio is read alike with JSON.parse and without, and only base64': fc.property(anyAudioData, (data) => {
    const message = audioMessage(data);
    assertSame(message);
    const frame = parseFrame(message);
    assert.equal(frame.kind === 'audio', isAudio({ ...data }));
    if (frame.kind === 'audio') assert.match(frame.data, isBase64);
  }),

  'audio is read alike with JSON.parse and without after any damage': fc.property(damage, (edits) => {
    let message = wholeMessage;
    for (const { at, remove, insert } of edits) {
      message = Buffer.concat([message.subarray(0, at), insert, message.subarray(at + remove)]);
    }
    assertSame(message);
  }),

  'metadata is read as it says': fc.property(metadata, (audioMetadata) => {
    const { subscriptionId, length, ...format } = audioMetadata;
    assert.deepEqual(withoutNull(parse({ kind: 'AudioMetadata', audioMetadata })), {
      kind: 'metadata',
      format,
      ...withoutNull({ subscriptionId, length }),
    });
  }),

  'a key is read as it says': fc.property(fc.string({ minLength: 1, maxLength: 32, size: 'max' }), (data) => {
    assert.deepEqual(parse({ kind: 'DtmfData', dtmfData: { data } }), { kind: 'dtmf', tone: data });
  }),

  'a transcription is read as it says': fc.property(transcription, (transcriptionData) => {
    const { resultStatus, words, participantRawID, ...rest } = transcriptionData;
    const frame = parse({ kind: 'TranscriptionData', transcriptionData });
    assert.deepEqual(withoutNull(frame), {
      kind: 'transcription',
      ...withoutNull(rest),
      final: resultStatus?.toLowerCase() === 'final',
      words: words?.map(withoutNull) ?? [],
      ...withoutNull({ participant: participantRawID }),
    });
  }),

  'any audio is carried through and back': fc.property(fc.uint8Array({ maxLength: 2_000 }), (pcm) => {
    const { AudioData } = JSON.parse(formatAudio(pcm).toString());
    const frame = parse({ kind: 'AudioData', audioData: { data: AudioData.Data } });
    assertAudio(frame);
    assert.deepEqual(new Uint8Array(frame.pcm), pcm);
    assert.deepEqual(JSON.parse(formatAudio(frame).toString()).AudioData, AudioData);
  }),

  'any audio arrives at a local ACS': fc.property(
    fc.uint8Array({ minLength: 2, maxLength: 2_000 }),
    (any) => {
      const pcm = Buffer.from(any.subarray(0, any.length & ~1));
      fc.pre(pcm.toString('latin1', 0, 4) !== 'RIFF'); // it takes that for a mistake
      assert.deepEqual(parseAppFrame(formatAudio(pcm).toString()), { kind: 'audio', pcm });
    },
  ),

  'no audio that is read gets more into what is sent than itself': fc.property(anyAudioData, (data) => {
    const frame = parseFrame(audioMessage(data));
    if (frame.kind !== 'audio') return;
    assert.deepEqual(JSON.parse(formatAudio(frame).toString()), {
      Kind: 'AudioData',
      AudioData: { Data: 'data' in data && data.data },
      StopAudio: null,
    });
  }),
};
