import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { type Manner, startIngestion } from './ingestion.ts';
import { run } from './program.ts';

/** Runs a program that flushes one event to a service of that manner. */
async function flush(t: TestContext, manner: Manner, flushMs: number) {
  const ingestion = await startIngestion(t);
  ingestion.respond(manner);
  // Where the SDK keeps what it could not send.
  const folder = await mkdtemp(join(tmpdir(), 'callgate-telemetry-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const env = { ...ingestion.env, FLUSH_MS: String(flushMs), TMPDIR: folder };
  const { code, stdout, stderr } = await run(t, 'test/telemetry/ending.ts', env);
  assert.deepEqual([code, stderr], [0, '']);
  const { flushMs: took }: { flushMs: number } = JSON.parse(stdout);
  const names = ingestion.envelopes.map(({ data }) => data.baseData.name);
  const kept = (await readdir(folder, { recursive: true })).filter((name) => name.endsWith('.ai.json'));
  return { took, names, kept, requests: ingestion.requests };
}

describe('a flush', () => {
  it('sends what was gathered, long before its time is up', async (t) => {
    const { took, names } = await flush(t, 'accept', 20_000);
    assert.deepEqual(names, ['callgate.stopped']);
    assert.ok(took < 10_000, `${took} ms`);
  });

  it('gives up on a service that never answers', async (t) => {
    const { took, names } = await flush(t, 'hang', 300);
    assert.deepEqual(names, ['callgate.stopped'], 'it was asked');
    // The SDK would wait for more than 25 s.
    assert.ok(took < 10_000, `${took} ms`);
  });

  it('ends when the service turns down what it gets', async (t) => {
    const { took, kept } = await flush(t, 400, 20_000);
    assert.ok(took < 10_000, `${took} ms`);
    assert.deepEqual(kept, []);
  });

  it('keeps on disk what the service can take later, long before its time is up', async (t) => {
    const { took, kept, requests } = await flush(t, 503, 20_000);
    assert.ok(took < 10_000, `${took} ms`);
    assert.deepEqual([kept.length, requests], [1, 1]);
  });
});
