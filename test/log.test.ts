import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createLog } from '../src/log.ts';

describe('the log', () => {
  for (const level of ['error', 'silent'] as const) {
    it(`hands on what is at info and above, also at the level ${level}`, () => {
      const lines: string[] = [];
      const log = createLog(level, { write: (line) => void lines.push(line) });
      log.debug('not this');
      log.info({ event: 'a.name' }, 'but this');
      const [line, ...others] = lines;
      assert.equal(others.length, 0);
      const { time, ...rest } = JSON.parse(line ?? '');
      assert.deepEqual(rest, { level: 'info', event: 'a.name', msg: 'but this' });
      assert.ok(Date.parse(time) > 0);
    });
  }
});
