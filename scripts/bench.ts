import { writeFileSync } from 'node:fs';
import { createCommand, fromHere, parseCount, parseDuration } from '../simulator/cli.ts';
import { measureBaselines, tabulateBaselines } from './bench/baselines.ts';
import { measureSimulator, tabulateSimulator } from './bench/simulator.ts';
import { writeMarkdown, writeText } from './bench/table.ts';
import { measureTelemetry, tabulateTelemetry } from './bench/telemetry.ts';

const program = createCommand('bench')
  .description(
    'Measures the app against a server of nothing but ws and against the documented sample, in about six minutes; ' +
      'or with an option, one of these:',
  )
  .option('--telemetry', 'the app with Application Insights on, against off')
  .option('--simulator', 'the local ACS alone: calls to an app in another process that sends everything back')
  .option('--calls <number>', 'how many in real time (300, of the local ACS 200)', parseCount(1, 1_000))
  .option('--width <number>', 'how many at a time as fast as it can be done', parseCount(1, 1_000), 32)
  .option(
    '--seconds <number>',
    'how long each measurement lasts (3, of the local ACS 20)',
    parseDuration('seconds', 1_000),
  )
  .option('--rounds <number>', 'how often each is measured', parseCount(1, 1_000), 5)
  .option('--json <file>', 'keep the figures as JSON')
  .option('--markdown', 'write the table as Markdown')
  .parse();

const { calls, width, seconds, rounds, json, markdown, ...what } = program.opts<{
  telemetry?: boolean;
  simulator?: boolean;
  calls?: number;
  width: number;
  seconds?: number;
  rounds: number;
  json?: string;
  markdown?: boolean;
}>();
const progress = (line: string) => console.error(line);

const measuring = { calls: calls ?? 300, width, seconds: seconds ?? 3, rounds, progress };
const write = markdown ? writeMarkdown : writeText;

if (what.simulator) {
  const simulator = await measureSimulator({ calls: calls ?? 200, seconds: seconds ?? 20, progress });
  show({ simulator }, tabulateSimulator(simulator));
  for (const fault of simulator.faults) console.error(fault);
  process.exitCode = simulator.faults.length === 0 ? 0 : 1;
} else if (what.telemetry) {
  const telemetry = await measureTelemetry(measuring);
  show({ telemetry }, write(tabulateTelemetry(telemetry)));
} else {
  const baselines = await measureBaselines(measuring);
  show({ baselines }, write(tabulateBaselines(baselines)));
}

function show(figures: object, table: string): void {
  if (json !== undefined) writeFileSync(fromHere(json), `${JSON.stringify(figures, undefined, 2)}\n`);
  console.log(`\n${table}`);
}
