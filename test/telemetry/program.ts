import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import type { TestContext } from 'node:test';

const root = join(import.meta.dirname, '../..');

/** Runs a program with src/telemetry.ts before it, in an environment that has nothing of this one's. */
export async function run(t: TestContext, program: string, env: Readonly<Record<string, string>>) {
  const child = spawn(process.execPath, ['--import', './src/telemetry.ts', program], {
    cwd: root,
    env: { PATH: process.env.PATH, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  t.after(() => child.kill('SIGKILL'));
  const [stdout, stderr, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'exit'),
  ]);
  return { stdout, stderr, code };
}
