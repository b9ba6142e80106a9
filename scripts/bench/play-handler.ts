import { randomBytes } from 'node:crypto';
import type { Call } from '../../src/calls/call.ts';
import type { Playback } from '../../src/media/playback.ts';

/** How much is handed over at a time; two of these always wait, or one waits and one is heard. */
const pieceSeconds = 2;
const piece = randomBytes(pieceSeconds * 48_000);

/** Plays for as long as the call lasts, without a gap on its side, and hears what the caller says. */
export async function handler(call: Call): Promise<void> {
  call.on('audio', () => {});
  let last: Playback | undefined;
  while (!call.signal.aborted) {
    const next = call.play(piece);
    await last?.finished;
    last = next;
  }
}
