// The app as platforms run it, in a process of its own.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { TestContext } from 'node:test';
import { WebSocket } from 'ws';
import { createSimulator } from '../../simulator/simulator.ts';
import { freePort } from './free-port.ts';
import { createIssuer } from './issuer.ts';

const root = join(import.meta.dirname, '../..');

/** Starts it, or another program, in an environment that has nothing of this one's. It ends with the test. */
export function start(t: TestContext, env: Readonly<Record<string, string>>, program = 'src/main.ts') {
  const child = spawn(process.execPath, ['--import', './src/telemetry.ts', program], {
    cwd: root,
    env: { PATH: process.env.PATH, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  t.after(() => child.kill('SIGKILL'));
  const lines: Record<string, unknown>[] = [];
  const log = createInterface({ input: child.stdout });
  log.on('line', (line) => lines.push(JSON.parse(line)));

  const end = ended(child, lines);
  end.catch(() => {}); // whoever waits for a line sees it

  /** Resolves with the next line, and rejects if the process ends instead. */
  const nextLine = () => Promise.race([once(log, 'line'), end]);

  /** The first line with this message, be it there already or still to come. */
  async function said(message: string | RegExp): Promise<Record<string, unknown>> {
    for (;;) {
      const found = lines.find(({ msg }) => String(msg).match(message));
      if (found) return found;
      await nextLine();
    }
  }
  return { child, lines, nextLine, said };
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

/** Starts it, or another program, beside a local ACS, and waits until it is ready. */
export async function startBesideAcs(
  t: TestContext,
  env: Readonly<Record<string, string>> = {},
  program?: string,
) {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const simulator = await createSimulator({ app: `${url}/api/incoming-call` });
  t.after(() => simulator.close());
  const app = start(t, { ...simulator.env(), PORT: port, ...env }, program);
  await app.said(/^ready$/);
  return { ...app, url, simulator };
}

/** Starts it, or another program, as a gate alone, and waits until it is ready. */
export async function startBesideIssuer(
  t: TestContext,
  env: Readonly<Record<string, string>> = {},
  program?: string,
) {
  const issuer = await createIssuer();
  t.after(() => issuer.close());
  const acs = { ACS_AUDIENCE: issuer.audience, ACS_ISSUER: issuer.issuer };
  const app = start(t, { ...acs, CALL_BINDING: 'optional', PORT: '0', ...env }, program);
  const { port } = await app.said('listening');
  await app.said('ready');

  async function open() {
    const headers = { Authorization: `Bearer ${issuer.token()}` };
    const socket = new WebSocket(`ws://127.0.0.1:${port}/ws`, { headers });
    await once(socket, 'open');
    return socket;
  }
  return { ...app, port: Number(port), issuer, open };
}
