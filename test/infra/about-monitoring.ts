// What an operator sees of a deployment, evaluated offline: the workbook, the alerts on logs, and what bounds their cost.

import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { Ajv } from 'ajv';
import { tenant } from './bicep.ts';
import { loadKusto, type Parsed } from './kusto.ts';
import { queries, readTables } from './queries.ts';
import { type Evaluated, everyVariant, type Variant } from './variants.ts';
import { workbookSchema } from './workbook-schema.ts';

/** An item of a workbook; workbook-schema.ts has seen to the shape. */
interface Item {
  type: number;
  name: string;
  content: {
    query?: string;
    visualization?: string;
    crossComponentResources?: string[];
    timeContextFromParameter?: string;
    chartSettings?: { xAxis: string; yAxis: string[]; group: string };
    parameters?: { name: string }[];
  };
  conditionalVisibility?: { parameterName: string };
}

/** What a rule looks for; the compiler has seen to the shape. */
interface Criterion {
  query: string;
  timeAggregation: string;
  metricMeasureColumn?: string;
  threshold: number;
  dimensions: { name: string }[];
}

export function aboutMonitoring(deployed: () => Evaluated) {
  let parse: (text: string) => Parsed;

  before(() => {
    parse = loadKusto(readTables());
  });

  const fileOf = (query: string | undefined) =>
    Object.keys(queries).find((file) => queries[file] === query) ?? assert.fail(`in no file: ${query}`);
  const workspace = () => deployed().one('first', 'OperationalInsights/workspaces');
  const workbook = () => deployed().one('first', 'Insights/workbooks');
  const notebook = (): { items: Item[] } => JSON.parse(String(workbook().properties?.serializedData));
  const shown = () => notebook().items.filter(({ content }) => content.query !== undefined);

  test('the workbook is shared, and opens from the component', () => {
    const { properties, name } = workbook();
    assert.match(name, /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/);
    assert.partialDeepStrictEqual(workbook(), { kind: 'shared' });
    assert.equal(properties?.category, 'workbook');
    assert.equal(properties?.sourceId, deployed().one('first', 'Insights/components').id.toLowerCase());
    const url = deployed().snapshot('first').outputs.WORKBOOK_URL;
    assert.ok(String(url).includes(`environment().portal, '${tenant}', '${workbook().id}'`), String(url));
  });

  test('it is what the portal reads', () => {
    const validate = new Ajv({ allErrors: true }).compile(workbookSchema);
    const right = notebook();
    assert.ok(validate(right), JSON.stringify(validate.errors));
    const [parameters, call] = right.items;
    for (const items of [
      [],
      [{ ...parameters, type: 8 }],
      [{ ...call, conditionalVisibilty: {} }],
      [{ ...call, content: { ...call?.content, timeContext: {} } }],
      [{ ...call, content: { ...call?.content, query: '' } }],
      [{ ...call, content: { ...call?.content, visualization: 'timechart' } }],
    ]) {
      assert.ok(!validate({ ...right, items }), JSON.stringify(items));
    }
  });

  test('it shows the files: four questions as chart and table, and the fifth for one call', () => {
    const seen = shown().map(({ content }) => `${fileOf(content.query)} ${content.visualization}`);
    const charted = ['cost.kql', 'health.kql', 'refusals.kql', 'speed.kql'];
    const both = charted.flatMap((file) => [`${file} table`, `${file} timechart`]);
    assert.deepEqual(seen.sort(), ['call.kql table', ...both].sort());
    const names = notebook().items.map(({ name }) => name);
    assert.equal(new Set(names).size, names.length);
  });

  test('each query is asked of the workspace, for the time that is chosen, and every parameter is one', () => {
    const parameters = notebook().items.flatMap(({ content }) => content.parameters ?? []);
    const names = parameters.map(({ name }) => name);
    assert.deepEqual(names, ['TimeRange', 'CorrelationId']);
    for (const { content, conditionalVisibility } of shown()) {
      assert.deepEqual(content.crossComponentResources, [workspace().id]);
      assert.equal(content.timeContextFromParameter, 'TimeRange');
      const used = Array.from(content.query?.matchAll(/\{(\w+)\}/g) ?? [], ([, name]) => name);
      const isCall = fileOf(content.query) === 'call.kql';
      assert.deepEqual(used, isCall ? ['CorrelationId'] : []);
      assert.equal(conditionalVisibility?.parameterName, isCall ? 'CorrelationId' : undefined);
    }
  });

  test('what a chart is drawn from are columns of its query', () => {
    const charts = shown().flatMap(({ content }) => (content.chartSettings ? [content] : []));
    assert.equal(charts.length, 4);
    for (const { query = '', chartSettings } of charts) {
      const { xAxis, yAxis, group } = chartSettings ?? assert.fail();
      const { columns } = parse(query);
      for (const column of [xAxis, ...yAxis, group]) assert.ok(columns.includes(column), column);
    }
  });

  const rules = (variant: Variant) => deployed().all(variant, 'Insights/scheduledQueryRules');
  const criterionOf = ({ properties }: { properties?: Record<string, unknown> }): Criterion => {
    const { allOf } = Object(properties?.criteria);
    assert.equal(allOf.length, 1);
    return allOf[0];
  };

  test('four alerts on logs, each with the query of its name; none where nobody is told', () => {
    for (const variant of everyVariant) {
      const files = rules(variant).map((rule) => fileOf(criterionOf(rule).query));
      const all = ['alert-answers.kql', 'alert-event-loop.kql', 'alert-keys.kql', 'alert-refusals.kql'];
      const isTold = ['alerts', 'elsewhere'].includes(variant);
      assert.deepEqual(files.sort(), isTold ? all : [], variant);
    }
    for (const rule of rules('alerts')) {
      const file = fileOf(criterionOf(rule).query);
      assert.equal(`${rule.name.replace(/^alert-\w{13}-/, 'alert-')}.kql`, file);
    }
  });

  test('each counts rows or measures a column of its query, by columns of it, and can tell when', () => {
    for (const rule of rules('alerts')) {
      const { query, timeAggregation, metricMeasureColumn, dimensions, threshold } = criterionOf(rule);
      const { columns } = parse(query);
      assert.ok(columns.includes('TimeGenerated'));
      assert.equal(metricMeasureColumn === undefined, timeAggregation === 'Count');
      for (const column of [metricMeasureColumn ?? 'TimeGenerated', ...dimensions.map(({ name }) => name)]) {
        assert.ok(columns.includes(column), `${rule.name}: ${column}`);
      }
      assert.ok(threshold > 0, 'one of a kind wakes nobody');
    }
  });

  test('each waits for late records, takes itself back, is made before the tables are, and reaches a person', () => {
    const { id } = deployed().one('alerts', 'Insights/actionGroups');
    for (const rule of rules('alerts')) {
      assert.partialDeepStrictEqual(rule, {
        kind: 'LogAlert',
        location: 'westeurope',
        properties: {
          enabled: true,
          scopes: [workspace().id],
          evaluationFrequency: 'PT5M',
          autoMitigate: true,
          skipQueryValidation: true,
          actions: { actionGroups: [id] },
        },
      });
      assert.match(String(rule.properties?.windowSize), /^PT1[05]M$/);
    }
  });

  test('the workspace takes in so much a day and no more', () => {
    assert.partialDeepStrictEqual(workspace().properties, { workspaceCapping: { dailyQuotaGb: 1 } });
  });
}
