import type { Round } from './compare.ts';
import { type Figure, figures } from './figures.ts';

/** The middle of some figures, and the least and the most of them. */
export interface Spread {
  median: number;
  min: number;
  max: number;
}

/** One line of what is told: a figure of each server. */
export interface RowOptions {
  label: string;
  trial: string;
  figure: Figure;
  /** Told as a ratio to the same figure of the same server in this other trial. */
  perTrial?: string;
  goals?: readonly Goal[];
}

/** What a server is to reach: by itself, or as a ratio to another. The median is judged, or each round. */
export interface Goal {
  of: string;
  to?: string;
  atLeast?: number;
  atMost?: number;
  everyRound?: true;
}

/** Two servers whose ratio is told: of the first to the second. */
export type Pair = readonly [of: string, to: string];

export interface Row {
  label: string;
  unit: string;
  digits: number;
  /** By the server's name. */
  values: Record<string, Spread>;
  /** By the pair's name, taken in each round by itself. */
  ratios: Record<string, Spread>;
  /** Whether each is met; undefined where others had the processor for so long that it can't be told. */
  goals: { of: string; limit: string; isMet: boolean | undefined }[];
}

/** For how much of the time somebody may wait for a processor before rates and times tell of others. */
const disturbedPercent = 10;

export const nameOf = ([of, to]: Pair): string => `${of} to ${to}`;

export function spreadOf(figures: readonly number[]): Spread {
  const sorted = figures.toSorted((one, other) => one - other);
  const middle = (sorted.length - 1) / 2;
  const at = (index: number) => sorted[index] ?? Number.NaN;
  return {
    median: (at(Math.floor(middle)) + at(Math.ceil(middle))) / 2,
    min: at(0),
    max: at(sorted.length - 1),
  };
}

/** @param names of the servers; those that a trial has no figure of are left out of its rows */
export function summarize(
  rounds: readonly Round[],
  names: readonly string[],
  pairs: readonly Pair[],
  rows: readonly RowOptions[],
): Row[] {
  return rows.map(({ label, trial, figure, perTrial, goals = [] }) => {
    const read = (round: Round, name: string) =>
      (round[trial]?.[name]?.[figure] ?? Number.NaN) /
      (perTrial === undefined ? 1 : (round[perTrial]?.[name]?.[figure] ?? Number.NaN));
    const spread = (of: string, to?: string) =>
      spreadOf(
        rounds
          .map((round) => read(round, of) / (to === undefined ? 1 : read(round, to)))
          .filter(Number.isFinite),
      );
    const known = names.filter((name) => rounds.some((round) => Number.isFinite(read(round, name))));
    const compared = perTrial === undefined && figure !== 'busyPercent' ? pairs : [];
    return {
      label,
      ...(perTrial === undefined ? figures[figure] : { unit: '', digits: 2 }),
      values: Object.fromEntries(known.map((name) => [name, spread(name)])),
      ratios: Object.fromEntries(
        compared
          .map((pair) => [nameOf(pair), spread(...pair)] as const)
          .filter(([, { median }]) => Number.isFinite(median)),
      ),
      goals: goals.map((goal) => ({
        ...judge(goal, spread(goal.of, goal.to)),
        ...('isDisturbed' in figures[figure] && isDisturbed(rounds, trial) && { isMet: undefined }),
      })),
    };
  });
}

function isDisturbed(rounds: readonly Round[], trial: string): boolean {
  const waited = rounds.flatMap((round) =>
    Object.values(round[trial] ?? {}).map(({ waitedPercent = 0, loadWaitedPercent = 0 }) =>
      Math.max(waitedPercent, loadWaitedPercent),
    ),
  );
  return spreadOf(waited).median > disturbedPercent;
}

function judge(
  { of, to, atLeast, atMost, everyRound }: Goal,
  { median, min, max }: Spread,
): Row['goals'][number] {
  const name = to === undefined ? of : nameOf([of, to]);
  if (atLeast !== undefined) {
    return { of: name, limit: `≥ ${write(atLeast)}`, isMet: (everyRound ? min : median) >= atLeast };
  }
  const most = atMost ?? Number.NaN;
  return { of: name, limit: `≤ ${write(most)}`, isMet: (everyRound ? max : median) <= most };
}

const write = (limit: number) => (Number.isInteger(limit) ? String(limit) : limit.toFixed(2));
