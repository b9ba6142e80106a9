import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout } from 'node:timers/promises';
import { prettyFactory } from 'pino-pretty';

/** Where the project is. */
export const root = join(import.meta.dirname, '..');

/** The app, in a process of its own. */
export interface AppProcess {
  /** Its exit code, once its log is read to the end; a signal's is null. */
  readonly exited: Promise<number | null>;
  /** Asks it to end; after `patienceMs` (10 000), ends it and whatever it has started. */
  stop(patienceMs?: number): Promise<void>;
}

/**
 * Starts the app as `npm start` does, its log made readable.
 *
 * @param options.env its whole environment
 * @param options.envFile a file with more of it
 * @param options.hide fields that its log leaves out
 * @param options.log where its log goes
 */
export function startApp({
  env,
  envFile,
  hide = [],
  log = process.stdout,
}: {
  env: NodeJS.ProcessEnv;
  envFile?: string;
  hide?: string[];
  log?: NodeJS.WriteStream;
}): AppProcess {
  const settings = envFile === undefined ? [] : [`--env-file=${envFile}`];
  const child = spawn(process.execPath, [...settings, '--import', './src/telemetry.ts', 'src/main.ts'], {
    cwd: root,
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
    // A group of its own: a terminal's Ctrl-C reaches us alone, and the app gets one signal, not two.
    detached: process.platform !== 'win32',
  });
  const colorize = log.isTTY;
  const format = prettyFactory({
    colorize,
    translateTime: 'SYS:HH:MM:ss',
    singleLine: true,
    ignore: hide.join(),
  });
  // pino-pretty leaves a space where the lines of an error follow.
  createInterface({ input: child.stdout }).on('line', (line) => log.write(format(line).replace(' \n', '\n')));
  // Whatever ends this process, the app must not outlive it.
  const end = () => kill(child);
  process.on('exit', end);
  child.on('exit', () => process.off('exit', end));
  const exited = once(child, 'close').then(([code]: (number | null)[]) => code ?? null);
  return { exited, stop: (patienceMs = 10_000) => stop(child, patienceMs) };
}

async function stop(child: ChildProcess, patienceMs: number): Promise<void> {
  if (!runs(child)) return;
  const gone = once(child, 'exit');
  child.kill('SIGTERM');
  const patience = new AbortController();
  const late = setTimeout(patienceMs, true, { signal: patience.signal }).catch(() => false);
  if (await Promise.race([gone.then(() => false), late])) kill(child);
  patience.abort();
  await gone;
}

const runs = ({ exitCode, signalCode }: ChildProcess) => exitCode === null && signalCode === null;

/** At once, with what it has started. */
function kill(child: ChildProcess): void {
  if (!runs(child) || child.pid === undefined) return;
  if (process.platform === 'win32') child.kill('SIGKILL');
  else process.kill(-child.pid, 'SIGKILL');
}

/**
 * The environment of an app that takes the simulator for ACS, on top of this process's own. What would make it an app of
 * a real resource, or one on App Service, goes. A restart ends calls: nobody waits for them.
 */
export function localEnv(simulator: Record<string, string>, port: number): NodeJS.ProcessEnv {
  const { ACS_ENDPOINT, WEBSITE_HOSTNAME, WEBSITE_SITE_NAME, ...own } = process.env;
  return {
    CALL_SIGNING_KEY: randomBytes(32).toString('base64url'),
    ...own,
    ...simulator,
    PORT: String(port),
    PUBLIC_URL: `http://127.0.0.1:${port}`,
    DRAIN_SECONDS: '0',
  };
}

/** Whether a port on 127.0.0.1 can be had. With 0: which one can. */
export async function freePort(port: number): Promise<number | undefined> {
  const server = createServer().listen(port, '127.0.0.1');
  try {
    await once(server, 'listening');
  } catch {
    return undefined;
  }
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' ? address?.port : undefined;
}
