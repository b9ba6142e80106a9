import { z } from 'zod';
import {
  type AudioFrame,
  createAudioFrame,
  isAudioFrame,
  maxMessageBytes,
  parseCommonAudio,
} from './audio-frame.ts';

export type { AudioFrame };

/** How audio is written: 16-bit little-endian samples, the channels interleaved. */
export interface AudioFormat {
  readonly encoding: 'PCM';
  readonly sampleRate: number;
  readonly channels: number;
}

/** What this app asks ACS for when it answers a call. */
export const defaultFormat: AudioFormat = { encoding: 'PCM', sampleRate: 24_000, channels: 1 };

/** Why a message is malformed. Nothing of the message itself: it may hold audio, words or keys. */
export type MalformedWhy = 'too big' | 'binary' | 'not JSON' | 'no kind' | 'wrong fields' | 'not base64';

export interface MalformedFrame {
  readonly kind: 'malformed';
  readonly why: MalformedWhy;
}
/** A kind of message that this version doesn't know. `name` is the sender's word for it, cut to 64 characters. */
export interface UnknownFrame {
  readonly kind: 'unknown';
  readonly name: string;
}
export interface MetadataFrame {
  readonly kind: 'metadata';
  readonly format: AudioFormat;
  readonly subscriptionId: string | undefined;
  /** Bytes of PCM in each frame to come. */
  readonly length: number | undefined;
}
export interface DtmfFrame {
  readonly kind: 'dtmf';
  readonly tone: string;
}
export interface TranscriptionMetadataFrame {
  readonly kind: 'transcriptionMetadata';
  readonly subscriptionId: string | undefined;
  readonly locale: string | undefined;
  readonly callConnectionId: string | undefined;
  readonly correlationId: string | undefined;
}
/** Offsets and durations are in ticks of 100 ns. */
export interface TranscriptionFrame {
  readonly kind: 'transcription';
  readonly text: string;
  /** False while the speaker may go on and the words may still change. */
  readonly final: boolean;
  readonly format: string | undefined;
  readonly confidence: number | undefined;
  readonly offset: number | undefined;
  readonly duration: number | undefined;
  readonly words: readonly { text: string; offset: number | undefined; duration: number | undefined }[];
  readonly participant: string | undefined;
}
export type Frame =
  | AudioFrame
  | MetadataFrame
  | DtmfFrame
  | TranscriptionMetadataFrame
  | TranscriptionFrame
  | UnknownFrame
  | MalformedFrame;

/**
 * Reads one text message of the media WebSocket. Total: whatever comes is a frame of some kind, and nothing throws.
 *
 * @param message the message's bytes
 */
export function parseFrame(message: Buffer): Frame {
  if (message.length > maxMessageBytes) return malformed('too big');
  return parseCommonAudio(message) ?? parseJson(message);
}

/** @param why what is wrong with the message */
export function malformed(why: MalformedWhy): MalformedFrame {
  return { kind: 'malformed', why };
}

const audioHead = Buffer.from('{"Kind":"AudioData","AudioData":{"Data":"');
const audioTail = Buffer.from('"},"StopAudio":null}');

/**
 * The message that plays audio to the call. It is put together as the bytes that go out: a text would be copied twice
 * more on its way, and while its write is under way Node would hold it beside its copy.
 *
 * @param audio a frame as it came in, or PCM in the call's format
 */
export function formatAudio(audio: AudioFrame | Uint8Array): Buffer {
  const data = isAudioFrame(audio) ? audio.data : toBase64(audio);
  const tailAt = audioHead.length + data.length;
  const message = Buffer.allocUnsafe(tailAt + audioTail.length);
  message.set(audioHead);
  message.write(data, audioHead.length, 'latin1');
  message.set(audioTail, tailAt);
  return message;
}

/** The message that makes ACS drop what it has been sent and hasn't played yet. */
export function formatStopAudio(): Buffer {
  return Buffer.from('{"Kind":"StopAudio","AudioData":null,"StopAudio":{}}');
}

function toBase64(audio: Uint8Array): string {
  return Buffer.from(audio.buffer, audio.byteOffset, audio.byteLength).toString('base64');
}

/** A member that may be absent or null: undefined then. */
const optional = <T extends z.ZodType>(schema: T) =>
  schema.nullish().transform((value) => value ?? undefined);
const text = optional(z.string());
const number = optional(z.number());

const metadataSchema = z.object({
  encoding: z.literal('PCM'),
  sampleRate: z.int().min(8_000).max(48_000),
  channels: z.int().min(1).max(2),
  subscriptionId: text,
  length: optional(z.int().min(1).max(maxMessageBytes)),
});
const audioSchema = z.object({
  data: z.string(),
  silent: optional(z.boolean()),
  timestamp: text,
  participantRawID: text,
});
const dtmfSchema = z.object({ data: z.string().min(1).max(32) });
const transcriptionMetadataSchema = z.object({
  subscriptionId: text,
  locale: text,
  callConnectionId: text,
  correlationId: text,
});
const transcriptionSchema = z.object({
  text: z.string(),
  resultStatus: text,
  format: text,
  confidence: number,
  offset: number,
  duration: number,
  words: optional(z.array(z.object({ text: z.string(), offset: number, duration: number }))),
  participantRawID: text,
});

/** How each kind is read. Members that the schemas don't name are ignored. */
const readers = new Map<string, (message: unknown) => Frame>([
  [
    'AudioMetadata',
    reader(z.object({ audioMetadata: metadataSchema }), ({ audioMetadata }) => {
      const { subscriptionId, length, ...format } = audioMetadata;
      return { kind: 'metadata', format, subscriptionId, length };
    }),
  ],
  [
    'AudioData',
    reader(
      z.object({ audioData: audioSchema }),
      ({ audioData }) => createAudioFrame(audioData) ?? malformed('not base64'),
    ),
  ],
  [
    'DtmfData',
    reader(z.object({ dtmfData: dtmfSchema }), ({ dtmfData }) => ({ kind: 'dtmf', tone: dtmfData.data })),
  ],
  [
    'TranscriptionMetadata',
    reader(z.object({ transcriptionMetadata: transcriptionMetadataSchema }), ({ transcriptionMetadata }) => ({
      kind: 'transcriptionMetadata',
      ...transcriptionMetadata,
    })),
  ],
  [
    'TranscriptionData',
    reader(z.object({ transcriptionData: transcriptionSchema }), ({ transcriptionData }) => {
      const { resultStatus, words, participantRawID, ...rest } = transcriptionData;
      const final = resultStatus?.toLowerCase() === 'final';
      return { kind: 'transcription', ...rest, final, words: words ?? [], participant: participantRawID };
    }),
  ],
]);

function reader<T>(schema: z.ZodType<T>, toFrame: (message: T) => Frame): (message: unknown) => Frame {
  return (message) => {
    const result = schema.safeParse(message);
    return result.success ? toFrame(result.data) : malformed('wrong fields');
  };
}

const anyKind = z.object({ kind: z.string() });

function parseJson(message: Buffer): Frame {
  let value: unknown;
  try {
    value = JSON.parse(message.toString());
  } catch {
    return malformed('not JSON');
  }
  const result = anyKind.safeParse(value);
  if (!result.success) return malformed('no kind');
  const { kind } = result.data;
  return readers.get(kind)?.(value) ?? { kind: 'unknown', name: kind.slice(0, 64) };
}
