// A workbook's JSON, as far as infra/ uses it: what the portal reads, and nothing that it doesn't know.
//
// The published schema (schema/workbook.json of microsoft/Application-Insights-Workbooks) says what kinds of item there
// are and leaves their contents open, so that a misspelt key passes. The keys here are those of published workbooks.

const text = { type: 'string', minLength: 1 };
const duration = closed({ durationMs: { type: 'integer', minimum: 300_000 } });
const resourceType = { const: 'microsoft.operationalinsights/workspaces' };

/** Kinds of parameter: 4 is a time range, 1 is text. */
const parameter = {
  anyOf: [
    closed({
      id: text,
      version: { const: 'KqlParameterItem/1.0' },
      name: text,
      label: text,
      type: { const: 4 },
      isRequired: { const: true },
      value: duration,
      typeSettings: closed({
        allowCustom: { type: 'boolean' },
        selectableValues: { type: 'array', items: duration, minItems: 1 },
      }),
    }),
    closed({
      id: text,
      version: { const: 'KqlParameterItem/1.0' },
      name: text,
      label: text,
      type: { const: 1 },
      isRequired: { type: 'boolean' },
      value: { type: 'string' },
    }),
  ],
};

/** What each query has: queryType 0 asks Log Analytics. */
const query = {
  version: { const: 'KqlItem/1.0' },
  size: { type: 'integer', minimum: 0, maximum: 5 },
  title: text,
  query: text,
  queryType: { const: 0 },
  resourceType,
  crossComponentResources: { type: 'array', items: text, minItems: 1 },
  timeContextFromParameter: text,
};
const chartSettings = closed({
  xAxis: text,
  yAxis: { type: 'array', items: text, minItems: 1 },
  group: text,
  showLegend: { type: 'boolean' },
});
const visible = {
  customWidth: { type: 'string', pattern: '^\\d{1,3}$' },
  conditionalVisibility: closed({
    parameterName: text,
    comparison: { enum: ['isEqualTo', 'isNotEqualTo'] },
    value: { type: 'string' },
  }),
};

/** Kinds of item: 9 is parameters, 3 is a query. */
const item = {
  anyOf: [
    closed({
      type: { const: 9 },
      name: text,
      content: closed({
        version: { const: 'KqlParameterItem/1.0' },
        style: { enum: ['pills', 'above', 'formHorizontal', 'formVertical'] },
        queryType: { const: 0 },
        resourceType,
        parameters: { type: 'array', items: parameter, minItems: 1 },
      }),
    }),
    closed(
      { type: { const: 3 }, name: text, content: closed({ ...query, visualization: { const: 'table' } }) },
      visible,
    ),
    closed(
      {
        type: { const: 3 },
        name: text,
        content: closed({ ...query, visualization: { const: 'timechart' }, chartSettings }),
      },
      visible,
    ),
  ],
};

export const workbookSchema = closed({
  version: { const: 'Notebook/1.0' },
  items: { type: 'array', items: item, minItems: 1 },
  fallbackResourceIds: { type: 'array', items: text, minItems: 1 },
  $schema: {
    const: 'https://github.com/Microsoft/Application-Insights-Workbooks/blob/master/schema/workbook.json',
  },
});

/** An object with all of the first properties, any of the second, and no others. */
function closed(properties: Record<string, object>, optional: Record<string, object> = {}): object {
  return {
    type: 'object',
    properties: { ...properties, ...optional },
    required: Object.keys(properties),
    additionalProperties: false,
  };
}
