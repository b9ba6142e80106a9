import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
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

test('--telemetry: the app is measured with it on and off, every upgrade and frame is done, and all of it is told', async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'callgate-'));
  t.after(() => rm(directory, { recursive: true }));
  const args = ['--telemetry', '--calls', '2', '--seconds', '0.2', '--rounds', '1', '--json', 'bench.json'];
  const bench = run(t, 'scripts/bench.ts', args, { INIT_CWD: directory });
  assert.equal(await bench.exited, 0, bench.err);
  for (const what of ['upgrades off', 'upgrades on', 'frames off', 'frames on']) {
    assert.match(bench.err, new RegExp(`^warm-up +${what}: \\d+/s, \\d+ µs each$`, 'm'));
    assert.match(bench.err, new RegExp(`^1 of 1 +${what}: \\d+/s, \\d+ µs each$`, 'm'));
  }
  assert.match(bench.out, /^upgrades\/s( +\d+ \(\d+–\d+\)){3} % +80 %: (met|missed)$/m);
  assert.match(bench.out, /^frames\/s( +\d+ \(\d+–\d+\)){3} % +95 %: (met|missed)$/m);
  const { telemetry } = JSON.parse(await readFile(join(directory, 'bench.json'), 'utf8'));
  for (const load of ['upgrades', 'frames']) {
    const [{ off, on }, ...more] = telemetry[load].measured;
    assert.deepEqual([more, off.recordsEach], [[], 0]);
    for (const { count, perSecond, microsecondsEach } of [off, on]) {
      assert.ok(count >= 2 && perSecond > 0 && microsecondsEach > 0);
    }
    assert.equal(telemetry[load].kept.rate.median, on.perSecond / off.perSecond);
    assert.equal(telemetry[load].kept.processor.median, off.microsecondsEach / on.microsecondsEach);
  }
  // The upgrade and the call, connected, first frame in and out, disconnected, ended.
  assert.equal(telemetry.upgrades.recordsEach.median, 7);
});

test('says what there is to measure, and what is wrong with its options', async (t) => {
  const nothing = run(t, 'scripts/bench.ts');
  assert.equal(await nothing.exited, 1);
  assert.match(nothing.err, /^There are two things .*--telemetry, or --simulator$/m);
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
