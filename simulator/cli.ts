import { resolve } from 'node:path';
import { Command, InvalidArgumentError } from 'commander';

/** Where the simulator listens unless told otherwise. */
export const DEFAULT_PORT = 9000;

/** A command that npm runs: what is wrong with its options takes a line, and says where help is. */
export function createCommand(script: string): Command {
  const command = `npm run ${script} --`;
  return new Command(command).showHelpAfterError(`See ${command} --help`).configureOutput({
    outputError(text, write) {
      // All that npm leaves of `npm run call --seconds 3` is the 3.
      const isLeft = /too many arguments|command-argument/.test(text);
      write(
        isLeft ? `${text.trimEnd()} Do the options come after the dashes, as in ${command} --help?\n` : text,
      );
    },
  });
}

/** npm starts scripts in the project's folder; files are named from where the command was typed. */
export function fromHere(file: string): string {
  return resolve(process.env.INIT_CWD ?? '.', file);
}

/** A port from the command line. */
export function parsePort(value: string): number {
  const port = Number(value);
  if (/^\d{1,5}$/.test(value) && port <= 65_535) return port;
  throw new InvalidArgumentError('It has to be a port: a number from 0 to 65535.');
}

/** A whole number from the command line, within these bounds. */
export function parseCount(least: number, most: number) {
  return (value: string): number => {
    const count = Number(value);
    if (/^\d+$/.test(value) && count >= least && count <= most) return count;
    throw new InvalidArgumentError(`It has to be a whole number from ${least} to ${most}.`);
  };
}

/** How long, from the command line: parts of the unit too. */
export function parseDuration(unit: 'seconds' | 'minutes', most: number) {
  return (value: string): number => {
    const duration = Number(value);
    if (/^\d+(\.\d+)?$/.test(value) && duration > 0 && duration <= most) return duration;
    throw new InvalidArgumentError(`It has to be a number of ${unit} above 0, up to ${most}.`);
  };
}

/** A seed from the command line. */
export function parseSeed(value: string): number {
  if (/^\d{1,15}$/.test(value)) return Number(value);
  throw new InvalidArgumentError('It has to be a whole number of at most 15 digits.');
}

/** An http URL from the command line. */
export function parseUrl(value: string): string {
  if (/^https?:$/.test(URL.parse(value)?.protocol ?? '')) return value;
  throw new InvalidArgumentError('It has to be a URL that begins with http.');
}

/** Whether `listen` failed since something else has the port. */
export function isPortInUse(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'EADDRINUSE';
}

/** Calls `listener` at the first signal that asks the process to end. A second one ends it at once. */
export function onSignal(listener: () => void): void {
  let told = false;
  const stop = () => {
    if (told) process.exit(1);
    told = true;
    listener();
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, stop);
}

/** Resolves when the process is asked to end. */
export function untilSignal(): Promise<void> {
  return new Promise((resolve) => onSignal(resolve));
}
