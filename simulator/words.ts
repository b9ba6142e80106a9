/** What is said in words, which the audio of a simulated caller doesn't hold. */
export interface Words {
  say(text: string): void;
  /** Hears what is said from now on, until the returned function is called. */
  listen(listener: (text: string) => void): () => void;
}

export function createWords(): Words {
  const listeners = new Set<(text: string) => void>();
  return {
    say(text) {
      for (const listener of listeners) listener(text);
    },
    listen(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
