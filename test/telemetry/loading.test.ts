import assert from 'node:assert/strict';
import { once } from 'node:events';
import { glob, readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { startIngestion } from './ingestion.ts';
import { run } from './program.ts';

const root = join(import.meta.dirname, '../..');
const packages = /node_modules\/(@opentelemetry|@azure\/monitor|applicationinsights|import-in-the-middle)/;

/** The app with a port that it can't have: it loads everything, logs and ends. */
async function startInVain(t: Parameters<typeof run>[0], env: Record<string, string>) {
  const taken = createServer().listen(0);
  await once(taken, 'listening');
  t.after(() => taken.close());
  const address = taken.address();
  const { stdout, stderr } = await run(t, 'src/main.ts', {
    ACS_AUDIENCE: '8d0f5c3e-4a53-4c1b-9c8e-0f1a2b3c4d5e',
    CALL_SIGNING_KEY: 'k'.repeat(32),
    PORT: String(typeof address === 'object' && address?.port),
    NODE_OPTIONS: '--import=./test/telemetry/record-modules.ts',
    ...env,
  });
  const lines = stdout.trim().split('\n');
  assert.match(lines.at(-1) ?? '', /cannot listen/);
  return {
    modules: stderr.split('\n'),
    warnings: lines.filter((line) => line.includes('APPLICATIONINSIGHTS')),
  };
}

describe('the packages of telemetry', () => {
  it('are not loaded without a connection string', async (t) => {
    const { modules, warnings } = await startInVain(t, {});
    assert.ok(modules.some((url) => url.endsWith('/src/main.ts')));
    assert.deepEqual(
      modules.filter((url) => packages.test(url)),
      [],
    );
    assert.deepEqual(warnings, []);
  });

  it('are not loaded with one that is malformed, of which one line tells', async (t) => {
    const { modules, warnings } = await startInVain(t, { APPLICATIONINSIGHTS_CONNECTION_STRING: 'nonsense' });
    assert.deepEqual(
      modules.filter((url) => packages.test(url)),
      [],
    );
    assert.equal(warnings.length, 1);
  });

  it('are loaded with one, without a word', async (t) => {
    const { env } = await startIngestion(t);
    const { modules, warnings } = await startInVain(t, env);
    assert.ok(modules.some((url) => packages.test(url)));
    assert.deepEqual(warnings, []);
  });

  it('share one copy of the API, in the versions that fit each other', async () => {
    const copies = await Array.fromAsync(
      glob('node_modules/**/@opentelemetry/api/package.json', { cwd: root }),
    );
    assert.equal(copies.length, 1, copies.join());
    const installed: { packages: Record<string, { version: string }> } = JSON.parse(
      await readFile(join(root, 'package-lock.json'), 'utf8'),
    );
    const version = (name: string) => installed.packages[`node_modules/@opentelemetry/${name}`]?.version;
    // With api 1.10 our spans and metrics do nothing, in silence; with express 0.72 the app doesn't load.
    assert.deepEqual(
      ['api', 'api-logs', 'instrumentation', 'instrumentation-express', 'instrumentation-undici'].map(
        version,
      ),
      ['1.9.1', '0.221.0', '0.221.0', '0.69.0', '0.31.0'],
    );
  });
});
