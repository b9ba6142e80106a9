import type { Call } from './handle.ts';
import type { Identifier } from './identifiers.ts';
import type { Said } from './operation.ts';
import { results } from './results.ts';

/** Moves people from one call into another, and posts what came of each. A call that nobody is left in is over. */
export async function moveParticipants(
  participants: readonly Identifier[],
  from: Call,
  to: Call,
  said: Said,
): Promise<void> {
  for (const { rawId } of participants) {
    const fromCall = from.callConnectionId;
    const participant = from.roster.all().find(({ identifier }) => identifier.rawId === rawId)?.identifier;
    if (!participant || participant === from.app) {
      await to.push('MoveParticipantFailed', { ...said, fromCall, participant: { rawId } }, results.notThere);
      continue;
    }
    const left = from.leave(rawId, 'everyone was moved');
    const announce = to.roster.add(participant);
    await to.push('MoveParticipantSucceeded', { ...said, fromCall, participant });
    announce();
    left();
  }
}
