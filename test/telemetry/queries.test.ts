// Whatever the queries read has to arrive: a name that is right and never sent would show nothing.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readsOf } from '../infra/kql.ts';
import { loadKusto } from '../infra/kusto.ts';
import { queries, readTables } from '../infra/queries.ts';
import { runEventfully } from './eventful-run.ts';
import { measurementsOf, nameOf, propertiesOf, tableOf } from './received.ts';
import { runUnluckily } from './unlucky-run.ts';

test('what the queries read arrives', async (t) => {
  const runs = await Promise.all([runEventfully(t), runUnluckily(t)]);
  const received = runs.flatMap(({ envelopes }) => envelopes);
  const parse = loadKusto(readTables());
  let read = 0;

  for (const [file, text] of Object.entries(queries)) {
    const { names, keys, values } = readsOf(parse(text));
    read += names.length + keys.length + values.length;
    // What the query looks at in a table: records of the names that it asks for, or all.
    const rowsOf = (table: string | undefined) => {
      const asked = names.filter((entry) => entry.table === table).map(({ name }) => name);
      return received.filter(
        (each) =>
          (table === undefined || tableOf(each) === table) &&
          (asked.length === 0 || asked.includes(nameOf(each) ?? '')),
      );
    };

    for (const { table, name } of names) {
      await t.test(`${file}: ${name}`, () => {
        assert.ok(received.some((each) => tableOf(each) === table && nameOf(each) === name));
      });
    }
    for (const { table, column, key } of keys) {
      await t.test(`${file}: ${column}.${key} in ${table ?? 'any table'}`, () => {
        const bagOf = column === 'Measurements' ? measurementsOf : propertiesOf;
        assert.ok(rowsOf(table).some((each) => bagOf(each)[key] !== undefined));
      });
    }
    // Reasons are many and not all can be provoked here: types hold their list together.
    for (const { key, value } of values.filter(({ key }) => key !== 'reason')) {
      await t.test(`${file}: ${key} ${value}`, () => {
        assert.ok(received.some((each) => propertiesOf(each)[key] === value));
      });
    }
  }
  assert.ok(read > 50, `${read} names, keys and values`);
});
