// Whatever becomes of telemetry, calls go on, and the process ends in time.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, it, type TestContext } from 'node:test';
import { freePort } from '../support/free-port.ts';
import { exitOf, startBesideAcs } from '../support/process.ts';
import { startIngestion } from './ingestion.ts';

/** Far more than a flush may take (3 s), and less than a client's own patience with a silent server. */
const inTimeMs = 15_000;

/**
 * A call on the app, and its end by SIGTERM.
 *
 * @param meanwhile what has to happen before that
 * @returns the files that are kept, to be sent by the next process
 */
async function callAndStop(t: TestContext, env: Record<string, string>, meanwhile?: Promise<unknown>) {
  // Where the SDK keeps what it could not send.
  const folder = await mkdtemp(join(tmpdir(), 'callgate-telemetry-'));
  t.after(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }));
  const { child, simulator } = await startBesideAcs(t, { ...env, TMPDIR: folder });
  const stderr = text(child.stderr);
  const call = simulator.placeCall({ seconds: 1 });
  const [{ media }] = await Promise.all([call.ended, meanwhile]);
  assert.ok(media && media.returned >= 25, `${media?.returned} frames came back`);
  assert.equal(media.lost, 0);

  const begun = performance.now();
  child.kill('SIGTERM');
  assert.equal(await exitOf(child), 0);
  const took = performance.now() - begun;
  assert.ok(took < inTimeMs, `it took ${took} ms to end`);
  assert.equal(await stderr, '');
  const files = await readdir(folder, { recursive: true });
  return files.filter((name) => name.endsWith('.ai.json'));
}

describe('with an ingestion service that', { concurrency: 2 }, () => {
  it('is not there, calls go on and the process ends', async (t) => {
    const { env } = await startIngestion(t);
    const nobody = `IngestionEndpoint=http://127.0.0.1:${await freePort()}/`;
    const kept = await callAndStop(t, {
      ...env,
      APPLICATIONINSIGHTS_CONNECTION_STRING: `InstrumentationKey=${randomUUID()};${nobody}`,
    });
    assert.ok(kept.length > 0, 'there was something to send');
  });

  for (const manner of ['hang', 400, 503] as const) {
    it(`does this: ${manner}, calls go on and the process ends`, async (t) => {
      const ingestion = await startIngestion(t);
      ingestion.respond(manner);
      const failed = ingestion.until(({ data }) => data.baseData.name === 'call.answered');
      await callAndStop(t, { ...ingestion.env }, manner === 'hang' ? undefined : failed);
      assert.ok(ingestion.requests > 0);
    });
  }
});
