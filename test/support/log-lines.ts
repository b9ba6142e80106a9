export type LogLine = Record<string, unknown> & { msg?: string };

/** What was logged, and waiting for what will be. */
export interface LogLines {
  readonly text: string;
  readonly lines: readonly LogLine[];
  add(text: string): void;
  /**
   * The first line whose message holds these words, be it there already or still to come.
   *
   * @throws when it doesn't come in time, naming what came instead
   */
  until(words: string): Promise<LogLine>;
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
    until(words) {
      const there = lines.find((line) => line.msg?.includes(words));
      if (there) return Promise.resolve(there);
      const { promise, resolve, reject } = Promise.withResolvers<LogLine>();
      const offer = (line: LogLine) => {
        if (line.msg?.includes(words)) resolve(line);
      };
      const timer = setTimeout(
        () =>
          reject(new Error(`'${words}' wasn't logged; this was: ${lines.map(({ msg }) => msg).join('; ')}`)),
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
