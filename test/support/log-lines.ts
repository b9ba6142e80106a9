export type LogLine = Record<string, unknown> & { msg?: string };

/** What was logged, and waiting for what will be. */
export interface LogLines {
  readonly text: string;
  readonly lines: readonly LogLine[];
  add(text: string): void;
  /**
   * The first line whose message holds these words, or that is wanted, be it there already or still to come.
   *
   * @throws when it doesn't come in time, naming what came instead
   */
  until(wanted: string | ((line: LogLine) => boolean)): Promise<LogLine>;
}

/** @param waitMs how long `until` waits, in milliseconds */
export function createLogLines(waitMs: number): LogLines {
  const lines: LogLine[] = [];
  const waiting = new Set<(line: LogLine) => void>();
  let text = '';

  return {
    get text() {
      return text;
    },
    lines,
    add(written) {
      text += written;
      const line: LogLine = JSON.parse(written);
      lines.push(line);
      for (const offer of waiting) offer(line);
    },
    until(wanted) {
      const matches =
        typeof wanted === 'string' ? ({ msg }: LogLine) => msg?.includes(wanted) === true : wanted;
      const there = lines.find(matches);
      if (there) return Promise.resolve(there);
      const { promise, resolve, reject } = Promise.withResolvers<LogLine>();
      const offer = (line: LogLine) => {
        if (matches(line)) resolve(line);
      };
      const timer = setTimeout(
        () =>
          reject(new Error(`'${wanted}' wasn't logged; this was: ${lines.map(({ msg }) => msg).join('; ')}`)),
        waitMs,
      );
      waiting.add(offer);
      return promise.finally(() => {
        clearTimeout(timer);
        waiting.delete(offer);
      });
    },
  };
}
