import { createSimulator, type Simulator } from '../../simulator/simulator.ts';
import { describeMachine, type Machine, readWaitedMs } from '../bench/machine.ts';
import { createTimes, type Percentiles } from '../times.ts';
import { prepareApp, type SoakedApp } from './app.ts';
import { mediaAddressOf } from './drive.ts';
import { createLoad, type LoadFigures, type LoadOptions } from './load.ts';
import { createLogBook } from './log-book.ts';
import { comparePeaks, type Look, lookAgain, lookAtRest, type Peaks } from './look.ts';
import type { Tally } from './menu.ts';
import { type CallPlan, createPlan, plainCall } from './plan.ts';
import { receiveStrangers, type Strangers } from './strangers.ts';
import { compareCalls, compareRefusals } from './totals.ts';

export interface SoakOptions {
  /** How many calls at a time, and for how many minutes. */
  calls: number;
  minutes: number;
  seed: number;
  /** Of so many calls one misbehaves. */
  oneIn: number;
  /** How often another key signs from then on, in seconds. */
  rotateSeconds: number;
  progress: (line: string) => void;
  /** Aborts when it is to end early. */
  signal: AbortSignal;
}

/** What came of it. */
export interface SoakFigures extends LoadFigures {
  seed: number;
  /** How many calls at a time. */
  calls: number;
  /** How long there were any, in seconds, and whether that was cut short. */
  seconds: number;
  endedEarly: boolean;
  strangers: Pick<Strangers, 'counts' | 'cutOff'>;
  /** How often another key signed from then on. */
  rotations: number;
  /** By how much the callers were late with their frames: whatever else is slow is so because this machine is busy. */
  callersLateMs: Percentiles;
  eventLoopDelayMs: Percentiles;
  /** Of one, by the app, and for how much of the time others had the one that it was ready to use. */
  processor: { percent: number; waitedPercent: number | undefined };
  before: Look;
  after: Look;
  peaks: Peaks;
  /** How many lines there were of each kind. */
  log: Record<string, number>;
  machine: Machine;
  faults: string[];
}

const warmUpSeconds = 5;
/** How long before a rotation nobody asks for a kid that isn't there, in milliseconds. */
const quietMs = 10_000;
const tellMs = 5_000;

/**
 * Soaks the app: has calls with it for as long as asked, and finds out what that did to it.
 *
 * @throws {CallError} it does not start, or ends in the middle of it
 */
export async function soak(options: SoakOptions): Promise<SoakFigures> {
  const { calls, seed, progress } = options;
  const faults: string[] = [];
  const complain = (fault: string) => {
    faults.push(fault);
    progress(`FAULT  ${fault}`);
  };
  const kinds = new Map<string, CallPlan['kind']>();
  const tallies = new Map<string, Tally>();
  const book = createLogBook({
    kindOf: (id) => kinds.get(id),
    onUnexplained: (line) => complain(`nothing explains a line of the log: ${line}`),
  });
  const app = await prepareApp({
    onLine: book.take,
    onComplaint: (line) => complain(`the app wrote to stderr: ${line}`),
    onTally: (tally) => tallies.set(tally.correlationId ?? '', tally),
  });
  // Without an app there is no point in going on.
  const signal = AbortSignal.any([options.signal, app.gone]);
  const late = createTimes();
  const simulator = await createSimulator({ app: app.webhook, seed, graceMs: 5_000, onTurn: late.record });
  const loadOptions: LoadOptions = {
    ...{ simulator, calls, signal, gone: app.gone, complain },
    onPlaced: (id, kind) => kinds.set(id, kind),
    appSideOf: (id) => ({ lines: book.of(id), tally: tallies.get(id) }),
    onJudged(id) {
      tallies.delete(id);
      book.forget(id);
    },
  };
  try {
    await app.start(simulator.env());
    progress(`the app is process ${app.pid}`);
    progress(`warming up: ${calls} calls of ${warmUpSeconds} s`);
    await warmUp(loadOptions);
    const before = await lookAtRest(app);
    app.begin();
    late.reset();
    const { held, ...ran } = await run(options, { simulator, app, before, loadOptions, complain });
    for (const fault of held) complain(fault);
    const code = await app.stop();
    if (code !== 0) complain(`at SIGTERM the app ended with ${code}`);
    const counted = { placed: kinds.size, endedBy: ran.endedBy };
    for (const fault of compareRefusals(ran.strangers.counts, book.refusals)) complain(fault);
    for (const fault of compareCalls(counted, book.counts)) complain(fault);
    return {
      ...{ seed, calls, before, faults, ...ran },
      callersLateMs: late.read(),
      log: Object.fromEntries([...book.counts].toSorted(([one], [other]) => one.localeCompare(other))),
      machine: describeMachine(undefined),
    };
  } finally {
    app.kill();
    await simulator.close();
  }
}

