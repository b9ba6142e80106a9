import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createSimulator } from '../../simulator/simulator.ts';
import { startApp } from './support/app.ts';

test('a call, end to end', async (t) => {
  const simulator = await createSimulator();
  t.after(() => simulator.close());
  const app = await startApp(t, simulator);
  const call = simulator.placeCall({ app: app.webhook, seconds: 1, digits: '1#' });
  const report = await call.ended;
  console.log(report);
  assert.equal(report.media?.lost, 0);
});
