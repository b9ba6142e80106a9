import type { Figures } from './figures.ts';

/** One thing that is measured of several servers. */
export interface Trial {
  name: string;
  measures: readonly Measure[];
  /** Whether each of its measurements has a process of its own, which nothing could warm up. */
  isFresh?: boolean;
}

export interface Measure {
  /** Whose. */
  name: string;
  run(): Promise<Figures>;
}

/** What one round gave: of each trial, of each server. */
export type Round = Readonly<Record<string, Readonly<Record<string, Figures>>>>;

export interface CompareOptions {
  trials: readonly Trial[];
  rounds: number;
  /** Is told of each measurement. */
  progress: (line: string) => void;
}

/**
 * Measures servers against each other in one run: round by round each trial, the servers one right after another, in turn
 * first and last, since a machine is not the same for two minutes. A round before the first, which isn't counted, warms
 * them up.
 */
export async function compare({ trials, rounds, progress }: CompareOptions): Promise<Round[]> {
  const all: Round[] = [];
  const warmUp = trials.filter(({ isFresh = false }) => !isFresh);
  const count = (of: readonly Trial[]) => of.reduce((sum, { measures }) => sum + measures.length, 0);
  const clock = createClock(count(warmUp) + rounds * count(trials));
  for (let at = 0; at <= rounds; at++) {
    const round: Record<string, Record<string, Figures>> = {};
    for (const { name: trial, measures } of at === 0 ? warmUp : trials) {
      const measured: Record<string, Figures> = {};
      for (const { name, run } of at % 2 === 0 ? measures : measures.toReversed()) {
        const figures = await run();
        measured[name] = figures;
        const of = at === 0 ? 'warm-up' : `${at} of ${rounds}`;
        progress(`${of.padEnd(8)} ${trial} ${name}: ${describe(figures)}; ${clock.tick()} left`);
      }
      round[trial] = measured;
    }
    if (at > 0) all.push(round);
  }
  return all;
}

/** Tells how long so many steps will still take. Each round is like the one before. */
function createClock(steps: number) {
  const begun = performance.now();
  let done = 0;
  return {
    tick(): string {
      done += 1;
      const seconds = Math.round((((performance.now() - begun) / done) * (steps - done)) / 1_000);
      return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
    },
  };
}

function describe(figures: Figures): string {
  const { perSecond, cpuMicroseconds, roundTripP99Ms, gaps, readyMs, idleRssKb, speakingRssKb } = figures;
  return [
    perSecond !== undefined && `${perSecond.toFixed(0)}/s`,
    cpuMicroseconds !== undefined && `${cpuMicroseconds.toFixed(0)} µs each`,
    roundTripP99Ms !== undefined && `p99 ${roundTripP99Ms.toFixed(1)} ms`,
    gaps !== undefined && `${gaps} gaps`,
    readyMs !== undefined && `ready in ${readyMs.toFixed(0)} ms`,
    idleRssKb !== undefined && `${idleRssKb.toFixed(0)} KB, ${speakingRssKb?.toFixed(0)} KB a call`,
  ]
    .filter((part) => part !== false)
    .join(', ');
}
