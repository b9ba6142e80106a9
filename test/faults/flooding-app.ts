// The app with a handler that sends back what it hears, and with each key that is pressed as much as it may.

import { createCallgate } from '../../src/callgate.ts';
import type { Call } from '../../src/calls/call.ts';
import { loadConfig } from '../../src/config.ts';
import { createLog } from '../../src/log.ts';

/** Longer than a frame, so that it takes less of the processor to send many: what waits is counted in bytes. */
const piece = Buffer.alloc(9_600);

function handler(call: Call): void {
  call.on('audio', (frame) => {
    call.send(frame);
  });
  call.on('dtmf', () => {
    while (call.send(piece));
    log.info('filled');
  });
}

const log = createLog('info');
const callgate = createCallgate({ config: loadConfig(process.env), handler, log });
process.on('SIGUSR2', () => log.info({ peakMib: process.resourceUsage().maxRSS / 1024 }, 'memory'));
callgate.whenReady.then(() => log.info('ready'));
log.info({ port: await callgate.start() }, 'listening');
