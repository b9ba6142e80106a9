import { type AcsClient, asAcsError } from './acs-client.ts';
import { type Ending, endings } from './endings.ts';
import type { Identity } from './identity.ts';
import { createTimers } from './timers.ts';

/** How long a call may be without media, in milliseconds. */
export interface MediaLimits {
  /** With its media stopped on purpose. */
  idleMs: number;
  /** From a drop to the request for new media. */
  askAgainMs: number;
  /** From a drop to giving the call up. */
  successorMs: number;
}

/**
 * What a call does while it has no media: after a drop it asks for it again, once, and is given up if none comes;
 * after a stop on purpose it goes on without, for a while.
 *
 * @param options.client undefined where this app can't ask anything of ACS
 * @param options.signal aborts when the call ends
 */
export function createMediaWatch(options: {
  client: AcsClient | undefined;
  identity: Identity;
  limits: MediaLimits;
  signal: AbortSignal;
  end: (ending: Ending) => void;
}) {
  const { client, identity, limits, signal, end } = options;
  const timers = createTimers<'askAgain' | 'successor' | 'idle'>();
  let stoppedOnPurpose = false;

  function goOnWithout() {
    timers.clearAll();
    timers.set('idle', limits.idleMs, () => end(endings.idle));
  }

  async function askAgain() {
    const { callConnectionId } = identity.ids;
    if (!client || !callConnectionId) return;
    try {
      const soon = AbortSignal.any([signal, AbortSignal.timeout(limits.successorMs)]);
      await identity.within(() => client.startMedia(callConnectionId, soon));
      identity.log.info('asked for media again');
    } catch (error) {
      const { status, code } = asAcsError(error);
      if (status === 404) end(endings.gone);
      else if (!signal.aborted) identity.log.warn({ status, code }, 'asked for media again, in vain');
    }
  }

  return {
    /** A socket is there. */
    connected() {
      stoppedOnPurpose = false;
      timers.clearAll();
    },
    /** The socket is gone, and no other has taken over. */
    dropped() {
      if (stoppedOnPurpose) return goOnWithout();
      timers.set('askAgain', limits.askAgainMs, askAgain);
      timers.set('successor', limits.successorMs, () => end(endings.mediaLost));
    },
    /** ACS says that media stopped, before the socket went, after, or without that. */
    stopped() {
      stoppedOnPurpose = true;
      goOnWithout();
    },
    /** A frame came: after a stop the call isn't idle as long as some do. */
    heard() {
      if (stoppedOnPurpose) goOnWithout();
    },
    /** ACS says that media started on the socket that is there. */
    started() {
      stoppedOnPurpose = false;
      timers.clear('idle');
    },
    close: timers.clearAll,
  };
}
