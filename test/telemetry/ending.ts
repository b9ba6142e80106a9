// A program under telemetry that has something to send, and ends.

import { telemetry } from '../../src/telemetry.ts';

const time = new Date().toISOString();
telemetry.records?.write(JSON.stringify({ level: 'info', time, event: 'callgate.stopped', stoppingMs: 1 }));
const begun = performance.now();
await telemetry.flush(Number(process.env.FLUSH_MS));
console.log(JSON.stringify({ flushMs: performance.now() - begun }));
process.exit();
