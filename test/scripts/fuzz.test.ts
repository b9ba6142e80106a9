import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { fuzz, repeat } from '../../scripts/fuzz/fuzz.ts';
import { run } from './support.ts';

test('for some minutes: says how far it is, then what was tried, and exits 0', async (t) => {
  const command = run(t, 'scripts/fuzz.ts', ['--minutes', '0.02', '--only', 'binding']);
  assert.equal(await command.exited, 0, command.err);
  // The first one's turn comes however busy the machine is.
  assert.match(command.err, /^ +\d+ s {2}\d+ runs {2}binding: what is issued is opened/m);
  assert.match(command.out, /^ +\d+ {2}binding: with any bit flipped/m);
  assert.match(command.out, /^\d+ s, no counterexample$/m);
  assert.doesNotMatch(command.out, /codec/);
});

test('Ctrl-C ends it with the same summary', async (t) => {
  const command = run(t, 'scripts/fuzz.ts');
  await command.says(/\d+ runs {2}codec/);
  command.kill('SIGINT');
  assert.equal(await command.exited, 0, command.err);
  assert.match(command.out, /^\d+ s, no counterexample$/m);
});

test('a counterexample is reported once, with what has it again, and the rest goes on', async () => {
  const small = { name: 'small', property: fc.property(fc.nat(), (n) => assert.ok(n < 1000, 'too large')) };
  const large = { name: 'large', property: fc.asyncProperty(fc.nat(), async (n) => assert.ok(n >= 0)) };
  const reports: string[] = [];
  const stop = new AbortController();
  let turns = 0;
  const { runs, counterexamples } = await fuzz({
    properties: [small, large],
    signal: stop.signal,
    // Long enough to make the counterexample small, on a busy machine too.
    turnMs: 1_000,
    progress: () => ++turns === 3 && stop.abort(),
    found: (report) => reports.push(report),
  });
  assert.equal(counterexamples, 1);
  assert.ok(Number(runs.get('large')) > 0);
  const [report = '', ...more] = reports;
  assert.deepEqual(more, []);
  assert.match(report, /^does not hold: small\n {2}counterexample: \[1000\]\n {2}too large\n/);
  const [, seed, path = ''] = /--only 'small' --seed (\d+) --path ([\d:]+)$/.exec(report) ?? [];
  const again = { seed: Number(seed), path };
  assert.equal(await repeat(small, again), report);
  assert.equal(await repeat(large, { seed: 1, path: '0' }), undefined, 'it holds');
});

test('a counterexample of before that is none any more exits 0', async (t) => {
  const args = ['--only', 'config: no fault', '--seed', '7', '--path', '3:1'];
  const command = run(t, 'scripts/fuzz.ts', args);
  assert.equal(await command.exited, 0, command.err);
  assert.match(command.out, /^holds now: config: no fault/);
});

test('says what is wrong with its options', async (t) => {
  const wrong: [string[], RegExp][] = [
    [['--minutes', 'many'], /number of minutes/],
    [['--only', 'no such thing'], /Nothing has 'no such thing'/],
    [['--seed', '1'], /go together/],
    [['--seed', '1', '--path', '0'], /with --only/],
    [['--path', 'x'], /colons between/],
  ];
  for (const [args, words] of wrong) {
    const command = run(t, 'scripts/fuzz.ts', args);
    assert.equal(await command.exited, 1);
    assert.match(command.err, words);
  }
  const help = run(t, 'scripts/fuzz.ts', ['--help']);
  assert.equal(await help.exited, 0);
  assert.match(help.out, /--minutes <number>/);
});
