import type { Binding } from '../auth/binding.ts';
import type { CallTags } from '../telemetry/telemetry.ts';
import type { CallControl, CallOptions } from './call-control.ts';
import { type Ending, endings } from './endings.ts';

/** What is known of a call that is announced. */
export type Announced = Pick<CallOptions, 'from' | 'to' | 'announced'>;

/**
 * What is remembered of calls that are not there any more.
 *
 * @param options.keepMs for how long after answering, in milliseconds
 * @param options.keepUnanswered of how many that ACS gave no sign of having answered
 * @param options.now clock in milliseconds
 */
export function createPastCalls(options: { keepMs: number; keepUnanswered?: number; now: () => number }) {
  const { keepMs, keepUnanswered = 1_000, now } = options;
  const over = new Map<string, { issuedAt: number; tags: CallTags; owing: CallControl | undefined }>();
  const unanswered = new Map<string, Announced>();

  return {
    /** A call ended. */
    add(call: CallControl, { callId, issuedAt }: Binding, ending: Ending, announced: Announced) {
      for (const [old, { issuedAt }] of over) {
        if (now() - issuedAt > keepMs) over.delete(old);
      }
      if (ending === endings.unanswered) {
        unanswered.set(callId, announced);
        const [oldest] = unanswered.keys();
        if (unanswered.size > keepUnanswered && oldest !== undefined) unanswered.delete(oldest);
        return;
      }
      // ACS is still to be told of this end, as soon as it says which call this is.
      const owing = ending.hangUp && call.tags.callConnectionId === undefined ? call : undefined;
      over.set(callId, { issuedAt, tags: call.tags, owing });
    },

    /** A call that is over for good. */
    find: (callId: string) => over.get(callId),

    /**
     * Takes out a call that was given up on. A late sign of its answer may still come: it is let in like one that
     * another instance answered.
     *
     * @returns what was known of it; undefined where there is no such call
     */
    takeUnanswered(callId: string): Announced | undefined {
      const announced = unanswered.get(callId);
      unanswered.delete(callId);
      return announced;
    },
  };
}
