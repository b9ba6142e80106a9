import type { Row, Spread } from './summary.ts';

/** What is to be shown. */
export interface Table {
  rows: readonly Row[];
  /** The servers and the pairs, in order. */
  names: readonly string[];
  pairs: readonly string[];
  /** What is to be said below it, each with a word before it. */
  notes: readonly (readonly [string, string])[];
}

/** For a terminal. */
export function writeText(table: Table): string {
  const rows = cellsOf(table);
  const widths =
    rows[0]?.map((_, column) => Math.max(...rows.map((cells) => cells[column]?.length ?? 0))) ?? [];
  const width = Math.max(...table.notes.map(([name]) => name.length));
  return [
    ...rows.map((cells) => cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ')),
    '',
    ...table.notes.map(([name, text]) => `${name.padEnd(width)}  ${text}`),
  ]
    .map((line) => line.trimEnd())
    .join('\n');
}

/** For a README. */
export function writeMarkdown(table: Table): string {
  const [head = [], ...rows] = cellsOf(table);
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [
    line(head),
    `|${head.map((_, column) => (column === 0 ? '---|' : '--:|')).join('')}`,
    ...rows.map(line),
    '',
    ...table.notes.map(([name, text]) => `- ${name}: ${text}`),
  ].join('\n');
}

const judgements = new Map([
  [true, 'met'],
  [false, 'missed'],
  [undefined, 'not told'],
]);

function cellsOf({ rows, names, pairs }: Table): string[][] {
  return [
    ['', ...names, ...pairs, 'goal'],
    ...rows.map(({ label, unit, digits, values, ratios, goals }) => [
      label,
      ...names.map((name) => write(values[name], digits, unit)),
      ...pairs.map((pair) => write(ratios[pair], 2, '')),
      goals
        .map(
          ({ of, limit, isMet }) => `${goals.length > 1 ? `${of} ` : ''}${limit}: ${judgements.get(isMet)}`,
        )
        .join('; '),
    ]),
  ];
}

function write(spread: Spread | undefined, digits: number, unit: string): string {
  if (spread === undefined) return '';
  const [median, min, max] = [spread.median, spread.min, spread.max].map((value) => value.toFixed(digits));
  return `${median} (${min}–${max})${unit}`;
}
