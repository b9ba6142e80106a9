import { event, msSince } from '../telemetry/event.ts';
import { type AcsClient, asAcsError } from './acs-client.ts';
import type { Identity } from './identity.ts';

/**
 * The hang-up that a call may owe ACS at its end.
 *
 * @param options.client undefined where this app can't ask anything of ACS
 * @param options.timeoutMs what a hang-up may take with all the SDK's retries
 * @param options.track told of the hang-up under way, which a stopping process waits for
 */
export function createHangUp(options: {
  client: AcsClient | undefined;
  identity: Identity;
  timeoutMs: number;
  track: (work: Promise<void>) => void;
}) {
  const { client, identity, timeoutMs, track } = options;
  const settled = Promise.withResolvers<void>();
  let owed = false;

  /** The SDK tries again what fails, but not what isn't answered: that it waits for to the end. */
  async function insist(acs: AcsClient, callConnectionId: string) {
    const deadline = AbortSignal.timeout(timeoutMs);
    for (;;) {
      try {
        return await acs.hangUp(callConnectionId, deadline, timeoutMs / 3);
      } catch (error) {
        if (deadline.aborted || !asAcsError(error).timedOut) throw error;
      }
    }
  }

  async function tell(acs: AcsClient, callConnectionId: string) {
    const begun = performance.now();
    const hungUp = () => event('call.hung_up', { hangUpMs: msSince(begun) });
    try {
      await identity.within(() => insist(acs, callConnectionId));
      identity.log.info(hungUp(), 'hung up');
    } catch (error) {
      const { status, code } = asAcsError(error);
      if (status === 404) identity.log.info(hungUp(), 'hung up: ACS had ended the call already');
      else {
        const failed = event('call.hang_up_failed', { status, code, hangUpMs: msSince(begun) });
        identity.log.error(failed, 'the hang-up failed: ACS may keep the call up');
      }
    }
    settled.resolve();
  }

  /** The call's id may be known now. */
  function retry() {
    const { callConnectionId } = identity.ids;
    if (!owed || !callConnectionId || !client) return;
    owed = false;
    track(tell(client, callConnectionId));
  }

  return {
    /** Resolves when ACS was told, or could not be, or nothing is owed. */
    settled: settled.promise,
    /** From now on ACS is to be told, as soon as the call's id is known. */
    owe() {
      if (!client) return settled.resolve();
      owed = true;
      retry();
      if (!owed) return;
      identity.log.debug('to be hung up as soon as ACS says which call this is');
      // That may never be: whoever waits for the hang-up waits no longer than for one that fails.
      setTimeout(settled.resolve, timeoutMs).unref();
    },
    /** Nothing is to be said: ACS knows that the call is over. */
    waive: () => settled.resolve(),
    retry,
  };
}
