import type { AcsClient } from './acs-client.ts';

/** A call's transfer to somebody else: one at a time. */
export interface Transfer {
  /**
   * Asks for it, and waits for what ACS says of the other side.
   *
   * @throws {AcsError} when ACS refuses; {Error} when the other side doesn't take the call
   */
  begin(client: AcsClient, callConnectionId: string, to: string, signal: AbortSignal): Promise<void>;
  succeed(): void;
  fail(why: string): void;
}

export function createTransfer(): Transfer {
  let pending: PromiseWithResolvers<void> | undefined;

  return {
    async begin(client, callConnectionId, to, signal) {
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
    fail: (why) => pending?.reject(new Error(why)),
  };
}
