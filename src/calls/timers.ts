/** The longest that setTimeout knows, in milliseconds (24.8 days): more would fire at once. */
export const longestTimeout = 2 ** 31 - 1;

/** Timers with names, of which each runs once at a time, all cleared together. */
export function createTimers<Name extends string>() {
  const running = new Map<Name, NodeJS.Timeout>();

  function clear(...names: Name[]) {
    for (const name of names) {
      clearTimeout(running.get(name));
      running.delete(name);
    }
  }

  return {
    /** Starts a timer, or starts it anew. @param ms delay in milliseconds */
    set(name: Name, ms: number, run: () => void) {
      clear(name);
      const fire = () => {
        running.delete(name);
        run();
      };
      running.set(name, setTimeout(fire, Math.min(Math.max(ms, 0), longestTimeout)));
    },
    clear,
    clearAll: () => clear(...running.keys()),
  };
}
