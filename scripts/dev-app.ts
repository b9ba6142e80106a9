import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import pretty from 'pino-pretty';

const root = join(import.meta.dirname, '..');

/** The app, in a process of its own. */
export interface AppProcess {
  /** Its exit code; a signal's is null. */
  readonly exited: Promise<number | null>;
  stop(): Promise<void>;
}

/**
 * Starts the app as `npm start` does, its log made readable.
 *
 * @param options.nodeOptions what node is told besides, such as `--watch`
 * @param options.env its whole environment
 * @param options.hide fields that its log leaves out
 * @param options.logTo file descriptor of the log: 1 or 2
 */
export function startApp({
  nodeOptions = [],
  env,
  hide = [],
  logTo = 1,
}: {
  nodeOptions?: string[];
  env: NodeJS.ProcessEnv;
  hide?: string[];
  logTo?: 1 | 2;
}): AppProcess {
  const child = spawn(process.execPath, [...nodeOptions, '--import', './src/telemetry.ts', 'src/main.ts'], {
    cwd: root,
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
    // A group of its own: a terminal's Ctrl-C reaches us alone, and the app gets one signal, not two.
    detached: process.platform !== 'win32',
  });
  const colorize = (logTo === 1 ? process.stdout : process.stderr).isTTY;
  child.stdout.pipe(
    pretty({
      destination: logTo,
      colorize,
      translateTime: 'SYS:HH:MM:ss',
      singleLine: true,
      ignore: hide.join(),
    }),
  );
  const exited = once(child, 'exit').then(([code]: (number | null)[]) => code ?? null);
  // Whatever ends this process, the app must not outlive it.
  process.once('exit', () => kill(child));
  return { exited, stop: () => stop(child, exited) };
}

/** Asks it to end; after 10 s, ends it and whatever it has started. */
async function stop(child: ChildProcess, exited: Promise<unknown>): Promise<void> {
  if (!runs(child)) return;
  child.kill('SIGTERM');
  const patience = new AbortController();
  const late = setTimeout(10_000, true, { signal: patience.signal }).catch(() => false);
  if (await Promise.race([exited.then(() => false), late])) kill(child);
  patience.abort();
  await exited;
}

const runs = ({ exitCode, signalCode }: ChildProcess) => exitCode === null && signalCode === null;

/** At once, with what it has started: under --watch the app is a child of the child. */
function kill(child: ChildProcess): void {
  if (!runs(child) || child.pid === undefined) return;
  if (process.platform === 'win32') child.kill('SIGKILL');
  else process.kill(-child.pid, 'SIGKILL');
}

/**
 * The environment of an app that takes the simulator for ACS, on top of this process's own. What would make it an app of
 * a real resource, or one on App Service, goes.
 */
export function localEnv(simulator: Record<string, string>, port: number): NodeJS.ProcessEnv {
  const { ACS_ENDPOINT, WEBSITE_HOSTNAME, WEBSITE_SITE_NAME, ...own } = process.env;
  return {
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
