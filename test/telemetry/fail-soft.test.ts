import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createLog } from '../../src/log.ts';
import { failSoft } from '../../src/telemetry/fail-soft.ts';
import { noTelemetry, type Telemetry } from '../../src/telemetry/telemetry.ts';

const facts = { route: '/ws', outcome: 'refused', status: 401, checkMs: 1 } as const;

function broken(): never {
  throw new Error('broken');
}

/** Each part of it that can throw, and does. */
const faulty: Telemetry = { ...noTelemetry, upgrade: broken, watch: broken, tag: broken, report: broken };

describe('telemetry that fails', () => {
  it('disturbs nobody, and says so once', () => {
    const warnings: unknown[] = [];
    const telemetry = failSoft(faulty);
    telemetry.report({
      info: () => {},
      warn: (what, message) => void warnings.push([message, Object.keys(what)]),
    });
    for (let times = 0; times < 2; times += 1) {
      telemetry.upgrade(facts);
      telemetry.watch(() => assert.fail('never read'));
      telemetry.tag({ call: 'a-call' });
    }
    assert.deepEqual(warnings, [['telemetry failed: some of it is lost', ['error']]]);
  });

  it('lets the log go on, though its own line fails too', () => {
    const lines: string[] = [];
    const { records, report } = failSoft({
      ...noTelemetry,
      records: {
        write(line) {
          lines.push(JSON.parse(line).msg);
          throw new Error('broken');
        },
      },
    });
    const log = createLog('silent', records);
    report(log);
    log.info('one');
    log.info('two');
    assert.deepEqual(lines, ['one', 'telemetry failed: some of it is lost', 'two']);
  });

  it('hands on what works', () => {
    const upgrades: unknown[] = [];
    const telemetry = failSoft({ ...noTelemetry, upgrade: (upgrade) => void upgrades.push(upgrade) });
    telemetry.upgrade(facts);
    assert.deepEqual(upgrades, [facts]);
    assert.equal(telemetry.records, undefined);
    assert.equal(
      telemetry.within({ call: 'a-call' }, () => 'done'),
      'done',
    );
  });
});
