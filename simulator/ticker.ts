/** Called on each tick with its number; ticks that were missed are told by the number's jump. */
export type TickListener = (tick: number) => void;

/** One clock for all calls. */
export interface Ticker {
  /** The number of the latest tick. */
  readonly tick: number;
  /** Calls `listener` on every tick until the returned function is called. */
  add(listener: TickListener): () => void;
  close(): void;
}

/**
 * A clock that doesn't drift: tick n is due at n periods after the start, however late the one before it came. One
 * timer serves all calls, since a timer per call costs more than the frames do, and it rests while nobody listens.
 *
 * @param options.periodMs length of a tick in milliseconds
 * @param options.clock monotonic clock in milliseconds
 */
export function createTicker({ periodMs = 20, clock = () => performance.now() } = {}): Ticker {
  const origin = clock();
  const listeners = new Set<TickListener>();
  let timer: NodeJS.Timeout | undefined;

  // Rounded, because Node's timers may fire up to a millisecond early: that tick would be taken for the one before.
  const current = () => Math.round((clock() - origin) / periodMs);

  function schedule() {
    timer = setTimeout(run, origin + (current() + 1) * periodMs - clock());
  }
  function run() {
    const tick = current();
    for (const listener of listeners) listener(tick);
    if (listeners.size > 0) schedule();
    else timer = undefined;
  }

  return {
    get tick() {
      return current();
    },
    add(listener) {
      listeners.add(listener);
      if (timer === undefined) schedule();
      return () => listeners.delete(listener);
    },
    close() {
      listeners.clear();
      clearTimeout(timer);
      timer = undefined;
    },
  };
}
