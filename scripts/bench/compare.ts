import type { Load } from './load.ts';
import { readWaitedMs } from './machine.ts';
import type { MeasureOptions } from './options.ts';
import type { Target } from './peer.ts';
import type { MeasuredServer } from './server.ts';

/** A server, and how it is reached. */
export interface Contestant<Name extends string> {
  name: Name;
  server: MeasuredServer;
  target: Target;
  /** Resolves when it is done with what it has left for later. */
  settled?: () => Promise<void>;
  /** How many records have arrived of what it told of itself. */
  records?: () => number;
}

/** What one server did with one load, once. */
export interface Measurement {
  count: number;
  perSecond: number;
  /** Of processors, by the server's whole process, what it did later because of it included. */
  microsecondsEach: number;
  /** How much of one processor it used meanwhile. Well below 100, it is the load that couldn't do more. */
  busyPercent: number;
  /** For how much of the time others had the processor that the server was ready to use. Linux alone tells. */
  waitedPercent: number | undefined;
  /** For each of what was done. */
  recordsEach: number;
}

/** One round: each of the servers, one right after another. */
export type Round<Name extends string> = Record<Name, Measurement>;

export interface CompareOptions<Name extends string> extends MeasureOptions {
  contestants: readonly Contestant<Name>[];
  load: Load;
}

/**
 * Measures servers against each other in one run: round by round, in turn first and last, since a machine is not the
 * same for two minutes. A round before the first, which isn't counted, warms them up.
 */
export async function compare<Name extends string>(options: CompareOptions<Name>): Promise<Round<Name>[]> {
  const { contestants, load, rounds, progress } = options;
  const all: Round<Name>[] = [];
  for (let at = 0; at <= rounds; at++) {
    const measured: [Name, Measurement][] = [];
    for (const contestant of at % 2 === 0 ? contestants : contestants.toReversed()) {
      const measurement = await measure(contestant, options);
      measured.push([contestant.name, measurement]);
      progress(describe(at, rounds, load.name, contestant.name, measurement));
    }
    // Each name is there: it was measured just now.
    if (at > 0) all.push(Object.fromEntries(measured) as Round<Name>);
  }
  return all;
}

async function measure<Name extends string>(
  { server, target, settled, records = () => 0 }: Contestant<Name>,
  { load, seconds, width }: CompareOptions<Name>,
): Promise<Measurement> {
  const running = await load.start(target, width);
  if (load.leavesWork === 'start') await settled?.();
  const [used, waited, told] = [await server.usedMicroseconds(), readWaitedMs(server.pid), records()];
  const begun = performance.now();
  const count = await running.run(seconds);
  const ms = performance.now() - begun;
  const waitedMs = (readWaitedMs(server.pid) ?? 0) - (waited ?? 0);
  const busy = (await server.usedMicroseconds()) - used;
  if (load.leavesWork === 'run') await settled?.();
  const microseconds = (await server.usedMicroseconds()) - used;
  const recordsEach = (records() - told) / count;
  await running.end();
  return {
    count,
    perSecond: (count / ms) * 1_000,
    microsecondsEach: microseconds / count,
    busyPercent: busy / ms / 10,
    waitedPercent: waited === undefined ? undefined : (waitedMs / ms) * 100,
    recordsEach,
  };
}

function describe(
  at: number,
  rounds: number,
  load: string,
  name: string,
  { perSecond, microsecondsEach }: Measurement,
) {
  const round = at === 0 ? 'warm-up' : `${at} of ${rounds}`;
  return `${round.padEnd(8)} ${load} ${name}: ${perSecond.toFixed(0)}/s, ${microsecondsEach.toFixed(0)} µs each`;
}
