import type { Result } from './callbacks.ts';
import type { FailingOperation } from './handle.ts';
import type { Said } from './operation.ts';
import { rest } from './post.ts';
import type { PlayRequest, PlaySource } from './requests.ts';
import { results } from './results.ts';

/** What a call is played to, and what waits for its turn: one media operation at a time, as ACS has it. */
export interface Prompts {
  /** Whether something sounds just now. */
  readonly sounding: boolean;
  /** Plays once what was asked for before is through, and posts what came of it. */
  play(request: PlayRequest, said: Said): void;
  /** Cancels what runs and what waits. */
  cancel(): void;
}

/**
 * @param options.frameMs what 20 ms of audio take, in milliseconds
 * @param options.over fires when the call has ended: what is under way ends without an event
 * @param options.hasSpeech whether there is a speech service that could read a text
 * @param options.fails whether this operation is to fail
 * @param options.push posts a callback event
 */
export function createPrompts({
  frameMs,
  over,
  hasSpeech,
  fails,
  push,
}: {
  frameMs: number;
  over: AbortSignal;
  hasSpeech: () => boolean;
  fails: (operation: FailingOperation) => boolean;
  push: (type: string, data: object, result?: Result) => Promise<void>;
}): Prompts {
  let last = Promise.resolve();
  let canceling = new AbortController();
  let sounding = false;

  function enqueue(run: (canceled: AbortSignal) => Promise<void>) {
    const { signal } = canceling;
    last = last.then(async () => {
      if (!over.aborted) await run(signal);
    });
  }

  function cancel() {
    canceling.abort();
    canceling = new AbortController();
  }

  async function sound(sources: readonly PlaySource[], until: AbortSignal) {
    sounding = true;
    for (const { ms } of sources) await rest((ms / 20) * frameMs, AbortSignal.any([until, over]));
    sounding = false;
  }

  async function play({ playSources, playOptions }: PlayRequest, said: Said, canceled: AbortSignal) {
    const unread = hasSpeech() ? -1 : playSources.findIndex(({ kind }) => kind !== 'file');
    if (unread >= 0) return push('PlayFailed', { ...said, failedPlaySourceIndex: unread }, results.noSpeech);
    if (fails('play')) return push('PlayFailed', { ...said, failedPlaySourceIndex: 0 }, results.noFile);
    if (!canceled.aborted) await push('PlayStarted', said);
    do await sound(playSources, canceled);
    while (playOptions.loop && !canceled.aborted && !over.aborted);
    if (over.aborted) return;
    if (canceled.aborted) await push('PlayCanceled', said, results.canceled);
    else await push('PlayCompleted', said);
  }

  return {
    get sounding() {
      return sounding;
    },
    play(request, said) {
      if (request.interruptCallMediaOperation) cancel();
      enqueue((canceled) => play(request, said, canceled));
    },
    cancel,
  };
}
