import type { LevelWithSilent, Logger } from 'pino';
import { pino } from 'pino';

export type { LevelWithSilent, Logger };

/**
 * The log: one JSON line per event on stdout. Nothing secret or personal goes in: no tokens, keys, bindings,
 * phone numbers, call contexts, audio, transcripts or pressed keys; URLs are routes.
 *
 * @param level of what goes to stdout: trace, debug, info, warn, error, fatal or silent
 * @param records where the lines at info and above go too, whatever the level
 */
export function createLog(level: LevelWithSilent, records?: { write(line: string): void }): Logger {
  const options = {
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
  };
  if (!records) return pino({ level, ...options });
  const isVerbose = level === 'trace' || level === 'debug';
  return pino(
    { level: isVerbose ? level : 'info', ...options },
    pino.multistream([
      { level: 'info', stream: records },
      ...(level === 'silent' ? [] : [{ level, stream: pino.destination(1) }]),
    ]),
  );
}

/**
 * What the log may say of an error, and of what caused it: all, but for errors of the Azure SDK, whose messages can
 * repeat the request and with it secrets.
 */
export function describeError(error: unknown, depth = 3): Record<string, unknown> {
  if (!(error instanceof Error)) return { name: typeof error };
  const { name, message, stack, cause } = error;
  const code = 'code' in error ? error.code : undefined;
  const because = cause instanceof Error && depth > 0 ? { cause: describeError(cause, depth - 1) } : {};
  if (!('statusCode' in error) && !('request' in error)) return { name, message, code, stack, ...because };
  const statusCode = 'statusCode' in error ? error.statusCode : undefined;
  const frames = stack?.split('\n').filter((line) => /^\s+at /.test(line));
  return { name, code, statusCode, stack: frames?.join('\n'), ...because };
}

/**
 * A bound on log lines that a stranger can cause: at most `burst` of a kind in each window. The first line of a
 * later window says how many were held back. Kinds are a closed list of the caller's, never input.
 *
 * @param options.burst lines of one kind in a window
 * @param options.windowMs length of a window in milliseconds
 * @param options.now monotonic clock in milliseconds
 * @returns undefined where no line may be written now, else what goes into it
 */
export function createLogLimiter({ burst = 50, windowMs = 10_000, now = () => performance.now() } = {}) {
  const windows = new Map<string, { start: number; lines: number; suppressed: number }>();
  return (kind: string): { suppressed?: number } | undefined => {
    const time = now();
    const open = windows.get(kind);
    if (open && time - open.start < windowMs) {
      if (open.lines < burst) {
        open.lines += 1;
        return {};
      }
      open.suppressed += 1;
      return undefined;
    }
    windows.set(kind, { start: time, lines: 1, suppressed: 0 });
    return open?.suppressed ? { suppressed: open.suppressed } : {};
  };
}
