/** What is said in words, which the audio of a simulated caller doesn't hold. */
export interface Words {
  say(text: string): void;
  /** Somebody asks: the next answer that was prepared is said, if there is one left. */
  ask(): void;
  /** Hears what is said from now on, until the returned function is called. */
  listen(listener: (text: string) => void): () => void;
}

/** @param answers what to say when asked, in order */
export function createWords(answers: readonly string[] = []): Words {
  const listeners = new Set<(text: string) => void>();
  const left = [...answers];

  function say(text: string) {
    for (const listener of listeners) listener(text);
  }

  return {
    say,
    ask() {
      const answer = left.shift();
      if (answer !== undefined) say(answer);
    },
    listen(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
