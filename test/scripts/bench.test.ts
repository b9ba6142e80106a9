import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { Round } from '../../scripts/bench/compare.ts';
import type { Figures } from '../../scripts/bench/figures.ts';
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

/** Runs a comparison as short as it can be. @returns what it said and measured, in its only round */
async function compare(t: TestContext, what: string[]) {
  const directory = await mkdtemp(join(tmpdir(), 'callgate-'));
  t.after(() => rm(directory, { recursive: true }));
  const short = ['--calls', '2', '--width', '2', '--seconds', '0.2', '--rounds', '1'];
  const args = [...what, ...short, '--json', 'bench.json'];
  const bench = run(t, 'scripts/bench.ts', args, { INIT_CWD: directory });
  assert.equal(await bench.exited, 0, bench.err);
  const figures = JSON.parse(await readFile(join(directory, 'bench.json'), 'utf8'));
  const { measured, rows } = figures.baselines ?? figures.telemetry;
  assert.equal(measured.length, 1);
  return { bench, round: measured[0], rows };
}

const loads = ['upgrades', 'refusals', 'frames', 'calls', 'played'];

/** Asserts that each of these did what a trial is about, and that there was a line for it. */
function assertMeasured(progress: string, round: Round, trial: string, names: string[]) {
  assert.deepEqual(Object.keys(round[trial] ?? {}).toSorted(), names.toSorted());
  for (const [name, figures] of Object.entries(round[trial] ?? {})) {
    const line = new RegExp(`^1 of 1 +${trial} ${name}: .+; 0:\\d\\d left$`, 'm');
    assert.match(progress, line);
    if (!loads.includes(trial)) continue;
    assert.match(progress, new RegExp(`^warm-up +${trial} ${name}: `, 'm'));
    for (const figure of [
      'count',
      'perSecond',
      'cpuMicroseconds',
      'busyPercent',
      'loadBusyPercent',
    ] as const) {
      assert.ok((figures[figure] ?? 0) > 0, `${figure} of ${trial} ${name}`);
    }
  }
}

function assertFresh(figures: Figures) {
  const { listeningMs = 0, readyMs = 0, startCpuMs = 0 } = figures;
  assert.ok(listeningMs > 0 && readyMs > listeningMs && startCpuMs > 0);
  for (const memory of ['idleRssKb', 'idleHeapKb', 'speakingRssKb', 'speakingHeapKb'] as const) {
    assert.ok(Number.isFinite(figures[memory]), memory);
  }
}

test('the app is measured against bare ws and the documented sample, in whatever each of them can do', async (t) => {
  const { bench, round, rows } = await compare(t, []);
  const [bare, sample, app] = ['bare ws', 'sample', 'app'];
  for (const trial of ['upgrades', 'frames', 'calls', 'fresh']) {
    assertMeasured(bench.err, round, trial, [bare, sample, app]);
  }
  assertMeasured(bench.err, round, 'refusals', [sample, app]);
  assertMeasured(bench.err, round, 'played', [bare, app]);
  for (const figures of Object.values<Figures>(round.calls)) {
    const { count, roundTripP50Ms = 0, roundTripP99Ms = 0 } = figures;
    assert.equal(count, 20); // 10 frames of each call
    assert.ok(roundTripP50Ms > 0 && roundTripP99Ms >= roundTripP50Ms);
  }
  // What is played comes by a clock of the server's.
  for (const { count = 0, gaps } of Object.values<Figures>(round.played))
    assert.ok(count > 0 && Number.isInteger(gaps));
  for (const figures of Object.values<Figures>(round.fresh)) assertFresh(figures);

  const row = (label: string) => rows.find((one: { label: string }) => one.label === label);
  const upgrades = row('upgrades/s');
  const ratio = round.upgrades.app.perSecond / round.upgrades['bare ws'].perSecond;
  assert.equal(upgrades.ratios['app to bare ws'].median, ratio);
  const [goal] = upgrades.goals;
  assert.deepEqual([goal.of, goal.limit], ['app to bare ws', '≥ 0.60']);
  assert.ok(goal.isMet === undefined || goal.isMet === ratio >= 0.6);
  const cost = round.refusals.app.cpuMicroseconds / round.upgrades.app.cpuMicroseconds;
  assert.equal(row("  CPU, to an upgrade's").values.app.median, cost);
  assert.match(bench.out, /^ +bare ws +sample +app +sample to bare ws +app to bare ws +goal$/m);
  const cell = '\\d+ \\(\\d+–\\d+\\)';
  const ratios = '\\d+\\.\\d\\d \\(\\d+\\.\\d\\d–\\d+\\.\\d\\d\\)';
  const cells = `(${cell} +){3}(${ratios} +){2}≥ 0\\.60: (met|missed|not told)`;
  assert.match(bench.out, new RegExp(`^upgrades/s +${cells}$`, 'm'));
  assert.match(bench.out, /^machine +Node v/m);
});

test('--telemetry: the app is measured with it on, against off and bare ws, and all of its records arrive', async (t) => {
  const { bench, round } = await compare(t, ['--telemetry', '--markdown']);
  for (const trial of ['upgrades', 'frames', 'calls', 'played', 'fresh']) {
    assertMeasured(bench.err, round, trial, ['bare ws', 'off', 'on']);
  }
  assertMeasured(bench.err, round, 'refusals', ['off', 'on']);
  for (const trial of loads) assert.equal(round[trial].off.recordsEach, 0);
  // The upgrade and the call; connected, first frame in and out, disconnected, ended.
  const { count, recordsEach } = round.upgrades.on;
  // On a fast machine there are more of them than telemetry's bounds have room for.
  assert.ok(recordsEach >= 7 || (count > 100 && recordsEach > 0), `${recordsEach} each of ${count}`);
  assert.ok(round.refusals.on.recordsEach >= 1);
  assert.ok(round.frames.on.recordsEach < 1);
  assert.match(
    bench.out,
    /^\| {2}\| bare ws \| off \| on \| off to bare ws \| on to bare ws \| on to off \| goal \|$/m,
  );
  assert.match(bench.out, /^\|---\|(--:\|){7}$/m);
  assert.match(bench.out, /^\| upgrades\/s \| .+ \|$/m);
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
