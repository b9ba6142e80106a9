import type { ChildProcess } from 'node:child_process';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import type { SimulatedCall } from '../../simulator/calls/handle.ts';
import type { CallReport } from '../../simulator/calls/report.ts';
import { createSimulator } from '../../simulator/simulator.ts';
import { faultOf } from '../call-summary.ts';
import { createTimes, type Percentiles } from '../times.ts';
import { describeMachine, type Machine, readWaitedMs } from './machine.ts';
import type { Processors } from './processors.ts';
import { partProcessors } from './processors.ts';

/** What one simulator process carried. */
export interface SimulatorFigures {
  calls: number;
  /** How long all of them spoke at once. */
  seconds: number;
  /** To the app, back from it, and those that never came back, of all calls from their first to their last. */
  frames: { sent: number; received: number; lost: number; unsent: number; late: number };
  /** How long after its time each turn of the clock had sent its last frame, in milliseconds. */
  lateMs: Percentiles;
  /** Of one processor, while all spoke; a frame is one sent and one received. */
  processor: { percent: number; microsecondsPerFrame: number };
  /** For how much of that time others had the processor that the process was ready to use. Linux alone tells. */
  waitedPercent: number | undefined;
  /** The most that there was of the process, and of JavaScript's heap at the end. */
  memoryMb: { process: number; heap: number };
  machine: Machine;
  /** What went wrong, one line for each call. */
  faults: string[];
}

const STAGGER_MS = 40; // 25 calls a second: setting one up costs as much as some seconds of its frames

/**
 * Runs a simulator in this process and calls an app in another, which sends everything back. The calls are placed one
 * after another, and each speaks for as long after the last has come as before it.
 *
 * @param options.progress is told each second how it goes
 */
export async function measureSimulator({
  calls: wanted,
  seconds,
  progress,
}: {
  calls: number;
  seconds: number;
  progress: (line: string) => void;
}): Promise<SimulatorFigures> {
  const parted = partProcessors();
  const late = createTimes();
  const simulator = await createSimulator({ onTurn: late.record });
  const app = await startEcho(simulator.env(), parted);
  try {
    const each = seconds + Math.ceil((wanted * STAGGER_MS) / 1_000);
    const calls: SimulatedCall[] = [];
    const stop = tellProgress(calls, progress);
    for (let at = 0; at < wanted; at++) {
      calls.push(simulator.placeCall({ app: app.webhook, seconds: each, keepSeconds: 0 }));
      await setTimeout(STAGGER_MS);
    }
    const ended = Promise.all(calls.map((call) => call.ended));
    // A call that doesn't come up says so in its report.
    await Promise.race([ended, Promise.allSettled(calls.map((call) => call.until('upgrade')))]);
    const watch = startWatch(calls);
    await Promise.race([ended, setTimeout(seconds * 1_000)]);
    const used = watch();
    const reports = await ended;
    stop();
    return {
      calls: wanted,
      seconds,
      frames: sumFrames(reports),
      lateMs: late.read(),
      ...used,
      memoryMb: readMemory(),
      machine: describeMachine(parted),
      faults: reports.flatMap((report) => faultOf(report, true) ?? []),
    };
  } finally {
    await app.stop();
    await simulator.close();
  }
}

async function startEcho(env: Record<string, string>, parted: Processors | undefined) {
  const pinned = parted && { execPath: 'taskset', execArgv: ['-c', parted.other, process.execPath] };
  const child: ChildProcess = fork(join(import.meta.dirname, 'echo.ts'), {
    execArgv: [],
    ...pinned,
    env: { ...process.env, ...env },
  });
  const exited = once(child, 'exit');
  const [{ origin }] = await Promise.race([
    once(child, 'message'),
    exited.then(([code]) => Promise.reject(new Error(`the app ended with ${code}`))),
  ]);
  return {
    webhook: `http://${origin}/incoming`,
    async stop() {
      if (child.connected) child.disconnect();
      await exited;
    },
  };
}

