import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { attempts } from '../../scripts/soak/attempts.ts';
import { misconduct } from '../../scripts/soak/mischief.ts';
import type { SoakFigures } from '../../scripts/soak/run.ts';
import { run } from './support.ts';

const sum = (counts: Readonly<Record<string, number>>) =>
  Object.values(counts).reduce((all, one) => all + one, 0);

async function makeFolder(t: TestContext): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'callgate-'));
  t.after(() => rm(directory, { recursive: true }));
  return directory;
}

const readFigures = async (directory: string): Promise<SoakFigures> =>
  JSON.parse(await readFile(join(directory, 'soak.json'), 'utf8'));

/** Those that the calls of a minute were, and those before it that warm up. */
function assertSound(figures: SoakFigures, warmUps: number) {
  const { kinds, endedBy, frames, strangers, log } = figures;
  assert.deepEqual(figures.faults, []);
  const calls = sum(kinds);
  assert.ok(calls >= figures.calls, `${calls} calls`);
  for (const line of ['call.announced', 'call.answered', 'call.ended'])
    assert.equal(log[line], calls + warmUps, line);
  assert.equal(sum(endedBy), calls);
  assert.equal(log['call.hung_up'] ?? 0, endedBy['the app hung up'] ?? 0);
  assert.equal((endedBy['the app hung up'] ?? 0) + (endedBy['the caller hung up'] ?? 0), calls);
  assert.equal(frames.returned, frames.accepted);
  assert.ok(frames.returned > 0 && frames.sent >= frames.returned);
  assert.equal(sum(strangers.counts), log['request.refused']);
  for (const [name, count] of Object.entries(figures.after.handles))
    assert.ok(count <= (figures.before.handles[name] ?? 0), name);
}

test('a minute with a dozen calls of every kind, misconduct and strangers: nothing is lost or left', async (t) => {
  const directory = await makeFolder(t);
  const options = { calls: 14, minutes: 1, misbehaving: 4, rotate: 25, seed: 243, json: 'soak.json' };
  const args = Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)]);
  const soak = run(t, 'scripts/soak.ts', args, { INIT_CWD: directory });
  assert.equal(await soak.exited, 0, soak.err);
  assert.match(soak.err, /^ +\d+ s {2}14 calls, \d+ over, \d+ frames back, \d+ strangers turned away, /m);
  assert.match(
    soak.out,
    /^frames {6}\d+ sent, (\d+) accepted by call\.send, \1 came back; \d+ played by call\.play$/m,
  );
  assert.match(soak.out, /^faults {6}none$/m);
  const figures = await readFigures(directory);
  assertSound(figures, options.calls);
  const { kinds, strangers } = figures;
  assert.deepEqual([figures.calls, figures.seed, figures.endedEarly], [14, 243, false]);
  for (const kind of ['echo', 'barge-in', 'playback']) assert.ok((kinds[kind] ?? 0) > 0, kind);
  const bad = Object.keys(kinds).filter((kind) => Object.hasOwn(misconduct, kind));
  assert.ok(bad.length >= 5, bad.join());
  assert.ok(figures.frames.played >= 65 * 50, 'a playback of more than a minute was heard to its end');
  assert.ok(figures.rotations >= 2);
  assert.deepEqual(Object.keys(strangers.counts).toSorted(), Object.keys(attempts).toSorted());
  assert.ok(strangers.cutOff > 0);
});

test('Ctrl-C ends it early, with a summary of what ran', async (t) => {
  const directory = await makeFolder(t);
  const args = ['--calls', '2', '--json', 'soak.json'];
  const soak = run(t, 'scripts/soak.ts', args, { INIT_CWD: directory });
  await soak.says(/^ +\d+ s {2}2 calls, /m);
  soak.kill('SIGINT');
  assert.equal(await soak.exited, 0, soak.err);
  assert.match(soak.out, /^ran {9}2 calls at a time, \d+ s \(ended early\), seed \d+$/m);
  const figures = await readFigures(directory);
  assert.equal(figures.endedEarly, true);
  assertSound(figures, 2);
});

test('an app that ends in the middle of it is noticed at once', async (t) => {
  const soak = run(t, 'scripts/soak.ts', ['--calls', '2']);
  await soak.says(/^ +\d+ s {2}2 calls, /m);
  const [, pid] = /^the app is process (\d+)$/m.exec(soak.err) ?? [];
  process.kill(Number(pid), 'SIGKILL');
  assert.equal(await soak.exited, 1);
  assert.match(soak.err, /^The app ended by a signal in the middle of it\.$/m);
});

test('says what is wrong with its options', async (t) => {
  for (const [option, value, wrong] of [
    ['--calls', '0', /from 1 to 1000/],
    ['--misbehaving', '3', /from 4 to 1000/],
    ['--minutes', '1e9', /number of minutes/],
    ['--seed', '-1', /whole number/],
  ] as const) {
    const soak = run(t, 'scripts/soak.ts', [option, value]);
    assert.equal(await soak.exited, 1);
    assert.match(soak.err, wrong);
  }
  const help = run(t, 'scripts/soak.ts', ['--help']);
  assert.equal(await help.exited, 0);
  assert.match(help.out, /--calls <number>/);
});
