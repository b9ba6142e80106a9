// The queries of infra/, and the tables that they are for.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { infra } from './bicep.ts';

const folder = join(infra, 'queries');

/** The text of each query, by its file's name. */
export const queries: Readonly<Record<string, string>> = Object.fromEntries(
  readdirSync(folder).map((file) => [file, readFileSync(join(folder, file), 'utf8')]),
);

/** Columns of each table of Application Insights in a workspace: `Name:type Name:type`. */
export function readTables(): Record<string, string> {
  const text = readFileSync(join(import.meta.dirname, 'data/app-insights-tables.json'), 'utf8');
  const { common, ...own }: Record<string, string> = JSON.parse(text);
  return Object.fromEntries(Object.entries(own).map(([table, columns]) => [table, `${common} ${columns}`]));
}
