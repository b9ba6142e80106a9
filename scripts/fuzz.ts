import { InvalidArgumentError } from 'commander';
import { createCommand, onSignal, parseDuration, parseSeed } from '../simulator/cli.ts';
import { properties } from '../test/fuzz/properties.ts';
import { fuzz, repeat } from './fuzz/fuzz.ts';

const program = createCommand('fuzz')
  .description(
    'Tries what holds for any input (test/fuzz) on inputs that nobody has thought of, others each time.',
  )
  .option('--minutes <number>', 'for how long (default: until Ctrl-C)', parseDuration('minutes', 10_080))
  .option('--only <words>', 'only what has these words in its name')
  .option('--seed <number>', 'with --path: a counterexample again, as it was reported', parseSeed)
  .option('--path <path>', 'with --seed', parsePath)
  .parse();

const {
  minutes,
  only = '',
  seed,
  path,
} = program.opts<{
  minutes?: number;
  only?: string;
  seed?: number;
  path?: string;
}>();
const chosen = properties.filter(({ name }) => name.includes(only));
const [first, ...more] = chosen;
if (!first) program.error(`Nothing has '${only}' in its name.`);
else if (seed === undefined && path === undefined) process.exitCode = await search();
else if (seed === undefined || path === undefined || more.length > 0)
  program.error('--seed and --path go together, and with --only and the name that was reported with them.');
else {
  const report = await repeat(first, { seed, path });
  console.log(report ?? `holds now: ${first.name}`);
  process.exitCode = report === undefined ? 0 : 1;
}

async function search(): Promise<number> {
  const begun = performance.now();
  const stop = new AbortController();
  onSignal(() => stop.abort());
  const end = minutes === undefined ? [] : [AbortSignal.timeout(minutes * 60_000)];
  const elapsed = () => `${Math.round((performance.now() - begun) / 1000)} s`;
  const { runs, counterexamples } = await fuzz({
    properties: chosen,
    signal: AbortSignal.any([stop.signal, ...end]),
    progress: (name, total) => console.error(`${elapsed().padStart(6)}  ${total} runs  ${name}`),
    found: (report) => console.log(report),
  });
  const rows = [...runs].map(([name, count]) => `${String(count).padStart(10)}  ${name}`);
  const outcome = counterexamples === 0 ? 'no counterexample' : `${counterexamples} did not hold`;
  console.log(['', ...rows, '', `${elapsed()}, ${outcome}`].join('\n'));
  return counterexamples === 0 ? 0 : 1;
}

function parsePath(value: string): string {
  if (/^\d+(:\d+)*$/.test(value)) return value;
  throw new InvalidArgumentError('It has to be numbers with colons between, as they were reported.');
}
