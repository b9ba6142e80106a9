/** Called on each tick with its number, whose jumps tell of ticks that were missed, and when it was due. */
export type TickListener = (tick: number, dueAt: number) => void;

/** One clock for all calls. */
export interface Ticker {
  readonly periodMs: number;
  /** Calls `listener` on every tick until the returned function is called. */
  add(listener: TickListener): () => void;
  close(): void;
}

/**
 * A clock that doesn't drift: tick n is due at n periods after the start, however late the one before it came. One
 * timer serves all calls, since a timer per call costs more than its frames do, and it rests while nobody listens.
 * The calls take turns within a period: all at once they would wait for each other.
 *
 * @param options.periodMs length of a tick in milliseconds
 * @param options.turns how many turns a period has
 * @param options.clock monotonic clock in milliseconds
 * @param options.onTurn is told after each turn that had calls how long after its time the last of them was through,
 *   in milliseconds
 */
export function createTicker({
  periodMs = 20,
  turns = 4,
  clock = () => performance.now(),
  onTurn,
}: {
  periodMs?: number;
  turns?: number;
  clock?: () => number;
  onTurn?: ((lateMs: number) => void) | undefined;
} = {}): Ticker {
  const origin = clock();
  const groups = Array.from({ length: turns }, () => new Set<TickListener>());
  const turnMs = periodMs / turns;
  let timer: NodeJS.Timeout | undefined;
  let latest = 0;

  // Rounded, because Node's timers may fire up to a millisecond early: that turn would be taken for the one before.
  const current = () => Math.round((clock() - origin) / turnMs);
  const size = () => groups.reduce((sum, group) => sum + group.size, 0);

  function schedule() {
    timer = setTimeout(run, Math.max(0, origin + (latest + 1) * turnMs - clock()));
  }
  function take(turn: number) {
    const group = groups[turn % turns];
    if (!group || group.size === 0) return;
    for (const listener of group) listener(Math.floor(turn / turns), origin + turn * turnMs);
    const oldest = latest + 1 + ((turn - latest - 1) % turns); // after a stall its first one that was missed
    onTurn?.(clock() - (origin + oldest * turnMs));
  }
  function run() {
    const now = current();
    // Whoever's turn has come since, once: of ticks that were missed the number tells.
    for (let turn = Math.max(latest + 1, now - turns + 1); turn <= now; turn++) take(turn);
    latest = Math.max(latest, now);
    timer = undefined;
    if (size() > 0) schedule();
  }

  return {
    periodMs,
    add(listener) {
      const group = groups.reduce((fewest, other) => (other.size < fewest.size ? other : fewest));
      group.add(listener);
      if (timer === undefined) {
        latest = current();
        schedule();
      }
      return () => group.delete(listener);
    },
    close() {
      for (const group of groups) group.clear();
      clearTimeout(timer);
      timer = undefined;
    },
  };
}
