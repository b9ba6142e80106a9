import { bareWs, documentedSample, thisApp } from './entrants.ts';
import type { MeasureOptions } from './options.ts';
import { type Report, report, tableOf } from './report.ts';
import { rowsWith } from './rows.ts';
import type { Pair } from './summary.ts';
import type { Table } from './table.ts';

const [bare, sample, app] = ['bare ws', 'sample', 'app'] as const;
const pairs: readonly Pair[] = [
  [sample, bare],
  [app, bare],
];

const rows = rowsWith({
  upgrades: [{ of: app, to: bare, atLeast: 0.6 }],
  upgradeCpu: [{ of: app, to: bare, atMost: 1 / 0.6 }],
  refusalPerUpgrade: [{ of: app, atMost: 1 }],
  frameCpu: [{ of: app, to: bare, atMost: 1.15 }],
  roundTripP99: [{ of: app, to: bare, atMost: 1.5 }],
  gaps: [{ of: app, atMost: 0, everyRound: true }],
  idleMemory: [{ of: app, atMost: 40 }],
  speakingMemory: [{ of: app, atMost: 100 }],
});

/** Measures the app against a server of nothing but ws, and against what the documentation shows. */
export const measureBaselines = (options: MeasureOptions): Promise<Report> =>
  report(
    {
      entrants: (around) => [bareWs(bare, around), documentedSample(sample, around), thisApp(app, around)],
      ...{ pairs, rows },
    },
    options,
  );

/** The report for a person. */
export function tabulateBaselines(figures: Report): Table {
  return tableOf(figures, [
    [bare, 'lets everybody in, reads no frame; plays one and the same frame over and over'],
    [sample, 'as documented: accepts, then verifies (jsonwebtoken, jwks-rsa), JSON.parse and JSON.stringify'],
    [
      app,
      'this app; its calls are sockets without a binding (CALL_BINDING=optional), which nobody announced',
    ],
  ]);
}
