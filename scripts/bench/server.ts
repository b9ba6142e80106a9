import type { ChildProcess } from 'node:child_process';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import type { Processors } from './processors.ts';

/** A server that is measured, in a process of its own. */
export interface MeasuredServer {
  readonly port: number;
  readonly pid: number | undefined;
  /** From when its process was made until it took a connection, and until it was ready, in milliseconds. */
  readonly started: { readonly listeningMs: number; readonly readyMs: number };
  /** What its process has used of processors by now, all threads together, in microseconds. */
  usedMicroseconds(): Promise<number>;
  /** What its process and its objects take when its garbage is gone, in bytes. */
  readMemory(): Promise<Memory>;
  stop(): Promise<void>;
}

export interface Memory {
  /** What the system has given to the process. */
  rss: number;
  /** JavaScript's objects, and what they hold outside of its heap. */
  heap: number;
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

/** How often it is asked whether it listens, and then whether it is ready, in milliseconds. */
const askMs = 2;

/**
 * Starts a server on the processor that is set apart for what is measured.
 *
 * @returns once it is ready
 * @throws {Error} if it ends before
 */
export async function startServer(options: ServerOptions): Promise<MeasuredServer> {
  const { file, imports = [], env, port, parted } = options;
  const loads = ['--expose-gc', ...[...imports, usage].flatMap((name) => ['--import', name])];
  const pinned = parted && {
    execPath: 'taskset',
    execArgv: ['-c', parted.other, process.execPath, ...loads],
  };
  // Its log is written, and read by nobody: reading would be work for the load's processor.
  const stdio = ['ignore', 'ignore', 'inherit', 'ipc'] as const;
  const begun = performance.now();
  const child = fork(file, { execArgv: loads, ...pinned, env, stdio: [...stdio] });
  const exited = once(child, 'exit');
  const ended = exited.then(([code]) => Promise.reject(new Error(`${file} ended with ${code}`)));
  ended.catch(() => {}); // in the end it does, and nobody waits for it
  const whenDone = async (isDone: (port: number) => Promise<boolean>) => {
    await Promise.race([untilDone(child, () => isDone(port)), ended]);
    return performance.now() - begun;
  };
  const listeningMs = await whenDone(isListening);
  const readyMs = await whenDone(isReady);
  return {
    port,
    pid: child.pid,
    started: { listeningMs, readyMs },
    usedMicroseconds: async () => (await Promise.race([ask(child, 'usage'), ended])).microseconds,
    readMemory: async () => (await Promise.race([ask(child, 'memory'), ended])).memory,
    async stop() {
      if (child.connected) child.disconnect();
      await exited;
    },
  };
}

async function ask(child: ChildProcess, what: 'usage' | 'memory') {
  const answer = once(child, 'message');
  child.send(what);
  const [told]: { microseconds: number; memory: Memory }[] = await answer;
  if (told === undefined) throw new Error('a server told nothing of itself');
  return told;
}

async function untilDone(child: ChildProcess, isDone: () => Promise<boolean>): Promise<void> {
  while (child.exitCode === null && child.signalCode === null && !(await isDone())) await setTimeout(askMs);
}

async function isListening(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  const isTaken = await once(socket, 'connect').then(
    () => true,
    () => false,
  );
  socket.destroy();
  return isTaken;
}

async function isReady(port: number): Promise<boolean> {
  const response = await fetch(`http://127.0.0.1:${port}/readyz`).catch(() => undefined);
  await response?.body?.cancel();
  return response?.ok ?? false;
}
