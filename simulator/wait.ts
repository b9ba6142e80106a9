/** The longest that Node's timers take, in milliseconds: 24 days. At more they fire at once. */
export const maxWaitMs = 2 ** 31 - 1;

/** Waits for so many milliseconds, or until `signal` fires. Never rejects. */
export function wait(ms: number, signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const done = () => {
    clearTimeout(timer);
    signal.removeEventListener('abort', done);
    resolve();
  };
  const timer = setTimeout(done, Math.min(ms, maxWaitMs));
  signal.addEventListener('abort', done);
  if (signal.aborted) done();
  return promise;
}
