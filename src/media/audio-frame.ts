/** The largest message read, in bytes. ACS documents packets of up to 64 KB, which are 87 KB as base64. */
export const maxMessageBytes = 256 * 1024;

export type { AudioFrame };

/** Audio of one speaker, or of all of them mixed. Made in this file alone, so that `data` is base64 for sure. */
class AudioFrame {
  readonly kind = 'audio';
  /** The audio in base64, as it came: a frame is passed on without decoding it. */
  readonly data: string;
  /** Whether the sender calls it silence. It is audio all the same: voice detectors count on it. */
  readonly silent: boolean;
  readonly timestamp: string | undefined;
  /** Who speaks (ACS's raw id); undefined when the audio is mixed. */
  readonly participant: string | undefined;
  #pcm: Buffer | undefined;

  constructor(data: string, silent: boolean, timestamp: string | undefined, participant: string | undefined) {
    this.data = data;
    this.silent = silent;
    this.timestamp = timestamp;
    this.participant = participant;
  }

  /** The samples, decoded when first asked for. */
  get pcm(): Buffer {
    this.#pcm ??= Buffer.from(this.data, 'base64');
    return this.#pcm;
  }
}

export function isAudioFrame(value: unknown): value is AudioFrame {
  return value instanceof AudioFrame;
}

/**
 * Audio from the members of a parsed message; undefined if `data` isn't base64.
 *
 * @param audio the member audioData of a message
 */
export function createAudioFrame(audio: {
  readonly data: string;
  readonly silent?: boolean | undefined;
  readonly timestamp?: string | undefined;
  readonly participantRawID?: string | undefined;
}): AudioFrame | undefined {
  const { data, silent = false, timestamp, participantRawID } = audio;
  const isAscii = Buffer.byteLength(data) === data.length;
  return isAscii && isBase64(data) ? new AudioFrame(data, silent, timestamp, participantRawID) : undefined;
}

/** All of the common message before its payload. Its strings are plain ASCII: as they stand is what they mean. */
const commonHead =
  /\{"kind":"AudioData","audioData":\{"timestamp":"([ !#-[\]-~]*)",(?:"participantRawID":(?:null|"([ !#-[\]-~]*)"),)?"data":"/y;
const spokenTail = '","silent":false}}';
const silentTail = '","silent":true}}';

/**
 * Audio as ACS writes it, and nearly all that comes is that: read without JSON.parse, several times as fast.
 * Undefined means that it must be read the long way, not that anything is wrong.
 */
export function parseCommonAudio(message: Buffer): AudioFrame | undefined {
  const text = message.toString('latin1');
  commonHead.lastIndex = 0;
  const head = commonHead.exec(text);
  if (!head) return undefined;
  const silent = text.endsWith(silentTail);
  if (!silent && !text.endsWith(spokenTail)) return undefined;
  const data = text.slice(commonHead.lastIndex, silent ? -silentTail.length : -spokenTail.length);
  return isBase64(data) ? new AudioFrame(data, silent, head[1], head[2]) : undefined;
}

/** Where isBase64 decodes to: written, never read. */
const scratch = Buffer.allocUnsafe(maxMessageBytes);

/**
 * Whether a text is base64 with its padding, and so needs no escapes inside JSON. Node skips what isn't base64 when
 * it decodes, so a full number of bytes vouches for each character: ten times as fast as a RegExp.
 *
 * @param text characters up to U+00FF only: Node's decoder looks at the low byte of the others
 */
function isBase64(text: string): boolean {
  const padding = text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0;
  if (scratch.write(text, 'base64') !== (text.length / 4) * 3 - padding) return false;
  return !text.includes('-') && !text.includes('_'); // base64url, which Node takes as well
}
