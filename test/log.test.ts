import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createLog, createLogLimiter } from '../src/log.ts';

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

describe('the bound on log lines', () => {
  it('is of the next window too after the wall clock was set back', (t) => {
    t.mock.timers.enable({ apis: ['Date'], now: Date.now() });
    const mayLog = createLogLimiter({ burst: 1, windowMs: 0 });
    assert.ok(mayLog('a kind'));
    t.mock.timers.setTime(Date.now() - 3_600_000);
    assert.ok(mayLog('a kind'));
  });
});
