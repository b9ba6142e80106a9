import { writeFileSync } from 'node:fs';
import { InvalidArgumentError } from 'commander';
import { createCommand, fromHere } from '../simulator/cli.ts';
import { measureSimulator, tabulateSimulator } from './bench/simulator.ts';

const program = createCommand('bench')
  .description('Measures what one process carries, and how well it keeps time.')
  .option('--simulator', 'the local ACS: calls to an app in another process that sends everything back')
  .option('--calls <number>', 'how many calls at a time', parseCount, 200)
  .option('--seconds <number>', 'how long all of them speak', parseCount, 20)
  .option('--json <file>', 'keep the figures as JSON')
  .parse();

const options = program.opts<{ simulator?: boolean; calls: number; seconds: number; json?: string }>();

if (options.simulator) {
  const measured = await measureSimulator({ ...options, progress: (line) => console.error(line) });
  if (options.json !== undefined)
    writeFileSync(fromHere(options.json), `${JSON.stringify({ simulator: measured }, undefined, 2)}\n`);
  console.log(`\n${tabulateSimulator(measured)}`);
  for (const fault of measured.faults) console.error(fault);
  process.exitCode = measured.faults.length === 0 ? 0 : 1;
} else {
  console.error('There is one thing to measure so far: npm run bench -- --simulator');
  process.exitCode = 1;
}

function parseCount(value: string): number {
  const count = Number(value);
  if (/^\d+$/.test(value) && count > 0 && count <= 1_000) return count;
  throw new InvalidArgumentError('It has to be a whole number from 1 to 1000.');
}
