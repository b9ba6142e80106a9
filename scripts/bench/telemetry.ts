import { createSimulator } from '../../simulator/simulator.ts';
import { startApp } from './app.ts';
import { type Contestant, compare, type Round, type Spread, spreadOf } from './compare.ts';
import { startIngestion } from './ingestion.ts';
import { frames, type Load, upgrades } from './load.ts';
import { describeMachine, type Machine, readLoad } from './machine.ts';
import { partProcessors } from './processors.ts';
import type { MeasuredServer } from './server.ts';

/** What the app does with Application Insights on, against off. */
export interface TelemetryFigures {
  upgrades: Comparison;
  frames: Comparison;
  rounds: number;
  seconds: number;
  width: number;
  machine: Machine;
  /** At the begin and at the end. */
  loadAverage: [number, number];
}

interface Comparison {
  perSecond: Record<Switch, Spread>;
  microsecondsEach: Record<Switch, Spread>;
  /** What on keeps of off, round by round: of the rate, and of what a second of processor brings. */
  kept: { rate: Spread; processor: Spread };
  /** What is to be kept of the rate. */
  goal: number;
  /** How many records arrived for each. */
  recordsEach: Spread;
  measured: Round<Switch>[];
}

type Switch = 'off' | 'on';

/** After how long without a record none is left of a measurement. They wait for a second, with others of theirs. */
const quietMs = 1_500;

/**
 * Runs the app twice, one with Application Insights on, each in a process of its own, and keeps them busy in turn.
 *
 * @param options.width how many upgrades, or calls with frames, at a time
 * @param options.progress is told of each measurement
 */
export async function measureTelemetry(options: {
  rounds: number;
  seconds: number;
  width: number;
  progress: (line: string) => void;
}): Promise<TelemetryFigures> {
  const { rounds, seconds, width } = options;
  const parted = partProcessors();
  const load = readLoad();
  const simulator = await createSimulator();
  const ingestion = await startIngestion();
  const start = (telemetry: string) => startApp(simulator.env(), telemetry, parted);
  const [off, on] = await Promise.all([start(''), start(ingestion.connectionString)]);
  try {
    const token = await simulator.token();
    const targetOf = ({ port }: MeasuredServer) => ({ port, path: '/ws', token });
    const settled = () => ingestion.quiet(quietMs);
    const contestants: Contestant<Switch>[] = [
      { name: 'off', server: off, target: targetOf(off) },
      { name: 'on', server: on, target: targetOf(on), records: () => ingestion.records, settled },
    ];
    const against = async (load: Load, goal: number) =>
      summarize(await compare({ ...options, contestants, load }), goal);
    return {
      upgrades: await against(upgrades, 0.8),
      frames: await against(frames, 0.95),
      ...{ rounds, seconds, width },
      machine: describeMachine(parted),
      loadAverage: [load, readLoad()],
    };
  } finally {
    await Promise.all([off.stop(), on.stop()]);
    ingestion.close();
    await simulator.close();
  }
}

function summarize(measured: Round<Switch>[], goal: number): Comparison {
  const spread = (of: (round: Round<Switch>) => number) => spreadOf(measured.map(of));
  return {
    perSecond: { off: spread(({ off }) => off.perSecond), on: spread(({ on }) => on.perSecond) },
    microsecondsEach: {
      off: spread(({ off }) => off.microsecondsEach),
      on: spread(({ on }) => on.microsecondsEach),
    },
    kept: {
      rate: spread(({ off, on }) => on.perSecond / off.perSecond),
      processor: spread(({ off, on }) => off.microsecondsEach / on.microsecondsEach),
    },
    goal,
    recordsEach: spread(({ on }) => on.recordsEach),
    measured,
  };
}

/** The figures for a person. */
export function tabulateTelemetry(figures: TelemetryFigures): string {
  const { machine, loadAverage, upgrades, frames } = figures;
  const waited = [upgrades, frames].flatMap(({ measured }) =>
    measured.flatMap(({ off, on }) => [off.waitedPercent ?? [], on.waitedPercent ?? []].flat()),
  );
  const rows = [
    ['', 'off', 'on', 'on keeps', 'goal'],
    ...rowsOf('upgrade', upgrades),
    ...rowsOf('frame', frames),
  ];
  const notes = [
    ['figures', `medians of ${figures.rounds} rounds of ${figures.seconds} s, and the least and the most`],
    ['upgrade', `a good token, checked; one frame sent back; closed. ${figures.width} at a time`],
    ['frame', `20 ms of audio, sent back. ${figures.width} calls, one frame of each on its way at a time`],
    ['calls', 'sockets without a binding (CALL_BINDING=optional), which nobody announced'],
    ['telemetry', `${whole(upgrades.recordsEach, 1)} records arrived for each upgrade, sampling ratio 1`],
    [
      'waited',
      waited.length === 0
        ? 'not known on this system'
        : `${whole(spreadOf(waited))} % of the time the app waited for a processor that others used`,
    ],
    [
      'machine',
      `Node ${machine.node}, ${machine.processors}, the app ${machine.apart ? 'on a processor of its own' : 'on the same processors'}, load average ${loadAverage.map((load) => load.toFixed(1)).join(' to ')}`,
    ],
  ];
  return [
    ...rows.map(([name = '', ...cells]) => name.padEnd(14) + cells.map((cell) => cell.padEnd(24)).join('')),
    '',
    ...notes.map(([name = '', text]) => name.padEnd(14) + text),
  ]
    .map((line) => line.trimEnd())
    .join('\n');
}

function rowsOf(what: string, { perSecond, microsecondsEach, kept, goal }: Comparison): string[][] {
  const { rate, processor } = kept;
  const isMet = rate.median >= goal;
  return [
    [
      `${what}s/s`,
      whole(perSecond.off),
      whole(perSecond.on),
      percent(rate),
      `${goal * 100} %: ${isMet ? 'met' : 'missed'}`,
    ],
    [
      `  CPU each`,
      `${whole(microsecondsEach.off)} µs`,
      `${whole(microsecondsEach.on)} µs`,
      percent(processor),
      '',
    ],
  ];
}

const whole = ({ median, min, max }: Spread, digits = 0) =>
  `${median.toFixed(digits)} (${min.toFixed(digits)}–${max.toFixed(digits)})`;
const percent = ({ median, min, max }: Spread) =>
  `${whole({ median: median * 100, min: min * 100, max: max * 100 })} %`;
