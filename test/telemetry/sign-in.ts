// A program under telemetry that waits for the result of its sign-in.

import { telemetry } from '../../src/telemetry.ts';

const { promise, resolve } = Promise.withResolvers<void>();
// A sign-in that waits keeps no process alive.
const waiting = setInterval(() => {}, 60_000);
telemetry.report({
  info(message) {
    console.log(`info ${message}`);
    resolve();
  },
  warn(facts, message) {
    console.log(`warn ${message} ${JSON.stringify(facts)}`);
    resolve();
  },
});
await promise;
clearInterval(waiting);
process.exit();
