import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { CallError, whenReady } from '../call-client.ts';
import { freePort, localEnv, root } from '../dev-app.ts';
import type { Look } from './look.ts';
import type { Tally } from './menu.ts';

/** The app in a process of its own, as `npm start` runs it, but for the probe that is loaded into it. */
export interface SoakedApp {
  readonly webhook: string;
  readonly port: number;
  readonly pid: number | undefined;
  /** Aborts when it ends. */
  readonly gone: AbortSignal;
  /** Starts it against a simulator. @param simulator the environment that makes it take that for ACS */
  start(simulator: Record<string, string>): Promise<void>;
  /** From here on the event loop's delay is measured. */
  begin(): void;
  /** @throws {CallError} it has ended */
  look(): Promise<Look>;
  /** How much memory the process has of the system, in bytes. @throws {CallError} it has ended */
  rss(): Promise<number>;
  /** Ends all connections on which nothing happens. Not while anybody may be about to use one. */
  hush(): void;
  /** Ends it as the platform does. @returns its exit code */
  stop(): Promise<number | null>;
  /** Ends it at once. */
  kill(): void;
}

export interface SoakedAppOptions {
  /** Gets each line of its log. */
  onLine: (line: string) => void;
  /** Gets each line that it writes to stderr, which is Node's own place for warnings. */
  onComplaint: (line: string) => void;
  onTally: (tally: Tally) => void;
}

const probe = join(import.meta.dirname, 'probe.ts');

/** What the probe answers, in the order in which it is asked, and what the handler says by itself. */
type Message = Look | number | Tally;

/** Finds a port for the app, which isn't started yet: the simulator wants to know where it will be. */
export async function prepareApp({ onLine, onComplaint, onTally }: SoakedAppOptions): Promise<SoakedApp> {
  const port = await freePort(0);
  if (port === undefined) throw new Error('no port is free on 127.0.0.1');
  const webhook = `http://127.0.0.1:${port}/api/incoming-call`;
  const asked: ((answer: unknown) => void)[] = [];
  const gone = new AbortController();
  let child: ChildProcess | undefined;
  let exited: Promise<number | null> | undefined;

  function take(message: Message) {
    if (typeof message === 'object' && 'echoed' in message) onTally(message);
    else asked.shift()?.(message);
  }

  /** What it doesn't hear since it has ended is noticed by that. */
  function tell(what: 'begin' | 'hush' | 'look' | 'rss') {
    if (child?.connected) child.send(what);
  }

  function ask<T>(what: 'look' | 'rss'): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    asked.push((answer) => resolve(answer as T)); // as the probe has it
    exited?.then((code) => {
      const how = code === null ? 'by a signal' : `with ${code}`;
      reject(new CallError(`The app ended ${how} in the middle of it.`));
    });
    tell(what);
    return promise;
  }

  return {
    webhook,
    port,
    get pid() {
      return child?.pid;
    },
    gone: gone.signal,
    async start(simulator) {
      const loads = ['--expose-gc', '--import', './src/telemetry.ts', '--import', probe];
      child = spawn(process.execPath, [...loads, 'src/main.ts'], {
        cwd: root,
        env: {
          ...localEnv(simulator, port),
          ...{ NODE_ENV: 'production', LOG_LEVEL: 'info', DRAIN_SECONDS: '100' },
          // What it does here is no telemetry of anyone's.
          APPLICATIONINSIGHTS_CONNECTION_STRING: '',
        },
        stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
        // A group of its own: a terminal's Ctrl-C ends the calls, and then the app.
        detached: process.platform !== 'win32',
      });
      const { stdout, stderr } = child;
      if (stdout) createInterface({ input: stdout }).on('line', onLine);
      if (stderr) createInterface({ input: stderr }).on('line', onComplaint);
      child.on('message', (message) => take(message as Message)); // nobody else sends any
      exited = once(child, 'close').then(([code]: (number | null)[]) => code ?? null);
      exited.then(() => gone.abort());
      await whenReady(webhook, { timeoutMs: 30_000, exited });
    },
    begin: () => tell('begin'),
    hush: () => tell('hush'),
    look: () => ask('look'),
    rss: () => ask('rss'),
    async stop() {
      child?.kill('SIGTERM');
      return (await exited) ?? null;
    },
    kill: () => void child?.kill('SIGKILL'),
  };
}
