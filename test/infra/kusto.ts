// Kusto's language service as the tests use it: KQL is parsed and checked as the portal's editor does it.

import { createRequire } from 'node:module';

/** A column or table that a query refers to: the same object wherever it does. */
export interface Symbol {
  readonly Name: string;
}

/** A node of the tree; which members there are depends on its kind. */
export interface Node {
  readonly Kind: number;
  readonly Parent: Node | null;
  /** Of a comparison. */
  readonly Left?: Node;
  readonly Right?: Node;
  /** Of `["b"]`: "b". */
  readonly Expression: Node;
  /** Of `a.b` and `a["b"]`: b and ["b"]. */
  readonly Selector: Node;
  /** Of a name. */
  readonly SimpleName: string;
  readonly ReferencedSymbol: Symbol | null;
  /** Of a literal. */
  readonly LiteralValue: unknown;
  /** The text, without what is around it where 0 is handed in. */
  ToString(included: 0): string;
}

interface List<T> {
  readonly Count: number;
  getItem(index: number): T;
}

interface Table extends Symbol {
  readonly Columns: List<Symbol>;
}

interface Language {
  Symbols: {
    TableSymbol: { $ctor7: new (name: string, schema: string, description: null) => Table };
    DatabaseSymbol: { ctor: new (name: string, tables: readonly Table[]) => Symbol };
  };
  GlobalState: { Default: { WithDatabase(database: Symbol): object } };
  KustoCode: {
    ParseAndAnalyze(
      text: string,
      globals: object,
    ): {
      readonly Syntax: Node;
      /** What comes out; a table for a query. */
      readonly ResultType: (Symbol & { readonly Columns?: List<Symbol> }) | null;
      GetDiagnostics(): List<{ readonly Message: string; readonly Start: number }>;
    };
  };
  Syntax: {
    SyntaxKind: Record<Kind, number>;
    SyntaxElement: { WalkNodes(root: Node, visit: (node: Node) => void): void };
  };
}

/** The kinds of node that the tests tell apart. */
export type Kind =
  | 'ElementExpression'
  | 'EqualExpression'
  | 'InExpression'
  | 'NameReference'
  | 'PathExpression'
  | 'ProjectOperator'
  | 'SeparatedElement'
  | 'StringLiteralExpression';

/** A query, parsed and checked. */
export interface Parsed {
  /** Every node, each before its children. */
  nodes: readonly Node[];
  isA(node: Node | null | undefined, ...kinds: readonly Kind[]): boolean;
  /** The table and column that a name refers to; undefined for what the query made itself, by a union for one. */
  columnOf(name: Node): { table: string; column: string } | undefined;
  /** Names of the columns that come out, in their order. */
  columns: readonly string[];
  /** What the service has to say, warnings too: a table in a fuzzy union is no error. */
  diagnostics: readonly string[];
}

/**
 * Loads the service: a third of a second, once.
 *
 * @param tables columns of each table, as `Name:type Name:type`
 * @returns what parses a query against these tables
 */
export function loadKusto(tables: Readonly<Record<string, string>>): (text: string) => Parsed {
  const require = createRequire(import.meta.url);
  require('@kusto/language-service-next/bridge.min.js');
  require('@kusto/language-service-next/Kusto.Language.Bridge.min.js');
  // Both are scripts for a page: they export nothing and leave one global behind.
  const { Symbols, GlobalState, KustoCode, Syntax } = (
    globalThis as unknown as { Kusto: { Language: Language } }
  ).Kusto.Language;

  const columns = new Map<Symbol, { table: string; column: string }>();
  const symbols = Object.entries(tables).map(([table, schema]) => {
    const symbol = new Symbols.TableSymbol.$ctor7(table, `(${schema.replaceAll(' ', ', ')})`, null);
    for (const column of itemsOf(symbol.Columns)) columns.set(column, { table, column: column.Name });
    return symbol;
  });
  const globals = GlobalState.Default.WithDatabase(new Symbols.DatabaseSymbol.ctor('workspace', symbols));

  return (text) => {
    const code = KustoCode.ParseAndAnalyze(text, globals);
    const nodes: Node[] = [];
    Syntax.SyntaxElement.WalkNodes(code.Syntax, (node) => nodes.push(node));
    const lineOf = (start: number) => text.slice(0, start).split('\n').length;
    return {
      nodes,
      isA: (node, ...kinds) => kinds.some((kind) => node?.Kind === Syntax.SyntaxKind[kind]),
      columnOf: ({ ReferencedSymbol }) => (ReferencedSymbol ? columns.get(ReferencedSymbol) : undefined),
      columns: itemsOf(code.ResultType?.Columns).map(({ Name }) => Name),
      diagnostics: itemsOf(code.GetDiagnostics()).map(
        ({ Start, Message }) => `line ${lineOf(Start)}: ${Message}`,
      ),
    };
  };
}

function itemsOf<T>(list: List<T> | undefined): T[] {
  return Array.from({ length: list?.Count ?? 0 }, (_, index) => list?.getItem(index)).filter(
    (item) => item !== undefined,
  );
}
