import { Writable } from 'node:stream';
import { pino } from 'pino';

/** A real log whose lines a test can read. */
export function createRecordedLog() {
  const lines: Record<string, unknown>[] = [];
  const stream = new Writable({
    write(chunk, _encoding, done) {
      lines.push(JSON.parse(String(chunk)));
      done();
    },
  });
  return { log: pino({ level: 'debug' }, stream), lines };
}
