import { mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { Simulator, SimulatorOptions } from '../../../simulator/simulator.ts';
import { createSimulator } from '../../../simulator/simulator.ts';
import { type Running, run } from '../../scripts/support.ts';
import { freePort } from '../../support/free-port.ts';

const root = new URL('../../../', import.meta.url);

/** The app that the simulator's README shows, word for word. */
export async function readmeApp(): Promise<string> {
  const readme = await readFile(new URL('simulator/README.md', root), 'utf8');
  return /```js\n(.*?)```/s.exec(readme)?.[1] ?? '';
}

/** Runs it as a process of its own, which has nothing but the environment that a simulator prints. */
export async function startReadmeApp(t: TestContext, env: Record<string, string>): Promise<Running> {
  const folder = await mkdtemp(join(tmpdir(), 'callgate-readme-'));
  t.after(() => rm(folder, { recursive: true }));
  await symlink(new URL('node_modules', root), join(folder, 'node_modules'));
  const file = join(folder, 'app.mjs');
  await writeFile(file, await readmeApp());
  const app = run(t, file, [], env);
  await app.says(/takes calls/);
  return app;
}

/** That app, and a simulator in this process, in which a call goes ten times as fast as in the world, and rings more shortly still. */
export async function simulatorWithApp(
  t: TestContext,
  options: SimulatorOptions = {},
): Promise<{ simulator: Simulator; app: Running }> {
  const app = `http://127.0.0.1:${await freePort()}/api/incoming-call`;
  const simulator = await createSimulator({
    ...{ app, frameMs: 2, keyMs: 1, ringMs: 300, graceMs: 200, eventGridRetryMs: [] },
    ...options,
  });
  t.after(() => simulator.close());
  return { simulator, app: await startReadmeApp(t, simulator.env()) };
}
