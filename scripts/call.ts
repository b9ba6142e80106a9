import { setTimeout } from 'node:timers/promises';
import { InvalidArgumentError, Option } from 'commander';
import type { CallReport } from '../simulator/calls/report.ts';
import { createCommand, onSignal, parseCount, parseDuration, parseUrl } from '../simulator/cli.ts';
import type { ScenarioFile } from '../simulator/control/scenario.ts';
import type { ControlClient, Glance } from './call-client.ts';
import { CallError } from './call-client.ts';
import { openShelf, readScenario, readSound } from './call-files.ts';
import { findPlace } from './call-place.ts';
import { playScenario } from './call-scenario.ts';
import { faultOf, summarize } from './call-summary.ts';

interface Options {
  in?: string;
  silent?: boolean;
  out?: string;
  seconds?: number;
  calls: number;
  dtmf?: string;
  from?: string;
  json?: boolean;
  expectEcho?: boolean;
  scenario?: string;
  simulator?: string;
  app?: string;
}

const CALLERS = '+15550100, 8:acs:…, 28:orgid:… or anonymous';

const program = createCommand('call')
  .description(
    'Places a phone call: through a running npm run dev, else through a simulator and an app of its own.',
  )
  .option('--in <file>', 'what the caller says: a WAV file of 16-bit mono PCM at 8, 16 or 24 kHz')
  .addOption(new Option('--silent', 'the caller says nothing').conflicts('in'))
  .option('--out <file>', 'keep the call as a stereo WAV file: the caller left, the app right')
  .option(
    '--seconds <number>',
    'how long the caller speaks (default: 5, or as long as the file)',
    parseDuration('seconds', 86_400),
  )
  .option('--calls <number>', 'how many calls at a time', parseCount(1, 1_000), 1)
  .option('--dtmf <keys>', 'keys that the caller presses, such as 123#', parseKeys)
  .option('--from <caller>', `who calls: ${CALLERS}`, parseCaller)
  .option('--expect-echo', 'a handler that does not send everything back is a fault')
  .addOption(
    new Option(
      '--scenario <file>',
      'a call as a JSON file has it, such as those in simulator/scenarios',
    ).conflicts(['in', 'silent', 'seconds', 'calls', 'dtmf', 'from', 'expectEcho']),
  )
  .option('--json', 'the reports as JSON')
  .option('--simulator <url>', 'the simulator to use', parseUrl)
  .option('--app <url>', 'incoming-call webhook to call, if not the one that the simulator knows', parseUrl)
  .parse();

try {
  process.exitCode = await main(program.opts<Options>());
} catch (error) {
  if (!(error instanceof CallError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}

/** The first Ctrl-C hangs up, a second one gives up. */
async function main(options: Options): Promise<number> {
  const scenario = options.scenario === undefined ? undefined : readScenario(options.scenario);
  const sound = options.in === undefined ? undefined : readSound(options.in);
  const shelf = options.out === undefined ? undefined : openShelf(options.out, options.calls);
  let interrupt = (): void => process.exit(1); // which ends an app that was started for this, too
  onSignal(() => interrupt());
  await using place = await findPlace({ ...options, progress });
  const { client, log } = place;
  const onPlaced = (...ids: string[]) => {
    interrupt = () => {
      // A simulator that has gone by now is noticed in the end.
      for (const id of ids) client.hangUp(id).catch(() => {});
    };
  };
  const { reports, faults } = scenario
    ? await playOne(client, scenario, options, onPlaced)
    : await placeAll(client, sound, options, onPlaced);
  for (const [at, { id }] of reports.entries()) {
    if (shelf) progress(`kept ${shelf.keep(at, await client.audio(id))}`);
  }
  return conclude(reports, faults, options, log);
}

/** How calls went, and what was wrong with them. */
interface Outcome {
  reports: CallReport[];
  faults: string[];
}

async function playOne(
  client: ControlClient,
  scenario: ScenarioFile,
  options: Options,
  onCall: (id: string) => void,
): Promise<Outcome> {
  const { call, faults } = await playScenario(client, scenario, { ...options, progress, onCall });
  if (faults.length === 0) progress(`as expected: ${scenario.description}`);
  return { reports: call ? [call] : [], faults };
}

async function placeAll(
  client: ControlClient,
  sound: { wav: string; seconds: number } | undefined,
  { app, from, dtmf, silent, out, calls, expectEcho = false, ...options }: Options,
  onPlaced: (...ids: string[]) => void,
): Promise<Outcome> {
  const seconds = options.seconds ?? sound?.seconds ?? 5;
  const request = {
    app,
    from,
    digits: dtmf,
    seconds,
    sound: sound ? { wav: sound.wav } : silent && 'silence',
    keepSeconds: out === undefined ? 0 : seconds + 2,
  };
  const placed = await Promise.all(Array.from({ length: calls }, () => client.place(request)));
  onPlaced(...placed.map(({ id }) => id));
  const reports = await follow(client, placed);
  return { reports, faults: reports.flatMap((report) => faultOf(report, expectEcho) ?? []) };
}

/** Tells how the calls go until all have ended. */
async function follow(client: ControlClient, placed: readonly CallReport[]): Promise<CallReport[]> {
  const ids = new Set(placed.map(({ id }) => id));
  const begun = Date.now();
  for (let told = -1; ; ) {
    const calls = (await client.glance()).filter(({ id }) => ids.has(id));
    if (calls.every(({ state }) => state === 'ended')) break;
    const seconds = Math.floor((Date.now() - begun) / 1000);
    if (seconds > told) progress(`${String(seconds).padStart(3)} s  ${describe(calls)}`);
    told = seconds;
    await setTimeout(200);
  }
  return Promise.all(placed.map(({ id }) => client.ended(id)));
}

function describe(calls: readonly Glance[]): string {
  const count = (wanted: Glance['state']) => calls.filter(({ state }) => state === wanted).length;
  const sum = (of: (call: Glance) => number) => calls.reduce((total, call) => total + of(call), 0);
  const ringing = count('ringing') === 0 ? '' : `${count('ringing')} ringing, `;
  const frames = `${sum(({ sent }) => sent)} frames sent, ${sum(({ received }) => received)} received`;
  return `${ringing}${count('connected')} connected, ${frames}`;
}

function conclude(
  reports: readonly CallReport[],
  faults: readonly string[],
  { json }: Options,
  log: string | undefined,
): number {
  if (json) console.log(JSON.stringify({ ok: faults.length === 0, faults, calls: reports }, undefined, 2));
  else console.log(`\n${summarize(reports, log)}`);
  const [first] = faults;
  if (first === undefined) return 0;
  console.error(
    reports.length > 1
      ? `${faults.length} of ${reports.length} calls went wrong: ${first}`
      : faults.join('\n'),
  );
  return 1;
}

/** Progress goes to stderr: stdout is for the result. */
function progress(line: string): void {
  console.error(line);
}

function parseKeys(value: string): string {
  if (/^[\d*#A-D]+$/.test(value)) return value;
  throw new InvalidArgumentError('Keys are 0 to 9, *, # and A to D.');
}

function parseCaller(value: string): string {
  if (/^(\+\d{2,15}|(8|28):\S+|anonymous)$/.test(value)) return value;
  throw new InvalidArgumentError(`A caller is written as ${CALLERS}.`);
}
