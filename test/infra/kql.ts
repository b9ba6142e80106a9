// What is wrong with a query over telemetry: what Kusto's own check finds, and what that can't know, the names in it.

import type { Node, Parsed } from './kusto.ts';

/** What the app sends, by the names that it sends it under. */
export interface Names {
  /** What each event has of its own. */
  events: Readonly<Record<string, { properties: readonly string[]; measurements: readonly string[] }>>;
  /** The attributes of each metric. */
  metrics: Readonly<Record<string, readonly string[]>>;
  /** Properties of whatever belongs to a call, in any table. */
  common: readonly string[];
  /** Properties with a closed list of values. */
  values: Readonly<Record<string, readonly string[]>>;
}

/** What a query reads of the telemetry. */
export interface Reads {
  /** Events, by table AppEvents, and metrics, by table AppMetrics: what `Name` is compared with. */
  names: readonly { table: string; name: string }[];
  /** Keys of Properties and Measurements; without a table where a union has joined several. */
  keys: readonly { table: string | undefined; column: string; key: string }[];
  /** What a property is compared with. */
  values: readonly { key: string; value: string }[];
  /** Where that can't be told. */
  faults: readonly string[];
}

/** Finds out which names a query reads. */
export function readsOf({ nodes, isA, columnOf }: Parsed): Reads {
  const reads = {
    names: [] as { table: string; name: string }[],
    keys: [] as { table: string | undefined; column: string; key: string }[],
    values: [] as { key: string; value: string }[],
    faults: [] as string[],
  };
  const isBag = (node: Node) =>
    isA(node, 'NameReference') && ['Properties', 'Measurements'].includes(node.SimpleName);
  const fault = (node: Node, what: string) => reads.faults.push(`${node.ToString(0).trim()}: ${what}`);

  /** The key in `Properties.key` and `Properties["key"]`. */
  function keyOf({ Parent: whole }: Node): string | undefined {
    if (isA(whole, 'PathExpression')) return whole?.Selector.SimpleName;
    const key = isA(whole, 'ElementExpression') ? whole?.Selector.Expression.LiteralValue : undefined;
    return typeof key === 'string' ? key : undefined;
  }

  function readBag(bag: Node): void {
    const key = keyOf(bag);
    const whole = bag.Parent;
    if (key !== undefined) reads.keys.push({ table: columnOf(bag)?.table, column: bag.SimpleName, key });
    if (key !== undefined && isA(whole?.Parent, 'PathExpression', 'ElementExpression')) {
      fault(bag, `${key} holds nothing; a key with a dot is written ["a.b"]`);
    }
    // It may be shown as it is. Under another name, its keys would be read unseen.
    const isShown = isA(whole, 'SeparatedElement') && isA(whole?.Parent?.Parent, 'ProjectOperator');
    if (key === undefined && !isShown) fault(bag, 'its key has to be written here');
  }

  function readComparison(comparison: Node, left: Node, right: Node): void {
    const texts = nodes.filter((node) => isA(node, 'StringLiteralExpression') && isInside(node, right));
    const written = texts.map(({ LiteralValue }) => String(LiteralValue));

    const bag = nodes.find((node) => isBag(node) && isInside(node, left));
    const key = bag && keyOf(bag);
    if (key !== undefined) reads.values.push(...written.map((value) => ({ key, value })));

    if (!isA(left, 'NameReference') || left.SimpleName !== 'Name') return;
    const table = columnOf(left)?.table;
    if (table === undefined) fault(comparison, 'this Name is of more than one table');
    else if (!isA(comparison, 'EqualExpression', 'InExpression') || written.length === 0) {
      fault(comparison, 'Name has to be compared with names, by == or in');
    } else reads.names.push(...written.map((name) => ({ table, name })));
  }

  for (const node of nodes) {
    if (isBag(node)) readBag(node);
    if (node.Left && node.Right) readComparison(node, node.Left, node.Right);
  }
  return reads;
}

/**
 * Checks a query.
 *
 * @param query parsed against the columns of the real tables
 * @param names what there is to read
 * @returns what is wrong with it; nothing, if it is right
 */
export function checkQuery(query: Parsed, names: Names): string[] {
  const reads = readsOf(query);
  const known: Partial<Record<string, Record<string, unknown>>> = {
    AppEvents: names.events,
    AppMetrics: names.metrics,
  };
  // What the query itself says that it reads: a key of another event would be empty in each row.
  const read = (table: string) =>
    reads.names.filter((entry) => entry.table === table).map(({ name }) => name);
  const events = read('AppEvents').flatMap((name) => names.events[name] ?? []);
  const metrics = read('AppMetrics').flatMap((name) => names.metrics[name] ?? []);

  const keysIn = (table: string | undefined, column: string): readonly string[] => {
    if (column === 'Measurements') return table === 'AppEvents' ? events.flatMap((e) => e.measurements) : [];
    if (table === 'AppMetrics') return metrics;
    return table === 'AppEvents' ? [...names.common, ...events.flatMap((e) => e.properties)] : names.common;
  };

  return [
    ...query.diagnostics,
    ...(query.columns.length === 0 ? ['it asks for nothing'] : []),
    ...reads.faults,
    ...reads.names
      .filter(({ table, name }) => !Object.hasOwn(known[table] ?? {}, name))
      .map(({ table, name }) => `${name} is no name in ${table}`),
    ...reads.keys
      .filter(({ table, column, key }) => !keysIn(table, column).includes(key))
      .map(({ table, column, key }) => `${key} is no key of ${column} of what it reads in ${table ?? 'all'}`),
    ...reads.values
      .filter(({ key, value }) => !(names.values[key]?.includes(value) ?? false))
      .map(({ key, value }) => `${value} is no value of ${key}`),
  ];
}

function isInside(node: Node, outer: Node): boolean {
  for (let at: Node | null = node; at; at = at.Parent) if (at === outer) return true;
  return false;
}
