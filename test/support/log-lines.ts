import { createArrivals } from './arrivals.ts';

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

/** @param limitMs how long `until` waits at most, in milliseconds */
export function createLogLines(limitMs: number): LogLines {
  const { all, add, until } = createArrivals<LogLine>({ limitMs, name: ({ msg }) => msg });
  let text = '';

  return {
    get text() {
      return text;
    },
    lines: all,
    add(written) {
      text += written;
      add(JSON.parse(written));
    },
    until(wanted) {
      if (typeof wanted !== 'string') return until(wanted);
      return until(({ msg }) => msg?.includes(wanted) === true, `'${wanted}'`);
    },
  };
}
