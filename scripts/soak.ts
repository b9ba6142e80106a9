import { writeFileSync } from 'node:fs';
import { createCommand, fromHere, onSignal, parseCount, parseDuration, parseSeed } from '../simulator/cli.ts';
import { CallError } from './call-client.ts';
import { soak } from './soak/run.ts';
import { tabulate } from './soak/summary.ts';

const program = createCommand('soak')
  .description(
    'Has calls with the app through the local ACS for as long as you like, some of which misbehave, with strangers at the ' +
      'door, and tells whether it lost a frame, a call, memory or its temper. Ctrl-C ends it early.',
  )
  .option('--calls <number>', 'how many calls at a time', parseCount(1, 1_000), 100)
  .option('--minutes <number>', 'for how long', parseDuration('minutes', 10_080), 30)
  .option('--misbehaving <number>', 'of so many calls one misbehaves', parseCount(4, 1_000), 20)
  .option('--rotate <seconds>', 'how often ACS signs with another key', parseCount(15, 3_600), 60)
  .option('--seed <number>', 'plays the same calls again (default: another one each time)', parseSeed)
  .option('--json <file>', 'keep the figures as JSON')
  .parse();

const { calls, minutes, misbehaving, rotate, json, ...chosen } = program.opts<{
  calls: number;
  minutes: number;
  misbehaving: number;
  rotate: number;
  seed?: number;
  json?: string;
}>();
const seed = chosen.seed ?? Math.floor(Math.random() * 1e9);
const interrupted = new AbortController();
onSignal(() => interrupted.abort());

const progress = (line: string) => console.error(line);
const { signal } = interrupted;
try {
  const figures = await soak({
    calls,
    minutes,
    seed,
    oneIn: misbehaving,
    rotateSeconds: rotate,
    progress,
    signal,
  });
  if (json !== undefined) writeFileSync(fromHere(json), `${JSON.stringify(figures, undefined, 2)}\n`);
  console.log(`\n${tabulate(figures)}`);
  for (const fault of figures.faults) console.error(fault);
  process.exitCode = figures.faults.length === 0 ? 0 : 1;
} catch (error) {
  if (!(error instanceof CallError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
