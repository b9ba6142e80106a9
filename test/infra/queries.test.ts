// The queries over telemetry: right by Kusto's own check, and by the names that the app sends.

import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { refusalReasons } from '../../src/auth/refusals.ts';
import { callKeys, closedLists, events, metricAttributes, metrics } from '../../src/telemetry/names.ts';
import { checkQuery, type Names } from './kql.ts';
import { loadKusto, type Parsed } from './kusto.ts';
import { queries, readTables } from './queries.ts';

const names: Names = {
  events,
  metrics: Object.fromEntries(Object.values(metrics).map((name) => [name, metricAttributes[name] ?? []])),
  common: callKeys,
  values: { ...closedLists, reason: refusalReasons },
};
const questions = ['call.kql', 'cost.kql', 'health.kql', 'refusals.kql', 'speed.kql'];
const alerts = ['alert-answers.kql', 'alert-event-loop.kql', 'alert-keys.kql', 'alert-refusals.kql'];

describe('queries', () => {
  let parse: (text: string) => Parsed;
  const check = (text: string) => checkQuery(parse(text), names);

  before(() => {
    parse = loadKusto(readTables());
  });

  test('one for each question and each alert', () => {
    assert.deepEqual(Object.keys(queries).sort(), [...alerts, ...questions]);
  });

  for (const [file, text] of Object.entries(queries)) {
    test(`${file}: right, and it says at its top what for`, () => {
      assert.deepEqual(check(text), []);
      const [heading = ''] = /^(\/\/ .*\n)+/.exec(text) ?? [];
      assert.match(heading, alerts.includes(file) ? /^\/\/ Alert: / : /\?$/m);
    });
  }

  for (const file of questions) {
    test(`${file}: says what each column is that has no name of Application Insights`, () => {
      const text = queries[file] ?? '';
      const own = parse(text).columns.filter((column) => !readTables().AppRequests?.includes(`${column}:`));
      const [heading = ''] = /^(\/\/ .*\n)+/.exec(text) ?? [];
      for (const column of own) assert.match(heading, new RegExp(`\\b${column}\\b`), column);
    });
  }

  test('a call is looked for in each table that holds what belongs to calls', () => {
    const tables = Object.keys(readTables()).filter((table) => table !== 'AppMetrics');
    for (const table of tables) assert.match(queries['call.kql'] ?? '', new RegExp(`\\b${table},?\\b`));
  });

  const event = 'AppEvents | where Name == "request.refused"';
  const right = [
    event,
    `${event} and tostring(Properties.reason) == "audience" and Measurements.suppressed > 0`,
    `${event} | extend Reason = Properties["reason"] | summarize count() by tostring(Reason)`,
    'let e = AppEvents | where Name in ("call.ended", "call.answered"); e | project Measurements.answerMs',
    'union isfuzzy=true AppEvents, AppTraces | where isnotempty(Properties.correlationId) | project Properties',
  ];
  for (const text of right) test(`right: ${text}`, () => assert.deepEqual(check(text), []));

  const wrong: [string, string, RegExp][] = [
    ['nothing', '', /asks for nothing/],
    ['comments alone', '// Alert: none\n', /asks for nothing/],
    ['no end', `${event} |`, /line 1/],
    ['a column', 'AppEvents | where Nam == "request.refused"', /'Nam'/],
    ['a column of another table', `${event} | project ResultCode`, /'ResultCode'/],
    ['a table', 'AppEvent | count', /'AppEvent'/],
    ['a table in a fuzzy union', 'union isfuzzy=true AppEvents, AppTrace | count', /'AppTrace'/],
    ['a function', `${event} | summarize percentil(Measurements.checkMs, 95)`, /percentil/],
    ['an operator', `${event} | summarise count()`, /line 1/],
    ['an event', 'AppEvents | where Name == "request.refusd"', /request.refusd is no name/],
    ['an event among others', 'AppEvents | where Name in ("call.ended", "call.endet")', /call.endet is no/],
    ['an event in a let', 'let e = AppEvents | where Name == "cal.ended"; e', /cal.ended is no name/],
    ['an event in a case', `${event} | project case(Name == "call.x", 1, 2)`, /call.x is no name/],
    ['a metric', 'AppMetrics | where Name == "callgate.call"', /callgate.call is no name/],
    ['a metric for an event', 'AppEvents | where Name == "callgate.calls"', /no name in AppEvents/],
    ['an event for a metric', 'AppMetrics | where Name == "call.ended"', /no name in AppMetrics/],
    ['a name of every object', 'AppEvents | where Name == "constructor"', /constructor is no name/],
    ['a name in part', 'AppEvents | where Name startswith "call."', /by == or in/],
    ['a name from elsewhere', 'let n = "call.ended"; AppEvents | where Name == n', /with names/],
    [
      'a name after a union',
      'union AppEvents, AppMetrics | where Name == "call.ended"',
      /more than one table/,
    ],
    ['a property', `${event} | project Properties.reson`, /reson is no key of Properties/],
    ['a property in brackets', `${event} | project Properties["reson"]`, /reson is no key/],
    ['a property of another event', `${event} | project Properties.signal`, /signal is no key/],
    ['a property of no event', 'AppEvents | project Properties.reason', /reason is no key/],
    ['a property with a dot', `${event} | project Properties.reason.code`, /holds nothing/],
    ['a property of a request', 'AppRequests | project Properties.reason', /reason is no key/],
    [
      'an attribute',
      'AppMetrics | where Name == "callgate.frames" and Properties.reason == ""',
      /reason is no/,
    ],
    ['a key that is computed', `${event} | project Properties[strcat("a", "b")]`, /has to be written/],
    ['a key under another name', `${event} | extend P = Properties | project P.reson`, /has to be written/],
    ['keys unpacked', `${event} | evaluate bag_unpack(Properties)`, /has to be written/],
    ['a measurement', `${event} | project Measurements.chekMs`, /chekMs is no key of Measurements/],
    ['a measurement of a metric', 'AppMetrics | project Measurements.checkMs', /'Measurements'/],
    ['a property for a measurement', `${event} | project Measurements.reason`, /reason is no key/],
    ['a value', `${event} and tostring(Properties.reason) !in ("no_tokn")`, /no_tokn is no value of reason/],
    ['a value of an open list', `${event} and tostring(Properties.status) == "401"`, /401 is no value/],
  ];
  for (const [what, text, fault] of wrong) {
    test(`wrong, ${what}: ${text.trim()}`, () => {
      assert.match(check(text).join('\n'), fault);
    });
  }

  test('each name in each query counts: with a letter more, it is wrong', () => {
    let tried = 0;
    for (const [file, text] of Object.entries(queries)) {
      const body = text.replaceAll(/^\/\/.*\n/gm, '');
      for (const { 0: word, index } of body.matchAll(
        /(?<=")[a-z]+[._][\w.]+(?=")|(?<=(?:Properties|Measurements)\.)\w+/g,
      )) {
        const changed = `${body.slice(0, index)}${word}x${body.slice(index + word.length)}`;
        assert.notDeepEqual(check(changed), [], `${file}: ${word}x`);
        tried += 1;
      }
    }
    assert.ok(tried > 40, `${tried} names`);
  });
});
