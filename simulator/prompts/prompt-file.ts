import type { Result } from '../events/callbacks.ts';
import { results } from '../events/results.ts';
import type { Sound } from '../media/wav.ts';
import { parseWav, WavError } from '../media/wav.ts';
import { isLoopback } from '../rest/fields.ts';

/** Whether a file is played as itself: one that plain http serves on this machine. No other is ever asked for. */
export function isWithinReach(uri: string): boolean {
  const url = URL.parse(uri);
  return url?.protocol === 'http:' && isLoopback(url.hostname);
}

/**
 * Downloads a WAV file. Never rejects: a file that can't be played is an outcome too.
 *
 * @param options.signal gives up at once
 * @param options.timeoutMs how long the whole file may take, in milliseconds
 * @param options.maxBytes how large it may be
 */
export async function downloadWav(
  uri: string,
  {
    signal,
    timeoutMs = 5_000,
    maxBytes = 10 * 1024 * 1024,
  }: { signal: AbortSignal; timeoutMs?: number; maxBytes?: number },
): Promise<{ sound: Sound } | { failure: Result }> {
  const file = await download(uri, AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]), maxBytes);
  if (!file) return { failure: results.noFile };
  try {
    const sound = parseWav(file);
    // Without a sample it would take no time, and a loop of it would never let go.
    return sound.samples.length > 0 ? { sound } : { failure: results.badFile };
  } catch (error) {
    if (error instanceof WavError) return { failure: results.badFile };
    throw error;
  }
}

/** Undefined: it was refused, cut off, too slow or too large, or it is elsewhere, where nobody follows. */
async function download(uri: string, signal: AbortSignal, maxBytes: number): Promise<Buffer | undefined> {
  try {
    const response = await fetch(uri, { redirect: 'error', signal });
    if (!response.ok) {
      await response.body?.cancel();
      return undefined;
    }
    const pieces: Uint8Array[] = [];
    let size = 0;
    for await (const piece of response.body ?? []) {
      size += piece.length;
      if (size > maxBytes) return undefined; // leaving the loop cancels the rest
      pieces.push(piece);
    }
    return Buffer.concat(pieces);
  } catch {
    return undefined;
  }
}
