import type { Result } from './callbacks.ts';
import type { FailingOperation } from './handle.ts';
import type { Keypad } from './keypad.ts';
import type { PlayRequest, PlaySource, RecognizeRequest } from './media-requests.ts';
import type { Said } from './operation.ts';
import { rest } from './post.ts';
import { createRecognizer } from './recognition.ts';
import { results } from './results.ts';
import type { Words } from './words.ts';

/** What a call is played to, and what waits for its turn: one media operation at a time, as ACS has it. */
export interface Prompts {
  /** Whether something sounds just now. */
  readonly sounding: boolean;
  /** Plays once what was asked for before is through, and posts what came of it. */
  play(request: PlayRequest, said: Said): void;
  /** Plays a prompt, if there is one, then listens to the caller's keys and words, and posts what came of it. */
  recognize(request: RecognizeRequest, said: Said): void;
  /** Cancels what runs and what waits. */
  cancel(): void;
}

/**
 * @param options.frameMs what 20 ms of audio take, in milliseconds
 * @param options.over fires when the call has ended: what is under way ends without an event
 * @param options.hasSpeech whether there is a speech service, without which no text is read and no word is heard
 * @param options.fails whether this operation is to fail
 * @param options.push posts a callback event
 */
export function createPrompts({
  frameMs,
  over,
  keypad,
  words,
  hasSpeech,
  fails,
  push,
}: {
  frameMs: number;
  over: AbortSignal;
  keypad: Keypad;
  words: Words;
  hasSpeech: () => boolean;
  fails: (operation: FailingOperation) => boolean;
  push: (type: string, data: object, result?: Result) => Promise<void>;
}): Prompts {
  let last = Promise.resolve();
  let canceling = new AbortController();
  let sounding = false;

  function enqueue(interrupt: boolean, run: (canceled: AbortSignal) => Promise<void>) {
    if (interrupt) cancel();
    const { signal } = canceling;
    last = last.then(async () => {
      if (!over.aborted) await run(signal);
    });
  }

  function cancel() {
    canceling.abort();
    canceling = new AbortController();
  }

  const toMs = (seconds: number) => seconds * 50 * frameMs;

  async function sound(sources: readonly PlaySource[], until: AbortSignal) {
    sounding = true;
    for (const { ms } of sources) await rest(toMs(ms / 1_000), AbortSignal.any([until, over]));
    sounding = false;
  }

  /** Which source can't be played, and why. */
  function findFailure(operation: FailingOperation, sources: readonly PlaySource[]) {
    const unread = hasSpeech() ? -1 : sources.findIndex(({ kind }) => kind !== 'file');
    if (unread >= 0) return { index: { failedPlaySourceIndex: unread }, result: results.noSpeech };
    if (!fails(operation)) return undefined;
    const result = operation === 'play' ? results.noFile : results.noPrompt;
    return { index: { failedPlaySourceIndex: 0 }, result };
  }

  async function play({ playSources, playOptions }: PlayRequest, said: Said, canceled: AbortSignal) {
    const failure = findFailure('play', playSources);
    if (failure) return push('PlayFailed', { ...said, ...failure.index }, failure.result);
    if (!canceled.aborted) await push('PlayStarted', said);
    do await sound(playSources, canceled);
    while (playOptions.loop && !canceled.aborted && !over.aborted);
    if (over.aborted) return;
    if (canceled.aborted) await push('PlayCanceled', said, results.canceled);
    else await push('PlayCompleted', said);
  }

  async function recognize(request: RecognizeRequest, said: Said, canceled: AbortSignal) {
    const { inputType, interruptPrompt, prompts } = request;
    if (inputType !== 'dtmf' && !hasSpeech()) return push('RecognizeFailed', said, results.noSpeech);
    const failure = findFailure('recognize', prompts);
    if (failure) return push('RecognizeFailed', { ...said, ...failure.index }, failure.result);
    const until = AbortSignal.any([canceled, over]);
    if (!interruptPrompt) await sound(prompts, until); // what is pressed or said meanwhile is lost
    const recognizer = createRecognizer({ request, keypad, words, toMs });
    if (interruptPrompt) await sound(prompts, AbortSignal.any([until, recognizer.begun]));
    const { recognized, result } = await recognizer.finish(until);
    recognizer.close();
    if (over.aborted) return;
    if (canceled.aborted) await push('RecognizeCanceled', said, results.canceled);
    else if (recognized) await push('RecognizeCompleted', { ...said, ...recognized }, result);
    else await push('RecognizeFailed', said, result);
  }

  return {
    get sounding() {
      return sounding;
    },
    play(request, said) {
      enqueue(request.interruptCallMediaOperation === true, (canceled) => play(request, said, canceled));
    },
    recognize(request, said) {
      const interrupt = request.interruptCallMediaOperation === true;
      enqueue(interrupt, (canceled) => recognize(request, said, canceled));
    },
    cancel,
  };
}
