import { randomUUID } from 'node:crypto';
import type { Result } from './callbacks.ts';
import type { Identifier } from './identifiers.ts';
import type { Said } from './operation.ts';
import { rest } from './post.ts';
import { results } from './results.ts';
import type { Roster } from './roster.ts';

/** What somebody does who is asked into a call. */
export const invitationOutcomes = ['accepted', 'declined', 'busy', 'unanswered'] as const;
export type InvitationOutcome = (typeof invitationOutcomes)[number];

/** Those who are asked into a call. */
export interface Invitations {
  /** Asks somebody. The function rings, and posts what came of it. */
  invite(participant: Identifier, seconds: number, said: Said): { invitationId: string; ring: () => void };
  /** Takes an invitation back while it rings, and posts whether it could be. */
  cancel(invitationId: string, said: Said): void;
}

/**
 * @param options.frameMs what 20 ms of ringing take, in milliseconds
 * @param options.outcome what becomes of each invitation
 */
export function createInvitations({
  frameMs,
  over,
  outcome,
  roster,
  push,
}: {
  frameMs: number;
  over: AbortSignal;
  outcome: InvitationOutcome;
  roster: Roster;
  push: (type: string, data: object, result?: Result) => Promise<void>;
}): Invitations {
  const ringing = new Map<string, AbortController>();

  async function ring(id: string, participant: Identifier, seconds: number, said: Said) {
    const canceled = ringing.get(id);
    if (!canceled || canceled.signal.aborted) return;
    const unanswered = outcome === 'unanswered';
    if (unanswered) await rest(seconds * 50 * frameMs, AbortSignal.any([canceled.signal, over]));
    ringing.delete(id);
    if (canceled.signal.aborted || over.aborted) return;
    if (outcome !== 'accepted')
      return push('AddParticipantFailed', { ...said, participant }, results[outcome]);
    const announce = roster.add(participant);
    await push('AddParticipantSucceeded', { ...said, participant });
    announce();
  }

  return {
    invite(participant, seconds, said) {
      const invitationId = randomUUID();
      ringing.set(invitationId, new AbortController());
      return { invitationId, ring: () => void ring(invitationId, participant, seconds, said) };
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
