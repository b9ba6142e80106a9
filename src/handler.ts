// Yours: what happens on a call. This one sends back what it hears. README.md has more to begin from.

import type { Call } from './calls/call.ts';

/** Called once for each call, when its audio begins. */
export function handler(call: Call): void {
  call.on('audio', (frame) => {
    call.send(frame);
  });
}
