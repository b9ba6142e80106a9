import assert from 'node:assert/strict';
import { test } from 'node:test';
import { exitOf } from '../support/process.ts';
import { startIngestion } from './ingestion.ts';
import { nameOf, propertiesOf, tableOf } from './received.ts';
import { runUnluckily, startUnluckily } from './unlucky-run.ts';

test('the app that crashes', async (t) => {
  const { exitCode, meanwhile, envelopes, text } = await runUnluckily(t);
  const named = (table: string) => envelopes.filter((each) => tableOf(each) === table).map(nameOf);

  await t.test('has sent its events as they happened', () => {
    const told = meanwhile.map(nameOf);
    for (const name of ['callgate.started', 'keys.failed']) assert.ok(told.includes(name), name);
  });

  await t.test('sends its last ones before it ends with 1, and of the error no message', () => {
    assert.equal(exitCode, 1);
    assert.ok(named('AppEvents').includes('callgate.crashed'));
    const [exception, ...others] = envelopes.filter((each) => tableOf(each) === 'AppExceptions');
    assert.ok(exception && others.length === 0);
    const [{ typeName, stack } = {}] = exception.data.baseData.exceptions ?? [];
    assert.equal(typeName, 'Error');
    assert.match(stack ?? '', /fail-on-sigusr2\.ts/);
    assert.doesNotMatch(text, /nobody catches this/);
  });

  await t.test('with a sampling ratio of 0 sends no request, all events and each count', () => {
    assert.deepEqual([...named('AppRequests'), ...named('AppDependencies')], []);
    const refused = envelopes.filter((each) => nameOf(each) === 'request.refused');
    const told = refused.map(propertiesOf).map(({ purpose, reason }) => `${purpose}: ${reason}`);
    assert.deepEqual(told.sort(), ['events: no_token', 'media: no_token']);
    assert.ok(named('AppMetrics').includes('callgate.upgrades'));
  });
});

test('the app that crashes while nobody takes its telemetry ends with 1 too, and in time', async (t) => {
  const ingestion = await startIngestion(t);
  ingestion.respond('hang');
  const app = await startUnluckily(t, ingestion.env);
  await app.said('listening');
  const begun = performance.now();
  app.child.kill('SIGUSR2');
  assert.equal(await exitOf(app.child), 1);
  const took = performance.now() - begun;
  // Far more than a flush may take (3 s), and less than the SDK would wait.
  assert.ok(took < 15_000, `${took} ms`);
});
