import { bareWs, thisApp } from './entrants.ts';
import { startIngestion } from './ingestion.ts';
import type { MeasureOptions } from './options.ts';
import { type Report, report, tableOf } from './report.ts';
import { rowsWith } from './rows.ts';
import { type Pair, spreadOf } from './summary.ts';
import type { Table } from './table.ts';

const [bare, off, on] = ['bare ws', 'off', 'on'] as const;
const pairs: readonly Pair[] = [
  [off, bare],
  [on, bare],
  [on, off],
];

/** After how long without a record none is left of a measurement. They wait for a second, with others of theirs. */
const quietMs = 1_500;

const keeps = (share: number) => ({
  rate: [{ of: on, to: off, atLeast: share }],
  cpu: [{ of: on, to: off, atMost: 1 / share }],
});

const rows = rowsWith({
  upgrades: keeps(0.8).rate,
  upgradeCpu: keeps(0.8).cpu,
  refusals: keeps(0.8).rate,
  refusalCpu: keeps(0.8).cpu,
  frames: keeps(0.95).rate,
  frameCpu: keeps(0.95).cpu,
  roundTripP99: [{ of: on, to: bare, atMost: 1.5 }],
  gaps: [{ of: on, atMost: 0, everyRound: true }],
  idleMemory: [{ of: on, atMost: 40 }],
  speakingMemory: [{ of: on, atMost: 100 }],
});

/** Measures the app with Application Insights on, against off, and both against a server of nothing but ws. */
export async function measureTelemetry(options: MeasureOptions): Promise<Report> {
  const ingestion = await startIngestion();
  const telemetry = {
    connectionString: ingestion.connectionString,
    records: () => ingestion.records,
    settled: () => ingestion.quiet(quietMs),
  };
  try {
    return await report(
      {
        entrants: (around) => [bareWs(bare, around), thisApp(off, around), thisApp(on, around, telemetry)],
        ...{ pairs, rows },
      },
      options,
    );
  } finally {
    ingestion.close();
  }
}

/** The report for a person. */
export function tabulateTelemetry(figures: Report): Table {
  const recordsOf = (trial: string) =>
    spreadOf(figures.measured.flatMap((round) => round[trial]?.[on]?.recordsEach ?? [])).median.toFixed(1);
  return tableOf(figures, [
    [bare, 'lets everybody in, reads no frame; plays one and the same frame over and over'],
    [
      'off, on',
      'this app; its calls are sockets without a binding (CALL_BINDING=optional), which nobody announced',
    ],
    [
      'records',
      `${recordsOf('upgrades')} for each upgrade and its call, ${recordsOf('refusals')} for each refusal, ` +
        `${recordsOf('frames')} for each frame (beyond telemetry's bounds, none); sampling ratio 1, to a stand-in for ingestion beside the load`,
    ],
  ]);
}
