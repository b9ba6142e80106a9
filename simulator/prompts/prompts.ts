import type { FailingOperation } from '../calls/handle.ts';
import type { Result } from '../events/callbacks.ts';
import { results } from '../events/results.ts';
import type { PlayRequest, PlaySource, RecognizeRequest } from '../rest/media-requests.ts';
import type { Said } from '../rest/operation.ts';
import type { Keypad } from './keypad.ts';
import { downloadWav, isWithinReach } from './prompt-file.ts';
import type { Playable, PromptPlayer } from './prompt-player.ts';
import { createRecognizer } from './recognition.ts';
import type { Words } from './words.ts';

/** What a call is played to, and what waits for its turn: one media operation at a time, as ACS has it. */
export interface Prompts {
  /** The next 20 ms of what sounds. Undefined: nothing does. */
  next(): Buffer | undefined;
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
 * @param options.player is what it is played with
 * @param options.hasSpeech whether there is a speech service, without which no text is read and no word is heard
 * @param options.fails whether this operation is to fail
 * @param options.push posts a callback event
 */
export function createPrompts({
  frameMs,
  over,
  keypad,
  words,
  player,
  hasSpeech,
  fails,
  push,
}: {
  frameMs: number;
  over: AbortSignal;
  keypad: Keypad;
  words: Words;
  player: PromptPlayer;
  hasSpeech: () => boolean;
  fails: (operation: FailingOperation) => boolean;
  push: (type: string, data: object, result?: Result) => Promise<void>;
}): Prompts {
  let last = Promise.resolve();
  let canceling = new AbortController();

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

  async function sound(playables: readonly Playable[], until: AbortSignal) {
    for (const playable of playables) {
      if (until.aborted) return;
      await player.play(playable, until);
    }
  }

  async function load(source: PlaySource, until: AbortSignal): Promise<Playable | { failure: Result }> {
    if (source.kind !== 'file') return hasSpeech() ? source : { failure: results.noSpeech };
    return isWithinReach(source.uri) ? downloadWav(source.uri, { signal: until }) : source;
  }

  /** Loads all of it before any of it sounds, or says which can't be played first, and why. */
  async function loadAll(operation: FailingOperation, sources: readonly PlaySource[], until: AbortSignal) {
    const playables: Playable[] = [];
    for (const [failedPlaySourceIndex, source] of sources.entries()) {
      const loaded = await load(source, until);
      if ('failure' in loaded)
        return { playables, failed: { failedPlaySourceIndex }, result: loaded.failure };
      playables.push(loaded);
    }
    const failed = fails(operation) ? { failedPlaySourceIndex: 0 } : undefined;
    return { playables, failed, result: results.noFile };
  }

  async function play({ playSources, playOptions }: PlayRequest, said: Said, canceled: AbortSignal) {
    const until = AbortSignal.any([canceled, over]);
    const { playables, failed, result } = await loadAll('play', playSources, until);
    if (failed && !until.aborted) return push('PlayFailed', { ...said, ...failed }, result);
    if (!until.aborted) await push('PlayStarted', said);
    do await sound(playables, until);
    while (playOptions.loop && !until.aborted);
    if (over.aborted) return;
    if (canceled.aborted) await push('PlayCanceled', said, results.canceled);
    else await push('PlayCompleted', said);
  }

  async function recognize(request: RecognizeRequest, said: Said, canceled: AbortSignal) {
    const { inputType, interruptPrompt, prompts } = request;
    if (inputType !== 'dtmf' && !hasSpeech()) return push('RecognizeFailed', said, results.noSpeech);
    const until = AbortSignal.any([canceled, over]);
    const { playables, failed, result: reason } = await loadAll('recognize', prompts, until);
    if (failed && !until.aborted) {
      const isUnread = reason === results.noSpeech;
      return push('RecognizeFailed', { ...said, ...failed }, isUnread ? reason : results.noPrompt);
    }
    if (!interruptPrompt) await sound(playables, until); // what is pressed or said meanwhile is lost
    const recognizer = createRecognizer({ request, keypad, words, toMs });
    if (interruptPrompt) await sound(playables, AbortSignal.any([until, recognizer.begun]));
    const { recognized, result } = await recognizer.finish(until);
    recognizer.close();
    if (over.aborted) return;
    if (canceled.aborted) await push('RecognizeCanceled', said, results.canceled);
    else if (recognized) await push('RecognizeCompleted', { ...said, ...recognized }, result);
    else await push('RecognizeFailed', said, result);
  }

  return {
    next: player.next,
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
