import { createSimulator } from '../../simulator/simulator.ts';
import { startApp } from './app.ts';
import { type Contestant, compare } from './compare.ts';
import { startIngestion } from './ingestion.ts';
import { frames, type Load, refusals, upgrades } from './load.ts';
import { describeMachine, readLoad } from './machine.ts';
import type { MeasureOptions } from './options.ts';
import { partProcessors } from './processors.ts';
import type { MeasuredServer } from './server.ts';
import { type Circumstances, type Summary, spreadOf, summarize, tabulate } from './summary.ts';

/** What the app does with Application Insights on, against off. */
export interface TelemetryFigures extends Circumstances {
  upgrades: Summary;
  refusals: Summary;
  frames: Summary;
}

const names = ['off', 'on'] as const;

/** After how long without a record none is left of a measurement. They wait for a second, with others of theirs. */
const quietMs = 1_500;

/** Runs the app twice, one with Application Insights on, each in a process of its own, and keeps them busy in turn. */
export async function measureTelemetry(options: MeasureOptions): Promise<TelemetryFigures> {
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
    const contestants: Contestant<(typeof names)[number]>[] = [
      { name: 'off', server: off, target: targetOf(off) },
      { name: 'on', server: on, target: targetOf(on), records: () => ingestion.records, settled },
    ];
    const against = async (load: Load, goal: number) =>
      summarize(await compare({ ...options, contestants, load }), names, goal);
    return {
      upgrades: await against(upgrades, 0.8),
      refusals: await against(refusals, 0.8),
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

/** The figures for a person. */
export function tabulateTelemetry(figures: TelemetryFigures): string {
  const { upgrades, refusals, frames, width } = figures;
  const recordsOf = ({ measured }: Summary) =>
    spreadOf(measured.map(({ on }) => on?.recordsEach ?? 0)).median.toFixed(1);
  return tabulate(names, { upgrades, refusals, frames }, figures, [
    ['upgrade', `a good token, checked; one frame sent back; closed. ${width} at a time`],
    ['refusal', `a token whose signature is bad, checked; 401. ${width} at a time`],
    ['frame', `20 ms of audio, sent back. ${width} calls, one frame of each on its way at a time`],
    ['calls', 'sockets without a binding (CALL_BINDING=optional), which nobody announced'],
    [
      'on',
      `${recordsOf(upgrades)} records for each upgrade and its call, ${recordsOf(refusals)} for each refusal, ` +
        `${recordsOf(frames)} for each frame; sampling ratio 1, to a stand-in for ingestion beside the load`,
    ],
  ]);
}
