import type { Round } from './compare.ts';
import type { Machine } from './machine.ts';

/** The middle of some figures, and the least and the most of them. */
export interface Spread {
  median: number;
  min: number;
  max: number;
}

/** How two servers did with one load. The ratios are of the second to the first, taken in each round by itself. */
export interface Summary {
  perSecond: Record<string, Spread>;
  /** Of processors. */
  microsecondsEach: Record<string, Spread>;
  busyPercent: Record<string, Spread>;
  ratio: { rate: Spread; cost: Spread };
  /** What the second is to keep of the first's rate; it may cost the inverse. */
  goal: number;
  measured: Round<string>[];
}

/** What all loads were measured with. */
export interface Circumstances {
  rounds: number;
  seconds: number;
  /** How many upgrades, or calls with frames, at a time. */
  width: number;
  machine: Machine;
  /** At the begin and at the end. */
  loadAverage: [number, number];
}

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

export function summarize<Name extends string>(
  measured: Round<Name>[],
  [first, second]: readonly [Name, Name],
  goal: number,
): Summary {
  const spread = (of: (round: Round<Name>) => number) => spreadOf(measured.map(of));
  const both = (figure: 'perSecond' | 'microsecondsEach' | 'busyPercent') => ({
    [first]: spread((round) => round[first][figure]),
    [second]: spread((round) => round[second][figure]),
  });
  return {
    perSecond: both('perSecond'),
    microsecondsEach: both('microsecondsEach'),
    busyPercent: both('busyPercent'),
    ratio: {
      rate: spread((round) => round[second].perSecond / round[first].perSecond),
      cost: spread((round) => round[second].microsecondsEach / round[first].microsecondsEach),
    },
    goal,
    measured,
  };
}

/** The figures for a person. @param notes what is to be said below them, each with a word before it */
export function tabulate(
  names: readonly [string, string],
  summaries: Readonly<Record<string, Summary>>,
  { rounds, seconds, machine, loadAverage }: Circumstances,
  notes: readonly (readonly [string, string])[],
): string {
  const [first, second] = names;
  const rows = [
    ['', first, second, `${second} to ${first}`, 'goal'],
    ...Object.entries(summaries).flatMap(([load, summary]) => rowsOf(load, names, summary)),
  ];
  const below = [
    ['figures', `medians of ${rounds} rounds of ${seconds} s, with the least and the most`],
    ...notes,
    [
      'busy',
      'of a processor; well below 100 %, the rate is what the load could do, and the CPU of one is what counts',
    ],
    ['waited', describeWait(Object.values(summaries))],
    [
      'machine',
      `Node ${machine.node}, ${machine.processors}, load average ${loadAverage.map((load) => load.toFixed(1)).join(' to ')}, ` +
        `what is measured ${machine.apart ? 'on a processor of its own' : 'on the same processors as the load'}`,
    ],
  ];
  return [
    ...rows.map(([name = '', ...cells]) => name.padEnd(14) + cells.map((cell) => cell.padEnd(24)).join('')),
    '',
    ...below.map(([name = '', text]) => name.padEnd(14) + text),
  ]
    .map((line) => line.trimEnd())
    .join('\n');
}

function rowsOf(
  load: string,
  names: readonly string[],
  { perSecond, microsecondsEach, busyPercent, ratio, goal }: Summary,
) {
  const cells = (of: Record<string, Spread>, unit: string) => names.map((name) => `${show(of[name])}${unit}`);
  const limit = 1 / goal;
  return [
    [
      `${load}/s`,
      ...cells(perSecond, ''),
      show(ratio.rate, 2),
      `≥ ${goal.toFixed(2)}: ${met(ratio.rate.median >= goal)}`,
    ],
    [
      '  CPU of one',
      ...cells(microsecondsEach, ' µs'),
      show(ratio.cost, 2),
      `≤ ${limit.toFixed(2)}: ${met(ratio.cost.median <= limit)}`,
    ],
    ['  busy', ...cells(busyPercent, ' %')],
  ];
}

function describeWait(summaries: readonly Summary[]): string {
  const waited = summaries.flatMap(({ measured }) =>
    measured.flatMap((round) => Object.values(round).flatMap(({ waitedPercent }) => waitedPercent ?? [])),
  );
  if (waited.length === 0) return 'not known on this system';
  return `${show(spreadOf(waited))} % of the time for a processor that others used`;
}

const met = (isMet: boolean) => (isMet ? 'met' : 'missed');

const show = ({ median, min, max }: Spread = spreadOf([]), digits = 0) =>
  `${median.toFixed(digits)} (${min.toFixed(digits)}–${max.toFixed(digits)})`;
