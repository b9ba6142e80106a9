// A run of the real app that gets no keys, and ends by an error that nobody handles.

import type { TestContext } from 'node:test';
import { freePort } from '../support/free-port.ts';
import { exitOf, start } from '../support/process.ts';
import { refusedUpgrade, visit } from './eventful-run.ts';
import { startIngestion } from './ingestion.ts';

/** It is told to end by an error with SIGUSR2. */
export async function startUnluckily(t: TestContext, env: Readonly<Record<string, string>>) {
  return start(t, {
    ...env,
    ACS_AUDIENCE: '8d0f5c3e-4a53-4c1b-9c8e-0f1a2b3c4d5e',
    ACS_JWKS_URL: `http://127.0.0.1:${await freePort()}/calling/keys`,
    PORT: '0',
    TELEMETRY_SAMPLING_RATIO: '0',
    NODE_OPTIONS: '--import=./test/support/fail-on-sigusr2.ts',
  });
}

/** None of its requests is sampled. @returns what arrived before its end, and all that did */
export async function runUnluckily(t: TestContext) {
  const ingestion = await startIngestion(t);
  const app = await startUnluckily(t, ingestion.env);
  const { port } = await app.said('listening');
  await app.said('signing keys not fetched');
  const url = `127.0.0.1:${port}`;
  // An event within a request, and one without.
  await visit(`http://${url}/api/callbacks`, { method: 'POST' });
  await refusedUpgrade(`ws://${url}/ws`, {});
  await ingestion.until(({ data }) => data.baseData.properties?.purpose === 'media');
  const meanwhile = [...ingestion.envelopes];
  app.child.kill('SIGUSR2');
  const exitCode = await exitOf(app.child);
  return { exitCode, meanwhile, envelopes: ingestion.envelopes, text: ingestion.text };
}
