import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { maxMessageBytes } from '../../src/media/audio-frame.ts';
import { formatAudio, formatStopAudio, parseFrame } from '../../src/media/frames.ts';
import { assertAudio, assertSame, audioMessage, parseSlowly } from '../fuzz/codec.ts';

const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;
const KINDS = ['AudioData', 'AudioMetadata', 'DtmfData', 'TranscriptionMetadata', 'TranscriptionData'];

const parse = (message: unknown) => parseFrame(Buffer.from(JSON.stringify(message)));

describe('parseFrame', () => {
  it('reads audio as ACS sends it', () => {
    const pcm = Buffer.from([1, 2, 254, 255]);
    const audioData = {
      timestamp: '2024-11-15T19:16:12.925Z',
      participantRawID: '8:acs:1',
      data: pcm.toString('base64'),
    };
    for (const silent of [false, true]) {
      const frame = parseFrame(audioMessage({ ...audioData, silent }));
      assertAudio(frame);
      assert.equal(frame.data, audioData.data);
      assert.equal(frame.silent, silent);
      assert.equal(frame.timestamp, audioData.timestamp);
      assert.equal(frame.participant, '8:acs:1');
      assert.deepEqual(frame.pcm, pcm);
      assert.equal(frame.pcm, frame.pcm, 'decoded once');
    }
  });

  it('takes an absent participant, and null, for mixed audio', () => {
    const common = { timestamp: 't', participantRawID: null, data: 'AAAA', silent: false };
    const messages = [common, { timestamp: 't', data: 'AAAA', silent: false }, { data: 'AAAA' }];
    for (const audioData of messages) {
      const frame = parseFrame(audioMessage(audioData));
      assertAudio(frame);
      assert.equal(frame.participant, undefined);
      assert.equal(frame.silent, false);
    }
  });

  it('reads the common shape without JSON.parse', (t) => {
    const json = t.mock.method(JSON, 'parse');
    const silent = { timestamp: 't', participantRawID: '4:+1', data: 'AAAA', silent: true };
    parseFrame(audioMessage(silent));
    parseFrame(audioMessage({ ...silent, participantRawID: null }));
    parseFrame(audioMessage({ timestamp: 't', data: 'AAAA', silent: false }));
    assert.equal(json.mock.callCount(), 0);
    parseSlowly(audioMessage(silent));
    assert.equal(json.mock.callCount(), 1);
  });

  it('reads metadata, and refuses formats that make no sense', () => {
    const audioMetadata = {
      subscriptionId: 's',
      encoding: 'PCM',
      sampleRate: 16_000,
      channels: 1,
      length: 640,
    };
    assert.deepEqual(parse({ kind: 'AudioMetadata', audioMetadata }), {
      kind: 'metadata',
      format: { encoding: 'PCM', sampleRate: 16_000, channels: 1 },
      subscriptionId: 's',
      length: 640,
    });
    const nonsense = [
      { sampleRate: 0 },
      { sampleRate: -24_000 },
      { sampleRate: 1e9 },
      { sampleRate: 16_000.5 },
      { sampleRate: '24000' },
      { channels: 0 },
      { channels: 1e6 },
      { encoding: 'MP3' },
      { length: -1 },
    ];
    for (const fault of nonsense) {
      const message = { kind: 'AudioMetadata', audioMetadata: { ...audioMetadata, ...fault } };
      assert.deepEqual(parse(message), { kind: 'malformed', why: 'wrong fields' }, JSON.stringify(fault));
    }
    const infinite =
      '{"kind":"AudioMetadata","audioMetadata":{"encoding":"PCM","sampleRate":1e999,"channels":1}}';
    assert.equal(parseFrame(Buffer.from(infinite)).kind, 'malformed');
  });

  it('reads a pressed key', () => {
    assert.deepEqual(parse({ kind: 'DtmfData', dtmfData: { data: '#' } }), { kind: 'dtmf', tone: '#' });
    assert.equal(parse({ kind: 'DtmfData', dtmfData: { data: 3 } }).kind, 'malformed');
  });

  it('reads transcription metadata', () => {
    const transcriptionMetadata = {
      subscriptionId: 's',
      locale: 'en-us',
      callConnectionId: 'c',
      correlationId: 'r',
    };
    assert.deepEqual(parse({ kind: 'TranscriptionMetadata', transcriptionMetadata }), {
      kind: 'transcriptionMetadata',
      ...transcriptionMetadata,
    });
  });

  it('reads transcription, with words and without', () => {
    const message = `{"kind":"TranscriptionData","transcriptionData":{"text":"hi","format":"display","confidence":0.69,
      "offset":2516998782481234400,"duration":1,"words":[{"text":"hi","offset":1,"duration":2}],
      "participantRawID":"4:+1","resultStatus":"Final"}}`;
    assert.deepEqual(parseFrame(Buffer.from(message)), {
      kind: 'transcription',
      text: 'hi',
      final: true,
      format: 'display',
      confidence: 0.69,
      offset: 2516998782481234400,
      duration: 1,
      words: [{ text: 'hi', offset: 1, duration: 2 }],
      participant: '4:+1',
    });
    const intermediate = parse({ kind: 'TranscriptionData', transcriptionData: { text: 'h', words: null } });
    assert.equal(intermediate.kind, 'transcription');
    assert.deepEqual('words' in intermediate && intermediate.words, []);
    assert.equal('final' in intermediate && intermediate.final, false);
  });

  it('ignores members that it does not know', () => {
    const dtmfData = { data: '1', sequence: 7 };
    assert.deepEqual(parse({ version: 2, kind: 'DtmfData', dtmfData }), { kind: 'dtmf', tone: '1' });
  });

  it('makes a value of kinds that it does not know', () => {
    assert.deepEqual(parse({ kind: 'MarkData', markData: {} }), { kind: 'unknown', name: 'MarkData' });
    const frame = parse({ kind: 'x'.repeat(10_000) });
    assert.deepEqual(frame, { kind: 'unknown', name: 'x'.repeat(64) });
  });

  it('says why a message is malformed, and nothing of its contents', () => {
    const malformed = (text: string) => parseFrame(Buffer.from(text));
    for (const text of ['', '{', 'secret', '\u{feff}{}']) {
      assert.deepEqual(malformed(text), { kind: 'malformed', why: 'not JSON' });
    }
    for (const text of ['null', '[]', '1', '"x"', '{}', '{"kind":1}', '{"Kind":"AudioData"}']) {
      assert.deepEqual(malformed(text), { kind: 'malformed', why: 'no kind' });
    }
    for (const kind of KINDS) assert.deepEqual(parse({ kind }), { kind: 'malformed', why: 'wrong fields' });
    const big = Buffer.alloc(maxMessageBytes + 1, ' ');
    assert.deepEqual(parseFrame(big), { kind: 'malformed', why: 'too big' });
  });

  it('takes only base64 for audio, wherever the fault is', () => {
    const faults = ['A', 'AA', 'AAA', 'A===', '====', '=AAA', 'AA=A', 'AAAA=', 'AA-_', 'AA A', 'AAAA\n'];
    for (const data of [...faults, 'AA"A', 'AA\\A', '\0AAA', 'ŁAAA', 'éAAA', '", "x": "']) {
      const message = audioMessage({ timestamp: 't', participantRawID: null, data, silent: false });
      assert.deepEqual(parseFrame(message), { kind: 'malformed', why: 'not base64' }, data);
    }
    // As raw bytes, which JSON.stringify would have escaped.
    for (const byte of Array(256).keys()) {
      const message = audioMessage({ timestamp: 't', data: 'A'.repeat(640), silent: false });
      message[message.indexOf('AAAA') + 321] = byte;
      const isFine = BASE64.test(`AAA${String.fromCharCode(byte)}`) && byte !== 0x3d;
      assert.equal(parseFrame(message).kind, isFine ? 'audio' : 'malformed', `byte ${byte}`);
      assertSame(message);
    }
  });

  it('takes the deepest message there can be for malformed', () => {
    const deep = Buffer.from('['.repeat(maxMessageBytes));
    assert.equal(parseFrame(deep).kind, 'malformed');
  });
});

describe('formatAudio', () => {
  it('is what ACS reads', () => {
    const pcm = Buffer.from([1, 2, 3, 4]);
    const text = '{"Kind":"AudioData","AudioData":{"Data":"AQIDBA=="},"StopAudio":null}';
    assert.equal(formatAudio(pcm).toString(), text);
    assert.equal(
      formatAudio(new Uint8Array([0, 1, 2, 3, 4, 5]).subarray(1, 5)).toString(),
      text,
      'a view, not its buffer',
    );
    const frame = parse({ kind: 'AudioData', audioData: { data: 'AQIDBA==' } });
    assertAudio(frame);
    assert.equal(formatAudio(frame).toString(), text);
  });
});

describe('formatStopAudio', () => {
  it('is what ACS reads', () => {
    assert.equal(formatStopAudio().toString(), '{"Kind":"StopAudio","AudioData":null,"StopAudio":{}}');
  });
});
