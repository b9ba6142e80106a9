import type { CallIds } from '../calls/identifiers.ts';

const TICKS_PER_MS = 10_000; // a tick is 100 ns
const MS_PER_LETTER = 60;

export const ticksOf = (ms: number) => Math.round(ms * TICKS_PER_MS);
export const msOf = (ticks: number) => ticks / TICKS_PER_MS;

/** What recognizes the speech. */
export interface SpeechModel {
  locale: string;
  /** A model of the app's own. */
  speechModelEndpointId: string | undefined;
}

interface Word {
  text: string;
  /** From the call's start, in ticks. */
  offset: number;
  /** In ticks. */
  duration: number;
}

/** The first frame of a WebSocket. */
export function metadataFrame(
  subscriptionId: string,
  { callConnectionId, correlationId }: CallIds,
  { locale, speechModelEndpointId: speechRecognitionModelEndpointId }: SpeechModel,
): string {
  const names = { subscriptionId, locale, callConnectionId, correlationId };
  const transcriptionMetadata = { ...names, speechRecognitionModelEndpointId };
  return JSON.stringify({ kind: 'TranscriptionMetadata', transcriptionMetadata });
}

/**
 * The frames of something that is said, each with how many ticks pass before it. All but the last tell what is heard so
 * far, and don't tell its words apart.
 *
 * @param options.offset when it begins, in ticks from the call's start
 * @param options.speaker the raw id of whoever says it
 * @param options.intermediate whether it is told as it is being said, or at its end only
 */
export function* phraseFrames({
  text,
  offset,
  speaker,
  intermediate,
}: {
  text: string;
  offset: number;
  speaker: string;
  intermediate: boolean;
}): Generator<{ ticks: number; frame: string }> {
  const words = wordsOf(text, offset);
  const frame = (heard: string, duration: number, rest: object) => {
    const result = { text: heard, format: 'display', confidence: 0.9, offset, duration };
    const transcriptionData = { ...result, participantRawID: speaker, ...rest };
    return JSON.stringify({ kind: 'TranscriptionData', transcriptionData });
  };
  let heard = '';
  let ticks = 0;
  let duration = 0;
  for (const word of words) {
    heard = heard === '' ? word.text : `${heard} ${word.text}`;
    ticks += word.duration;
    duration += word.duration;
    if (word === words.at(-1)) {
      yield { ticks, frame: frame(text.trim(), duration, { words, resultStatus: 'Final' }) };
    } else if (intermediate) {
      yield { ticks, frame: frame(heard, duration, { resultStatus: 'Intermediate' }) };
      ticks = 0;
    }
  }
}

/** The words of a text as they are recognized: one after another, without case and punctuation. */
function wordsOf(text: string, offset: number): Word[] {
  const segments = new Intl.Segmenter(undefined, { granularity: 'word' }).segment(text.toLowerCase());
  let next = offset;
  return [...segments]
    .filter(({ isWordLike }) => isWordLike)
    .map(({ segment }) => {
      const duration = ticksOf(segment.length * MS_PER_LETTER);
      const word = { text: segment, offset: next, duration };
      next += duration;
      return word;
    });
}