/** What the process used from here on, as a function to ask later. */
function startWatch(calls: readonly SimulatedCall[]) {
  const count = () => calls.reduce((sum, { stream }) => sum + (stream?.counts.sent ?? 0), 0);
  const [begun, sent, used, waited] = [performance.now(), count(), process.cpuUsage(), readWaitedMs()];
  return (): Pick<SimulatorFigures, 'processor' | 'waitedPercent'> => {
    const { user, system } = process.cpuUsage(used);
    const microseconds = user + system;
    const ms = performance.now() - begun;
    return {
      processor: {
        percent: microseconds / ms / 10,
        microsecondsPerFrame: microseconds / Math.max(1, count() - sent),
      },
      waitedPercent: waited === undefined ? undefined : (((readWaitedMs() ?? 0) - waited) / ms) * 100,
    };
  };
}

function tellProgress(calls: readonly SimulatedCall[], progress: (line: string) => void) {
  const begun = performance.now();
  const tell = () => {
    const total = (of: (call: SimulatedCall) => number) => calls.reduce((sum, call) => sum + of(call), 0);
    const live = total(({ stream }) => (stream?.live ? 1 : 0));
    const frames = total(({ stream }) => stream?.counts.sent ?? 0);
    const seconds = Math.round((performance.now() - begun) / 1_000);
    progress(`${String(seconds).padStart(3)} s  ${live} calls, ${frames} frames sent`);
  };
  const timer = setInterval(tell, 1_000);
  return () => clearInterval(timer);
}

function sumFrames(reports: readonly CallReport[]): SimulatorFigures['frames'] {
  const media = reports.flatMap((report) => report.media ?? []);
  const sum = (of: (one: (typeof media)[number]) => number) => media.reduce((all, one) => all + of(one), 0);
  return {
    sent: sum(({ sent }) => sent),
    received: sum(({ returned }) => returned),
    lost: sum(({ lost, sent }) => lost ?? sent),
    unsent: sum(({ unsent }) => unsent),
    late: sum(({ late }) => late),
  };
}

function readMemory(): SimulatorFigures['memoryMb'] {
  const mb = (bytes: number) => Math.round(bytes / 1024 / 1024);
  return { process: mb(process.resourceUsage().maxRSS * 1024), heap: mb(process.memoryUsage().heapUsed) };
}

/** The figures for a person. */
export function tabulateSimulator(figures: SimulatorFigures): string {
  const { frames, lateMs, processor, waitedPercent, memoryMb, machine } = figures;
  const ms = (value: number) => `${value.toFixed(1)} ms`;
  const rows = [
    ['calls', `${figures.calls}, 50 frames/s each, 25 placed a second, all at once for ${figures.seconds} s`],
    [
      'frames',
      `${frames.sent} sent, ${frames.received} came back, ${frames.lost} lost, ${frames.unsent} unsent`,
    ],
    ['late', `${frames.late} frames were sent 20 ms late or more`],
    ['turns', `p50 ${ms(lateMs.p50)}, p99 ${ms(lateMs.p99)}, max ${ms(lateMs.max)} after their time`],
    [
      'processor',
      `${processor.percent.toFixed(0)} % of one, ${processor.microsecondsPerFrame.toFixed(1)} µs for each frame there and back`,
    ],
    [
      'waited',
      waitedPercent === undefined
        ? 'not known on this system'
        : `${waitedPercent.toFixed(1)} % of the time for a processor that others used`,
    ],
    ['memory', `${memoryMb.process} MB at most, ${memoryMb.heap} MB of it the heap's at the end`],
    [
      'machine',
      `Node ${machine.node}, ${machine.processors}, the app ${machine.apart ? 'on a processor of its own' : 'on the same processors'}`,
    ],
  ];
  return rows.map(([name = '', value]) => `${name.padEnd(12)}${value}`).join('\n');
}
