/** A clock that stands still until it is told to go on; what was scheduled runs on the way, in order. */
export function createManualClock() {
  let time = 1_000_000;
  let timers: { at: number; run: () => void }[] = [];

  return {
    now: () => time,
    schedule(run: () => void, ms: number) {
      const timer = { at: time + Math.max(0, ms), run };
      timers.push(timer);
      return () => {
        timers = timers.filter((other) => other !== timer);
      };
    },
    /** Timers that wait: a player that is idle has none. */
    get pending() {
      return timers.length;
    },
    advance(ms: number): void {
      const end = time + ms;
      for (;;) {
        const next = timers.toSorted((a, b) => a.at - b.at)[0];
        if (!next || next.at > end) break;
        timers = timers.filter((other) => other !== next);
        time = Math.max(time, next.at);
        next.run();
      }
      time = end;
    },
    /** Time passes and nothing runs: a process that was busy. */
    block(ms: number): void {
      time += ms;
    },
  };
}
