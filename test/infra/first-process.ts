// A process as the first of its PID namespace: what a container's start command is.

import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { createLogLines, type LogLines } from '../support/log-lines.ts';

/** With root's rights, and without, where the system lets anyone be root of a namespace of their own. */
const ways = [
  ['--fork', '--pid', '--mount-proc'],
  ['--user', '--map-root-user', '--fork', '--pid', '--mount-proc'],
];

function wayThatWorks(): string[] | undefined {
  return ways.find((flags) => {
    try {
      execFileSync('unshare', [...flags, 'true'], { stdio: 'ignore' });
      return true;
    } catch {
      return false;
    }
  });
}

/**
 * Why no process can be the first of a namespace here; false if one can.
 *
 * @throws {Error} instead, with REQUIRE_UNSHARE set: a gate must not pass because half of it was left out
 */
export function unshareMissing(): string | false {
  if (wayThatWorks()) return false;
  const reason =
    'NOT TESTED: how the app starts and stops on App Service needs PID namespaces (unshare, Linux)';
  if (process.env.REQUIRE_UNSHARE) throw new Error(reason);
  console.error(reason);
  return reason;
}

/** A shell script in a namespace of its own, and the JSON log of what it starts. */
export interface FirstProcess {
  readonly log: LogLines;
  /** To PID 1 itself, as a container gets it: without a handler there, it is lost. */
  signal(name: NodeJS.Signals): void;
  readonly exited: Promise<number | null>;
  /** Ends all of the namespace. */
  kill(): Promise<void>;
}

/**
 * @param script file that /bin/sh runs as PID 1
 * @param env the whole environment
 */
export function startFirst(script: string, env: NodeJS.ProcessEnv): FirstProcess {
  const flags = wayThatWorks() ?? [];
  const child = spawn('unshare', [...flags, '--kill-child=SIGKILL', '/bin/sh', script], {
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const log = createLogLines(20_000);
  createInterface({ input: child.stdout }).on('line', (line) => log.add(line));
  const exited = once(child, 'exit').then(([code]: (number | null)[]) => code ?? null);
  return {
    log,
    signal: (name) => process.kill(childOf(child), name),
    exited,
    async kill() {
      child.kill('SIGKILL');
      await exited;
    },
  };
}

/** Outside, PID 1 of the namespace is an ordinary child of unshare. */
function childOf({ pid }: ChildProcess): number {
  return Number(readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim());
}
