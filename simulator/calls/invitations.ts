import { randomUUID } from 'node:crypto';
import type { Result } from '../events/callbacks.ts';
import { results } from '../events/results.ts';
import { isForeign } from '../rest/caller-id.ts';
import type { Said } from '../rest/operation.ts';
import { wait } from '../wait.ts';
import type { Identifier } from './identifiers.ts';
import type { Roster } from './roster.ts';

/** What somebody does who is asked into a call. */
export const invitationOutcomes = ['accepted', 'declined', 'busy', 'unanswered'] as const;
export type InvitationOutcome = (typeof invitationOutcomes)[number];

export interface Invitation {
  participant: Identifier;
  /** The number that somebody on the telephone sees. */
  callerId: string | undefined;
  /** How long it may ring. */
  seconds: number;
}

/** Those who are asked into a call. */
export interface Invitations {
  /** Asks somebody. The function rings, and posts what came of it. */
  invite(wanted: Invitation, said: Said): { invitationId: string; ring: () => void };
  /** Takes an invitation back while it rings, and posts whether it could be. */
  cancel(invitationId: string, said: Said): void;
}

/**
 * @param options.frameMs what 20 ms of ringing take, in milliseconds
 * @param options.outcome what becomes of each invitation
 * @param options.numbers the phone numbers of the resource
 */
export function createInvitations({
  frameMs,
  over,
  outcome,
  numbers,
  roster,
  push,
}: {
  frameMs: number;
  over: AbortSignal;
  outcome: InvitationOutcome;
  numbers: readonly string[];
  roster: Roster;
  push: (type: string, data: object, result?: Result) => Promise<void>;
}): Invitations {
  const ringing = new Map<string, AbortController>();

  async function ring(id: string, { participant, callerId, seconds }: Invitation, said: Said) {
    const canceled = ringing.get(id);
    if (!canceled || canceled.signal.aborted) return;
    const foreign = isForeign(participant, callerId, numbers);
    const unanswered = outcome === 'unanswered' && !foreign;
    if (unanswered) await wait(seconds * 50 * frameMs, AbortSignal.any([canceled.signal, over]));
    ringing.delete(id);
    if (canceled.signal.aborted || over.aborted) return;
    if (foreign) return push('AddParticipantFailed', { ...said, participant }, results.foreignCallerId);
    if (outcome !== 'accepted')
      return push('AddParticipantFailed', { ...said, participant }, results[outcome]);
    const announce = roster.add(participant);
    await push('AddParticipantSucceeded', { ...said, participant });
    announce();
  }

  return {
    invite(wanted, said) {
      const invitationId = randomUUID();
      ringing.set(invitationId, new AbortController());
      return { invitationId, ring: () => void ring(invitationId, wanted, said) };
    },
    cancel(invitationId, said) {
      const invitation = ringing.get(invitationId);
      const data = { ...said, invitationId };
      if (!invitation) {
        void push('CancelAddParticipantFailed', data, results.noInvitation);
        return;
      }
      invitation.abort();
      ringing.delete(invitationId);
      void push('CancelAddParticipantSucceeded', data);
    },
  };
}
