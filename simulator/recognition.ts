import type { Result } from './callbacks.ts';
import type { Keypad } from './keypad.ts';
import { rest } from './post.ts';
import { results } from './results.ts';
import { toneOf } from './tones.ts';

/** The caller's keys from now on, to be taken one at a time. */
export interface ToneReader {
  /** Fires with the first key. */
  readonly begun: AbortSignal;
  /** The next tone; undefined if none comes within `ms`, or before `until` fires. */
  next(ms: number, until: AbortSignal): Promise<string | undefined>;
  close(): void;
}

export function readTones(keypad: Keypad): ToneReader {
  const waiting: string[] = [];
  const begun = new AbortController();
  let wake = new AbortController();
  const close = keypad.listen((key) => {
    const tone = toneOf(key);
    if (tone === undefined) return false;
    waiting.push(tone);
    begun.abort();
    wake.abort();
    return true;
  });
  return {
    begun: begun.signal,
    close,
    async next(ms, until) {
      wake = new AbortController();
      if (waiting.length === 0) await rest(ms, AbortSignal.any([wake.signal, until]));
      return waiting.shift();
    },
  };
}

/** How many tones are wanted, which one ends them, and how long each may take, in milliseconds. */
export interface TonesWanted {
  max: number;
  stopTones: readonly string[];
  firstMs: number;
  nextMs: number;
}

/** Collects tones. A stop tone isn't one of them. */
export async function collectTones(
  reader: ToneReader,
  { max, stopTones, firstMs, nextMs }: TonesWanted,
  until: AbortSignal,
): Promise<{ tones?: string[]; result: Result }> {
  const tones: string[] = [];
  while (tones.length < max) {
    const tone = await reader.next(tones.length === 0 ? firstMs : nextMs, until);
    if (tone === undefined) return { result: tones.length === 0 ? results.silence : results.silenceBetween };
    if (stopTones.includes(tone)) return { tones, result: results.stopTone };
    tones.push(tone);
  }
  return { tones, result: results.maxTones };
}
