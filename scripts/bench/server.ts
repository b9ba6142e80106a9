import type { ChildProcess } from 'node:child_process';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import type { Processors } from './processors.ts';

/** A server that is measured, in a process of its own. */
export interface MeasuredServer {
  readonly port: number;
  readonly pid: number | undefined;
  /** What its process has used of processors by now, all threads together, in microseconds. */
  usedMicroseconds(): Promise<number>;
  stop(): Promise<void>;
}

export interface ServerOptions {
  /** The file to run, and those that are loaded before it. */
  file: string;
  imports?: readonly string[];
  /** Its whole environment. */
  env: NodeJS.ProcessEnv;
  /** Where it is to listen, on 127.0.0.1; it answers GET /readyz with 200 once it can be measured. */
  port: number;
  parted: Processors | undefined;
}

const usage = join(import.meta.dirname, 'usage.ts');

/** How often it is asked whether it is ready, in milliseconds. */
const askMs = 50;

/**
 * Starts a server on the processor that is set apart for what is measured.
 *
 * @returns once it is ready
 * @throws {Error} if it ends before
 */
export async function startServer(options: ServerOptions): Promise<MeasuredServer> {
  const { file, imports = [], env, port, parted } = options;
  const loads = [...imports, usage].flatMap((name) => ['--import', name]);
  const pinned = parted && {
    execPath: 'taskset',
    execArgv: ['-c', parted.other, process.execPath, ...loads],
  };
  // Its log is written, and read by nobody: reading would be work for the load's processor.
  const stdio = ['ignore', 'ignore', 'inherit', 'ipc'] as const;
  const child = fork(file, { execArgv: loads, ...pinned, env, stdio: [...stdio] });
  const exited = once(child, 'exit');
  await Promise.race([
    untilReady(child, port),
    exited.then(([code]) => Promise.reject(new Error(`${file} ended with ${code}`))),
  ]);
  return {
    port,
    pid: child.pid,
    usedMicroseconds: () => askUsage(child),
    async stop() {
      if (child.connected) child.disconnect();
      await exited;
    },
  };
}

async function askUsage(child: ChildProcess): Promise<number> {
  const answer = once(child, 'message');
  child.send('usage');
  const [{ microseconds }] = await answer;
  return microseconds;
}

async function untilReady(child: ChildProcess, port: number): Promise<void> {
  while (child.exitCode === null && child.signalCode === null) {
    const response = await fetch(`http://127.0.0.1:${port}/readyz`).catch(() => undefined);
    await response?.body?.cancel();
    if (response?.ok) return;
    await setTimeout(askMs);
  }
}
