import type { FailingOperation } from '../calls/handle.ts';
import type { Result } from '../events/callbacks.ts';
import { results } from '../events/results.ts';
import type { Said } from '../rest/operation.ts';
import { wait } from '../wait.ts';
import type { Keypad } from './keypad.ts';

/** Keys as a keypad has them, and as ACS calls them, in the same order. */
const KEYS = '0123456789ABCD#*';
export const toneNames = [
  ...['zero', 'one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine'],
  ...['a', 'b', 'c', 'd', 'pound', 'asterisk'],
];

/** ACS's name of a key. Undefined: there is no such key. */
export const toneOf = (key: string): string | undefined => toneNames[KEYS.indexOf(key)];

/** Tones that the app sends, and those that it wants to be told of. */
export interface Tones {
  /** Takes as long as pressing the keys would, then posts what came of it. */
  send(tones: readonly string[], said: Said): Promise<void>;
  /** From now on each key of the caller is an event. */
  start(said: Said): void;
  stop(said: Said): void;
}

export function createTones({
  keypad,
  keyMs,
  over,
  fails,
  push,
}: {
  keypad: Keypad;
  keyMs: number;
  over: AbortSignal;
  fails: (operation: FailingOperation) => boolean;
  push: (type: string, data: object, result?: Result) => Promise<void>;
}): Tones {
  let unlisten = () => {};

  return {
    async send(tones, said) {
      await wait(tones.length * keyMs, over);
      if (over.aborted) return;
      if (fails('sendDtmfTones')) await push('SendDtmfTonesFailed', said, results.failed);
      else await push('SendDtmfTonesCompleted', said);
    },
    start(said) {
      unlisten();
      let sequenceId = 0;
      unlisten = keypad.listen((key) => {
        sequenceId += 1;
        const failed = fails('startContinuousDtmfRecognition');
        if (failed) void push('ContinuousDtmfRecognitionToneFailed', said, results.failed);
        else void push('ContinuousDtmfRecognitionToneReceived', { ...said, sequenceId, tone: toneOf(key) });
        return !failed;
      });
    },
    stop(said) {
      unlisten();
      void push('ContinuousDtmfRecognitionStopped', said);
    },
  };
}
