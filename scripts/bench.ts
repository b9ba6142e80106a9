import { writeFileSync } from 'node:fs';
import { InvalidArgumentError } from 'commander';
import { createCommand, fromHere } from '../simulator/cli.ts';
import { measureFloor, tabulateFloor } from './bench/floor.ts';
import { measureSimulator, tabulateSimulator } from './bench/simulator.ts';
import { measureTelemetry, tabulateTelemetry } from './bench/telemetry.ts';

const program = createCommand('bench')
  .description('Measures the app against a server of nothing but ws; or with an option, one of these:')
  .option('--telemetry', 'the app with Application Insights on, against off')
  .option('--simulator', 'the local ACS alone: calls to an app in another process that sends everything back')
  .option('--calls <number>', 'how many at a time (32, of the local ACS 200)', parseCount)
  .option('--seconds <number>', 'how long each measurement lasts (1.5, of the local ACS 20)', parseSeconds)
  .option('--rounds <number>', 'how often each is measured', parseCount, 9)
  .option('--json <file>', 'keep the figures as JSON')
  .parse();

const { calls, seconds, rounds, json, ...what } = program.opts<{
  telemetry?: boolean;
  simulator?: boolean;
  calls?: number;
  seconds?: number;
  rounds: number;
  json?: string;
}>();
const progress = (line: string) => console.error(line);

const measuring = { width: calls ?? 32, seconds: seconds ?? 1.5, rounds, progress };

if (what.simulator) {
  const simulator = await measureSimulator({ calls: calls ?? 200, seconds: seconds ?? 20, progress });
  show({ simulator }, tabulateSimulator(simulator));
  for (const fault of simulator.faults) console.error(fault);
  process.exitCode = simulator.faults.length === 0 ? 0 : 1;
} else if (what.telemetry) {
  const telemetry = await measureTelemetry(measuring);
  show({ telemetry }, tabulateTelemetry(telemetry));
} else {
  const floor = await measureFloor(measuring);
  show({ floor }, tabulateFloor(floor));
}

function show(figures: object, table: string): void {
  if (json !== undefined) writeFileSync(fromHere(json), `${JSON.stringify(figures, undefined, 2)}\n`);
  console.log(`\n${table}`);
}

function parseCount(value: string): number {
  const count = Number(value);
  if (/^\d+$/.test(value) && count > 0 && count <= 1_000) return count;
  throw new InvalidArgumentError('It has to be a whole number from 1 to 1000.');
}

function parseSeconds(value: string): number {
  const seconds = Number(value);
  if (/^\d+(\.\d+)?$/.test(value) && seconds > 0 && seconds <= 1_000) return seconds;
  throw new InvalidArgumentError('It has to be a number of seconds, up to 1000.');
}
