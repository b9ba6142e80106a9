import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { run } from './support.ts';

test('--simulator: every frame of every call is sent and comes back, and is told in a table and as JSON', async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'callgate-'));
  t.after(() => rm(directory, { recursive: true }));
  const args = ['--simulator', '--calls', '3', '--seconds', '1', '--json', 'bench.json'];
  const bench = run(t, 'scripts/bench.ts', args, { INIT_CWD: directory });
  assert.equal(await bench.exited, 0, bench.err);
  assert.match(bench.err, /^ {2}\d s {2}\d calls, \d+ frames sent$/m);
  assert.match(bench.out, /^calls {7}3, /m);
  assert.match(bench.out, /^frames {6}300 sent, 300 came back, 0 lost, 0 unsent$/m);
  const { simulator } = JSON.parse(await readFile(join(directory, 'bench.json'), 'utf8'));
  assert.deepEqual([simulator.calls, simulator.seconds, simulator.faults], [3, 1, []]);
  const { late, ...frames } = simulator.frames;
  assert.deepEqual(frames, { sent: 300, received: 300, lost: 0, unsent: 0 });
  assert.ok(late >= 0 && late <= 300);
  const { p50, p99, max } = simulator.lateMs;
  assert.ok(p50 > 0 && p50 <= p99 && p99 <= max);
  assert.ok(simulator.processor.microsecondsPerFrame > 0);
});

const figures = '\\d+ \\(\\d+–\\d+\\)';
const ratio = '\\d+\\.\\d\\d \\(\\d+\\.\\d\\d–\\d+\\.\\d\\d\\)';

/** Runs a comparison as short as it can be. @returns what it measured */
async function compare(t: TestContext, what: string[], loads: string[], [first, second]: [string, string]) {
  const directory = await mkdtemp(join(tmpdir(), 'callgate-'));
  t.after(() => rm(directory, { recursive: true }));
  const args = [...what, '--calls', '2', '--seconds', '0.2', '--rounds', '1', '--json', 'bench.json'];
  const bench = run(t, 'scripts/bench.ts', args, { INIT_CWD: directory });
  assert.equal(await bench.exited, 0, bench.err);
  const { telemetry, floor } = JSON.parse(await readFile(join(directory, 'bench.json'), 'utf8'));
  const measured = telemetry ?? floor;
  for (const load of loads) {
    for (const name of [first, second]) {
      assert.match(bench.err, new RegExp(`^warm-up +${load} ${name}: \\d+/s, \\d+ µs each$`, 'm'));
      assert.match(bench.err, new RegExp(`^1 of 1 +${load} ${name}: \\d+/s, \\d+ µs each$`, 'm'));
      const { count, perSecond, microsecondsEach } = measured[load].measured[0][name];
      assert.ok(count >= 2 && perSecond > 0 && microsecondsEach > 0);
    }
    const goals = `≥ \\d\\.\\d\\d: (met|missed)\\n.*≤ \\d\\.\\d\\d: (met|missed)$`;
    assert.match(bench.out, new RegExp(`^${load}/s +${figures} +${figures} +${ratio} +${goals}`, 'm'));
    const [{ [first]: one, [second]: other }, ...more] = measured[load].measured;
    assert.deepEqual(more, []);
    assert.equal(measured[load].ratio.rate.median, other.perSecond / one.perSecond);
    assert.equal(measured[load].ratio.cost.median, other.microsecondsEach / one.microsecondsEach);
  }
  return measured;
}

test('the app is measured against bare ws: every upgrade and every frame is done', async (t) => {
  await compare(t, [], ['upgrades', 'frames'], ['bare ws', 'app']);
});

test('--telemetry: the app is measured with it on, against off, and all of its records arrive', async (t) => {
  const loads = ['upgrades', 'refusals', 'frames'];
  const measured = await compare(t, ['--telemetry'], loads, ['off', 'on']);
  for (const load of loads) assert.equal(measured[load].measured[0].off.recordsEach, 0);
  // The upgrade and the call; connected, first frame in and out, disconnected, ended.
  assert.ok(measured.upgrades.measured[0].on.recordsEach >= 7);
  assert.ok(measured.refusals.measured[0].on.recordsEach >= 1);
  assert.ok(measured.frames.measured[0].on.recordsEach < 1);
});

test('says what is wrong with its options', async (t) => {
  const wrong = run(t, 'scripts/bench.ts', ['--simulator', '--calls', '0']);
  assert.equal(await wrong.exited, 1);
  assert.match(wrong.err, /whole number/);
  const endless = run(t, 'scripts/bench.ts', ['--telemetry', '--seconds', '1e9']);
  assert.equal(await endless.exited, 1);
  assert.match(endless.err, /number of seconds/);
  const help = run(t, 'scripts/bench.ts', ['--help']);
  assert.equal(await help.exited, 0);
  assert.match(help.out, /--calls <number>/);
});
