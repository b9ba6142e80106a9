import { InvalidArgumentError } from 'commander';

/** Where the simulator listens unless told otherwise. */
export const DEFAULT_PORT = 9000;

/** A port from the command line. */
export function parsePort(value: string): number {
  const port = Number(value);
  if (/^\d{1,5}$/.test(value) && port <= 65_535) return port;
  throw new InvalidArgumentError('It has to be a port: a number from 0 to 65535.');
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
  const { promise, resolve } = Promise.withResolvers<void>();
  onSignal(resolve);
  return promise;
}
