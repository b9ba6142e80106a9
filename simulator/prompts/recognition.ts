import type { Result } from '../events/callbacks.ts';
import { results } from '../events/results.ts';
import type { Choice, RecognizeRequest } from '../rest/media-requests.ts';
import { wait } from '../wait.ts';
import type { Keypad } from './keypad.ts';
import { toneOf } from './tones.ts';
import type { Words } from './words.ts';

/** What the caller presses, or says, from now on, to be taken one at a time. */
interface Reader {
  /** Fires with the first of it. */
  readonly begun: AbortSignal;
  /** The next one; undefined if none comes within `ms`, or before `until` fires. */
  next(ms: number, until: AbortSignal): Promise<string | undefined>;
  close(): void;
}

function createReader(listen: (take: (input: string) => void) => () => void): Reader {
  const waiting: string[] = [];
  const begun = new AbortController();
  let wake = new AbortController();
  const close = listen((input) => {
    waiting.push(input);
    begun.abort();
    wake.abort();
  });
  return {
    begun: begun.signal,
    close,
    async next(ms, until) {
      wake = new AbortController();
      if (waiting.length === 0) await wait(ms, AbortSignal.any([wake.signal, until]));
      return waiting.shift();
    },
  };
}

const readTones = (keypad: Keypad) =>
  createReader((take) =>
    keypad.listen((key) => {
      const tone = toneOf(key);
      if (tone !== undefined) take(tone);
      return tone !== undefined;
    }),
  );

/** What came of listening. */
export interface Recognition {
  /** What RecognizeCompleted says of it; undefined where nothing was recognized. */
  recognized?: object;
  result: Result;
}

/** Listens from the start, so that a key or a word can interrupt the prompt. */
export interface Recognizer {
  /** Fires with the first key or word. */
  readonly begun: AbortSignal;
  /** The prompt is through: waits for the caller, or until `until` fires. */
  finish(until: AbortSignal): Promise<Recognition>;
  close(): void;
}

/**
 * Listens to keys, to words, or to both until either begins. The choices are heard by key only if some have one, which
 * Microsoft's guide on Recognize wants for all of them or none.
 *
 * @param options.toMs how many milliseconds so many seconds of the call take
 */
export function createRecognizer({
  request,
  keypad,
  words,
  toMs,
}: {
  request: RecognizeRequest;
  keypad: Keypad;
  words: Words;
  toMs: (seconds: number) => number;
}): Recognizer {
  const { inputType, choices } = request;
  const isChoice = inputType === 'choices';
  const hasKeys = isChoice ? choices.some(({ tone }) => tone != null) : inputType !== 'speech';
  const tones = hasKeys ? readTones(keypad) : undefined;
  const speech = inputType === 'dtmf' ? undefined : createReader(words.listen);
  const readers = [tones, speech].filter((reader) => reader !== undefined);
  const begun = AbortSignal.any(readers.map((reader) => reader.begun));

  return {
    begun,
    async finish(until) {
      if (speech) words.ask();
      await wait(toMs(request.silenceSeconds), AbortSignal.any([until, begun]));
      if (tones?.begun.aborted) {
        if (isChoice) return chooseByTone(choices, await tones.next(0, until));
        return collectTones(tones, request, toMs(request.interToneSeconds), until);
      }
      if (speech?.begun.aborted) {
        if (isChoice) return chooseByPhrase(choices, await speech.next(0, until));
        return collectSpeech(speech, toMs(request.endSilenceMs / 1_000), until);
      }
      return { result: results.silence };
    },
    close() {
      for (const reader of readers) reader.close();
    },
  };
}

/** Collects tones, of which the first is there. A stop tone isn't one of them. */
async function collectTones(
  reader: Reader,
  { max, stopTones }: Pick<RecognizeRequest, 'max' | 'stopTones'>,
  betweenMs: number,
  until: AbortSignal,
): Promise<Recognition> {
  const tones: string[] = [];
  const completed = (result: Result) => ({
    recognized: { recognitionType: 'dtmf', dtmfResult: { tones } },
    result,
  });
  while (tones.length < max) {
    const tone = await reader.next(betweenMs, until);
    if (tone === undefined) return { result: results.silenceBetween };
    if (stopTones.includes(tone)) return completed(results.stopTone);
    tones.push(tone);
  }
  return completed(results.maxTones);
}

/** Collects what is said, of which the beginning is there, until nothing more comes. */
async function collectSpeech(reader: Reader, silenceMs: number, until: AbortSignal): Promise<Recognition> {
  const said: string[] = [];
  for (;;) {
    const text = await reader.next(silenceMs, until);
    if (text === undefined) break;
    said.push(text);
  }
  const speech = said.join(' ');
  if (plain(speech) === '') return { result: results.notRecognized };
  return {
    recognized: { recognitionType: 'speech', speechResult: { speech, confidence: 1 } },
    result: results.speechRecognized,
  };
}

function chooseByTone(choices: readonly Choice[], tone: string | undefined): Recognition {
  const choice = choices.find((candidate) => candidate.tone === tone);
  if (!choice) return { result: results.wrongTone };
  return {
    recognized: { recognitionType: 'choices', choiceResult: { label: choice.label } },
    result: results.toneMatched,
  };
}

function chooseByPhrase(choices: readonly Choice[], text = ''): Recognition {
  const said = plain(text);
  if (said === '') return { result: results.notRecognized };
  for (const { label, phrases } of choices) {
    const recognizedPhrase = phrases.find((phrase) => plain(phrase) === said);
    if (recognizedPhrase === undefined) continue;
    return {
      recognized: {
        recognitionType: 'choices',
        choiceResult: { label, recognizedPhrase, confidence: 1 },
      },
      result: results.phraseMatched,
    };
  }
  return { result: results.noPhrase };
}

/** The words alone, without case and punctuation. Nothing is left of a mumble such as "…". */
const plain = (text: string) =>
  text
    .toLowerCase()
    .replaceAll(/['’]/g, '')
    .replaceAll(/[^\p{L}\p{M}\p{N}]+/gu, ' ')
    .trim();
