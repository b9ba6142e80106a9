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

test('says what there is to measure, and what is wrong with its options', async (t) => {
  const nothing = run(t, 'scripts/bench.ts');
  assert.equal(await nothing.exited, 1);
  assert.match(nothing.err, /^There is one thing .*--simulator$/m);
  const wrong = run(t, 'scripts/bench.ts', ['--simulator', '--calls', '0']);
  assert.equal(await wrong.exited, 1);
  assert.match(wrong.err, /whole number/);
  const help = run(t, 'scripts/bench.ts', ['--help']);
  assert.equal(await help.exited, 0);
  assert.match(help.out, /--calls <number>/);
});
