import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { resolve as resolvePath } from 'node:path';
import type { TestContext } from 'node:test';

/** A command that runs. */
export interface Running {
  /** Everything it has said so far. */
  readonly out: string;
  readonly err: string;
  /** Resolves when it has said that. Rejects if it ends first. */
  says(pattern: RegExp): Promise<void>;
  readonly exited: Promise<number | null>;
  kill(signal: NodeJS.Signals): void;
}

/** Runs a file of the project, or of a copy of it, with node. */
export function run(t: TestContext, file: string, args: string[] = [], env: NodeJS.ProcessEnv = {}): Running {
  // Without the dashes node takes an --env-file of the script for its own.
  const child = spawn(process.execPath, ['--', resolvePath(import.meta.dirname, '../..', file), ...args], {
    env: { ...process.env, ...env },
  });
  t.after(async () => {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM');
    await exited;
  });
  let out = '';
  let err = '';
  const heard = new Set<() => void>();
  child.stdout.on('data', (piece) => {
    out += piece;
    for (const listener of heard) listener();
  });
  child.stderr.on('data', (piece) => {
    err += piece;
    for (const listener of heard) listener();
  });
  const exited = once(child, 'close').then(([code]: (number | null)[]) => code ?? null);
  return {
    get out() {
      return out;
    },
    get err() {
      return err;
    },
    says(pattern) {
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      const check = () => pattern.test(out + err) && resolve();
      heard.add(check);
      check();
      exited.then((code) => reject(new Error(`ended with ${code}:\n${out}${err}`)));
      return promise;
    },
    exited,
    kill: (signal) => child.kill(signal),
  };
}
