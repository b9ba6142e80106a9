import type { AcsClient } from './acs-client.ts';

/** A call's transfer to somebody else: one at a time. */
export function createTransfer() {
  let pending: PromiseWithResolvers<void> | undefined;

  return {
    /**
     * Asks for it, and waits for what ACS says of the other side.
     *
     * @throws {AcsError} when ACS refuses; {Error} when the other side doesn't take the call
     */
    async begin(client: AcsClient, callConnectionId: string, to: string, signal: AbortSignal) {
      if (pending) throw new Error('A transfer is under way');
      const outcome = Promise.withResolvers<void>();
      // ACS's event may come before its answer to the request, which the call's end then cuts off.
      pending = outcome;
      try {
        const accepted = client.transfer(callConnectionId, to, signal);
        await Promise.race([outcome.promise, accepted.then(() => outcome.promise)]);
      } finally {
        pending = undefined;
      }
    },
    succeed: () => pending?.resolve(),
    fail: (why: string) => pending?.reject(new Error(why)),
  };
}
