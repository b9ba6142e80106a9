import { wait } from '../wait.ts';

export interface KeyCount {
  wanted: number;
  pressed: number;
}

/** The caller's keys, and who hears them. */
export interface Keypad {
  /** How many keys there were to press, and how many of them reached the app. */
  readonly count: Readonly<KeyCount>;
  /** Presses keys, one after another. */
  press(digits: string): Promise<void>;
  /** Hears each key, and says whether it told the app, until the returned function is called. */
  listen(listener: (key: string) => boolean): () => void;
}

/**
 * @param options.keyMs from one key to the next, in milliseconds
 * @param options.over fires when the call has ended
 */
export function createKeypad({ keyMs, over }: { keyMs: number; over: AbortSignal }): Keypad {
  const count: KeyCount = { wanted: 0, pressed: 0 };
  const listeners = new Set<(key: string) => boolean>();
  return {
    count,
    async press(digits) {
      count.wanted += digits.length;
      for (const key of digits) {
        await wait(keyMs, over);
        if (over.aborted) return;
        const told = [...listeners].map((listener) => listener(key));
        if (told.includes(true)) count.pressed += 1;
      }
    },
    listen(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
