import { createSimulator } from '../../simulator/simulator.ts';
import type { Round } from './compare.ts';
import type { Entrant, Surroundings } from './entrants.ts';
import { describeMachine, type Machine, readLoad } from './machine.ts';
import type { MeasureOptions } from './options.ts';
import { partProcessors } from './processors.ts';
import { nameOf, type Pair, type Row, type RowOptions, spreadOf, summarize } from './summary.ts';
import type { Table } from './table.ts';
import { measureEntrants } from './trials.ts';

/** What was measured, and with what. */
export interface Report extends Omit<MeasureOptions, 'progress'> {
  names: readonly string[];
  pairs: readonly string[];
  rows: Row[];
  measured: Round[];
  machine: Machine;
  /** At the begin and at the end. */
  loadAverage: [number, number];
}

/** What is measured against each other, and what is told of it. */
export interface Contest {
  entrants(around: Surroundings): readonly Entrant[];
  pairs: readonly Pair[];
  rows: readonly RowOptions[];
}

/** Measures, beside a local ACS, and sums up. */
export async function report(
  { entrants: enter, pairs, rows }: Contest,
  options: MeasureOptions,
): Promise<Report> {
  const { progress, ...circumstances } = options;
  const load = readLoad();
  const parted = partProcessors();
  const simulator = await createSimulator();
  try {
    const entrants = enter({ simulator: simulator.env(), token: await simulator.token(), parted });
    const names = entrants.map(({ name }) => name);
    const measured = await measureEntrants(entrants, options);
    return {
      ...circumstances,
      names,
      pairs: pairs.map(nameOf),
      rows: summarize(measured, names, pairs, rows),
      measured,
      machine: describeMachine(parted),
      loadAverage: [load, readLoad()],
    };
  } finally {
    await simulator.close();
  }
}

/** The report as a table. @param notes what else is to be said below it */
export function tableOf(report: Report, notes: Table['notes']): Table {
  const { rounds, seconds, width, calls, machine, loadAverage, names, pairs, rows } = report;
  const range = (of: 'waitedPercent' | 'loadWaitedPercent' | 'loadBusyPercent') => {
    const all = report.measured.flatMap((round) =>
      Object.values(round).flatMap((trial) => Object.values(trial).flatMap((one) => one[of] ?? [])),
    );
    const { median, min, max } = spreadOf(all);
    return `${median.toFixed(0)} (${min.toFixed(0)}–${max.toFixed(0)}) %`;
  };
  return {
    names,
    pairs,
    rows,
    notes: [
      [
        'figures',
        `medians of ${rounds} rounds of ${seconds} s each, with the least and the most; ratios are those within a round`,
      ],
      ['CPU', 'of processors, by the whole process: what a busy machine disturbs least'],
      ...notes,
      ['upgrade', `a good token; one frame sent back; closed. ${width} at a time`],
      ['refusal', `a token with another's signature; ${width} at a time`],
      [
        'frame',
        `20 ms of audio, sent back (call.send); ${width} calls, one frame of each on its way at a time`,
      ],
      [
        'calls',
        `${calls} at once, 50 frames/s each way, spread over the 20 ms of a frame; from 0.6 s after they have come on`,
      ],
      [
        'played to',
        'call.play, at most 500 ms ahead, of audio that is there; a gap is a frame that comes after the moment when it was to be heard',
      ],
      [
        'memory',
        `what ${calls} calls add to a process just started, each measured after a garbage collection, while they are open without a frame, ` +
          'then at 50 frames/s: of its resident set, and of its heap with what that holds outside',
      ],
      [
        'busy',
        'of a processor; well below 100 %, the rate is what the load could do, and the CPU of one is what counts',
      ],
      ['load', `busy ${range('loadBusyPercent')}, in a process of its own`],
      [
        'waited',
        `for a processor that others used: servers ${range('waitedPercent')} of the time, the load ${range('loadWaitedPercent')}; ` +
          "over 10 %, whether rates and times are met can't be told",
      ],
      [
        'machine',
        `Node ${machine.node}, ${machine.processors}, load average ${loadAverage.map((load) => load.toFixed(1)).join(' to ')}, ` +
          `servers ${machine.apart ? 'on a processor of their own' : 'on the same processors as the load'}`,
      ],
    ],
  };
}
