import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { parse, resolve } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { Command, InvalidArgumentError } from 'commander';
import { DEFAULT_PORT, onSignal, parseUrl } from '../simulator/cli.ts';
import type { CallReport } from '../simulator/report.ts';
import { createSimulator } from '../simulator/simulator.ts';
import { parseWav, WavError } from '../simulator/wav.ts';
import type { ControlClient, Glance } from './call-client.ts';
import { CallError, findSimulator, whenReady } from './call-client.ts';
import { faultOf, summarize } from './call-summary.ts';
import { freePort, localEnv, startApp } from './dev-app.ts';

interface Options {
  in?: string;
  out?: string;
  seconds?: number;
  calls: number;
  dtmf?: string;
  from?: string;
  json?: boolean;
  expectEcho?: boolean;
  simulator?: string;
  app?: string;
}

const program = new Command('npm run call --')
  .description(
    'Places a phone call: through a running npm run dev, else through a simulator and an app of its own.',
  )
  .option('--in <file>', 'what the caller says: a WAV file of 16-bit mono PCM at 8, 16 or 24 kHz')
  .option('--out <file>', 'keep the call as a stereo WAV file: the caller left, the app right')
  .option(
    '--seconds <number>',
    'how long the caller speaks (default: 5, or as long as the file)',
    parseSeconds,
  )
  .option('--calls <number>', 'how many calls at a time', parseCount, 1)
  .option('--dtmf <keys>', 'keys that the caller presses, such as 123#', parseKeys)
  .option('--from <caller>', 'who calls: +15550100, 8:acs:…, 28:orgid:… or anonymous')
  .option('--expect-echo', 'a handler that does not send everything back is a fault')
  .option('--json', 'the reports as JSON')
  .option('--simulator <url>', 'the simulator to use', parseUrl)
  .option('--app <url>', 'incoming-call webhook to call, if not the one that the simulator knows', parseUrl)
  .showHelpAfterError()
  .parse();

try {
  process.exitCode = await main(program.opts<Options>());
} catch (error) {
  if (!(error instanceof CallError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}

async function main(options: Options): Promise<number> {
  const sound = options.in === undefined ? undefined : readSound(options.in);
  const seconds = options.seconds ?? sound?.seconds ?? 5;
  await using place = await findPlace(options);
  const request = {
    app: options.app,
    from: options.from,
    digits: options.dtmf,
    seconds,
    sound: sound && { wav: sound.wav },
    keepSeconds: options.out === undefined ? 0 : seconds + 2,
  };
  const placed = await Promise.all(Array.from({ length: options.calls }, () => place.client.place(request)));
  const reports = await follow(place.client, placed);
  if (options.out !== undefined) await save(place.client, reports, options.out);
  return conclude(reports, options);
}

/** Where to call: a simulator that runs, or one made for this. */
async function findPlace({
  simulator: url,
  app,
}: Options): Promise<{ client: ControlClient } & AsyncDisposable> {
  const running = await findSimulator(url ?? `http://127.0.0.1:${DEFAULT_PORT}`);
  if (!running && url !== undefined) throw new CallError(`No simulator answers at ${url}.`);
  if (!running) return startPlace();
  const webhook = app ?? running.app;
  if (webhook === undefined) throw new CallError('That simulator knows no app: --app says which to call.');
  progress(`calling ${webhook} through the simulator at ${running.url}`);
  await whenReady(webhook, 15_000);
  return { client: running, [Symbol.asyncDispose]: async () => {} };
}

async function startPlace(): Promise<{ client: ControlClient } & AsyncDisposable> {
  progress('no npm run dev found: starting a simulator and the app');
  const port = (await freePort(0)) ?? 0;
  const app = `http://127.0.0.1:${port}/api/incoming-call`;
  const simulator = await createSimulator({ app });
  // What a trial call does is no telemetry of anyone's.
  const { APPLICATIONINSIGHTS_CONNECTION_STRING, ...env } = localEnv(simulator.env(), port);
  const key = randomBytes(32).toString('base64url');
  const child = startApp({ env: { LOG_LEVEL: 'warn', CALL_SIGNING_KEY: key, ...env }, logTo: 2 });
  const end = async () => {
    await child.stop();
    await simulator.close();
  };
  try {
    await whenReady(app, 30_000, child.exited);
    const client = await findSimulator(simulator.url);
    if (!client) throw new CallError('The simulator did not start.');
    return { client, [Symbol.asyncDispose]: end };
  } catch (error) {
    await end();
    throw error;
  }
}

/** Tells how the calls go until all have ended. The first Ctrl-C hangs up, a second one gives up. */
async function follow(client: ControlClient, placed: readonly CallReport[]): Promise<CallReport[]> {
  const ids = new Set(placed.map(({ id }) => id));
  onSignal(() => {
    for (const id of ids) void client.hangUp(id);
  });
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

async function save(client: ControlClient, reports: readonly CallReport[], file: string): Promise<void> {
  const { dir, name, ext } = parse(fromHere(file));
  for (const [at, { id }] of reports.entries()) {
    const path = resolve(dir, `${name}${reports.length > 1 ? `-${at + 1}` : ''}${ext}`);
    writeFileSync(path, await client.audio(id));
    progress(`kept ${path}`);
  }
}

function conclude(reports: readonly CallReport[], { json, expectEcho = false }: Options): number {
  const faults = reports.flatMap((report) => faultOf(report, expectEcho) ?? []);
  if (json) console.log(JSON.stringify({ ok: faults.length === 0, faults, calls: reports }, undefined, 2));
  else console.log(`\n${summarize(reports)}`);
  const [first] = faults;
  if (first === undefined) return 0;
  console.error(
    reports.length > 1 ? `${faults.length} of ${reports.length} calls went wrong: ${first}` : first,
  );
  return 1;
}

/** Progress goes to stderr: stdout is for the result. */
function progress(line: string): void {
  console.error(line);
}

function readSound(file: string): { wav: string; seconds: number } {
  try {
    const wav = readFileSync(fromHere(file));
    const { sampleRate, samples } = parseWav(wav);
    if (samples.length === 0) throw new WavError('it holds no audio');
    return { wav: wav.toString('base64'), seconds: samples.length / sampleRate };
  } catch (error) {
    const why = error instanceof WavError ? error.message : 'it cannot be read';
    throw new CallError(`${file}: ${why}`);
  }
}

/** npm starts scripts in the project's directory; files are named from where the command was typed. */
function fromHere(file: string): string {
  return resolve(process.env.INIT_CWD ?? '.', file);
}

function parseSeconds(value: string): number {
  const seconds = Number(value);
  if (seconds > 0 && seconds <= 86_400) return seconds;
  throw new InvalidArgumentError('It has to be a number of seconds above 0.');
}

function parseCount(value: string): number {
  const count = Number(value);
  if (Number.isInteger(count) && count > 0 && count <= 1_000) return count;
  throw new InvalidArgumentError('It has to be a whole number from 1 to 1000.');
}

function parseKeys(value: string): string {
  if (/^[\d*#A-D]+$/.test(value)) return value;
  throw new InvalidArgumentError('Keys are 0 to 9, *, # and A to D.');
}
