// In place of src/handler.ts while the app is soaked: that one's echo, and keys that play, stop and hang up.

import type { Call } from '../../src/calls/call.ts';
import { makeNumbered, menu, playMs, type Tally } from './menu.ts';

/** As speech comes from a synthesizer: in pieces that end in the middle of a sample. */
const pieceBytes = 4_801;

/** Tells at the end of the call, over the process's channel, what it has done. */
export function handler(call: Call): void {
  const tally: Omit<Tally, 'correlationId'> = {
    ...{ echoed: 0, withheld: 0, refused: 0 },
    ...{ played: [], unplayedMs: 0 },
  };
  let isPlaying = false;

  async function play(audio: Buffer) {
    isPlaying = true;
    let last = call.play(audio.subarray(0, pieceBytes));
    for (let at = pieceBytes; at < audio.length; at += pieceBytes) {
      last = call.play(audio.subarray(at, at + pieceBytes));
      tally.unplayedMs += last.refusedMs;
    }
    const outcome = await last.finished;
    tally.played.push(outcome);
    if (outcome === 'played') isPlaying = false;
  }

  call.on('audio', (frame) => {
    if (isPlaying) tally.withheld += 1;
    else if (call.send(frame)) tally.echoed += 1;
    else tally.refused += 1;
  });
  call.on('dtmf', async (key) => {
    if (key === menu.playLong || key === menu.playShort) await play(makeNumbered(playMs[key]));
    else if (key === menu.hangUp) await call.hangUp();
    else if (key === menu.stop) {
      call.stop();
      isPlaying = false;
    }
  });
  call.signal.addEventListener('abort', () => {
    process.send?.({ correlationId: call.acs.correlationId, ...tally });
  });
}