/** One short call in each place: what is made once and kept is there after that. */
async function warmUp(options: LoadOptions): Promise<void> {
  let placed = 0;
  const next = () => (placed < options.calls ? plainCall(placed++, warmUpSeconds) : undefined);
  await createLoad(options).keepUp(next);
}

/** The calls, and what goes on around them. */
async function run(
  { minutes, seed, oneIn, rotateSeconds, progress }: SoakOptions,
  parts: {
    simulator: Simulator;
    app: SoakedApp;
    before: Look;
    loadOptions: LoadOptions;
    complain: (fault: string) => void;
  },
) {
  const { simulator, app, before, loadOptions, complain } = parts;
  const { signal } = loadOptions;
  const load = createLoad(loadOptions);
  const plan = createPlan({ seed, oneIn });
  const rotateMs = rotateSeconds * 1_000;
  const begun = performance.now();
  let rotatedAt = begun;
  let rotations = 0;
  const strangers = receiveStrangers({
    ...{ simulator, port: app.port, seed, signal, onFault: complain },
    // Who knows a call's address can spoil a rotation: for 5 s after a fetch no new kid is known, whoever was the cause.
    mayAskForKeys: () => performance.now() - rotatedAt < rotateMs - quietMs,
    addressOf: () => load.running.values().map(mediaAddressOf).find(Boolean),
  });
  const elapsed = () => (performance.now() - begun) / 1_000;
  const waited = readWaitedMs(app.pid);
  const rotating = setInterval(async () => {
    await simulator.rotateKeys();
    rotations += 1;
    rotatedAt = performance.now();
  }, rotateMs);
  const peaks = { first: 0, second: 0 };
  const telling = setInterval(async () => {
    progress(describe(elapsed(), load, strangers));
    const half = elapsed() < minutes * 30 ? 'first' : 'second';
    peaks[half] = Math.max(peaks[half], await app.rss().catch(() => 0)); // that it has ended is noticed elsewhere
  }, tellMs);
  await load.keepUp(() => plan.next(minutes * 60 - elapsed()));
  const seconds = elapsed();
  clearInterval(rotating);
  clearInterval(telling);
  const { eventLoopDelayMs, usedMs } = await app.look(); // before it is disturbed by what follows
  const waitedMs = (readWaitedMs(app.pid) ?? 0) - (waited ?? 0);
  await strangers.stop();
  const { look: after, faults: held } = await lookAgain(app, before);
  return {
    ...load.figures,
    ...{ seconds, endedEarly: signal.aborted, rotations, eventLoopDelayMs, after, peaks },
    held: [...held, ...comparePeaks(peaks, seconds)],
    strangers: { counts: strangers.counts, cutOff: strangers.cutOff },
    processor: {
      percent: (usedMs - before.usedMs) / seconds / 10,
      waitedPercent: waited === undefined ? undefined : waitedMs / seconds / 10,
    },
  };
}

function describe(
  seconds: number,
  { running, returned, figures }: ReturnType<typeof createLoad>,
  strangers: Strangers,
) {
  const over = sum(Object.values(figures.kinds));
  const turnedAway = sum(Object.values(strangers.counts));
  return (
    `${String(Math.round(seconds)).padStart(5)} s  ${running.size} calls, ${over} over, ` +
    `${returned} frames back, ${turnedAway} strangers turned away, ` +
    `round trip p99 ${figures.roundTripMs.p99.toFixed(1)} ms`
  );
}

const sum = (numbers: readonly number[]) => numbers.reduce((all, one) => all + one, 0);
