// The app with a handler that sends back what it hears, never returns, and fails as the keys tell it that are pressed.

import { createCallgate } from '../../src/callgate.ts';
import type { Call } from '../../src/calls/call.ts';
import { loadConfig } from '../../src/config.ts';
import { createLog } from '../../src/log.ts';

const failures: Record<string, () => unknown> = {
  '1': () => {
    throw new Error('as the test wants');
  },
  '2': () => Promise.reject(new Error('as the test wants')),
  /** Blocks the process. */
  '3': () => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 200),
};

function handler(call: Call): Promise<void> {
  call.on('audio', (frame) => {
    call.send(frame);
  });
  call.on('dtmf', async (key) => {
    await failures[key]?.();
  });
  return new Promise(() => {});
}

const log = createLog('info');
const callgate = createCallgate({ config: loadConfig(process.env), handler, log });
callgate.whenReady.then(() => log.info('ready'));
await callgate.start();
