// The app as platforms run it, in a process of its own.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { TestContext } from 'node:test';
import { createSimulator } from '../../simulator/simulator.ts';
import { freePort } from './free-port.ts';

const root = join(import.meta.dirname, '../..');

/** Starts it in an environment that has nothing of this one's. It ends with the test. */
export function start(t: TestContext, env: Readonly<Record<string, string>>) {
  const child = spawn(process.execPath, ['--import', './src/telemetry.ts', 'src/main.ts'], {
    cwd: root,
    env: { PATH: process.env.PATH, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  t.after(() => child.kill('SIGKILL'));
  const lines: Record<string, unknown>[] = [];
  const log = createInterface({ input: child.stdout });
  log.on('line', (line) => lines.push(JSON.parse(line)));

  /** The first line with this message, be it there already or still to come. */
  async function said(message: string | RegExp): Promise<Record<string, unknown>> {
    for (;;) {
      const found = lines.find(({ msg }) => String(msg).match(message));
      if (found) return found;
      await Promise.race([once(log, 'line'), ended(child, lines)]);
    }
  }
  return { child, lines, said };
}

async function ended(child: ChildProcess, lines: unknown[]): Promise<never> {
  const code = await exitOf(child);
  throw new Error(`the process ended with ${code} after saying ${JSON.stringify(lines)}`);
}

/** Resolves when it has ended; null if a signal ended it. */
export async function exitOf(child: ChildProcess): Promise<number | null> {
  if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
  const [code]: (number | null)[] = await once(child, 'exit');
  return code ?? null;
}

/** Starts it beside a local ACS, and waits until it is ready. */
export async function startBesideAcs(t: TestContext, env: Readonly<Record<string, string>> = {}) {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const simulator = await createSimulator({ app: `${url}/api/incoming-call` });
  t.after(() => simulator.close());
  const app = start(t, { ...simulator.env(), PORT: port, ...env });
  await app.said(/^ready$/);
  return { ...app, url, simulator };
}
