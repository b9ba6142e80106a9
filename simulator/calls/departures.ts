import { results } from '../events/results.ts';
import { isForeign } from '../rest/caller-id.ts';
import type { Said } from '../rest/operation.ts';
import type { Call } from './handle.ts';
import type { Identifier } from './identifiers.ts';

/** Takes somebody out at once; the function tells everyone, and ends the call without anyone to talk to. */
function leave(call: Call, rawId: string, outcome: string): () => void {
  const announce = call.roster.remove(rawId);
  return () => {
    announce();
    const isAlone = call.roster.all().every(({ identifier }) => identifier === call.app);
    if (isAlone) call.end(outcome, results.endedByApp);
  };
}

const find = ({ roster }: Call, rawId: string) =>
  roster.all().find(({ identifier }) => identifier.rawId === rawId)?.identifier;

/** Removes somebody, and posts what came of it. */
export async function removeParticipant(call: Call, rawId: string, said: Said): Promise<void> {
  const participant = find(call, rawId);
  if (!participant)
    return call.push('RemoveParticipantFailed', { ...said, participant: { rawId } }, results.notThere);
  const left = leave(call, rawId, 'everyone was removed');
  await call.push('RemoveParticipantSucceeded', { ...said, participant });
  left();
}

/** Moves people from one call into another, and posts what came of each. */
export async function moveParticipants(
  participants: readonly Identifier[],
  from: Call,
  to: Call,
  said: Said,
): Promise<void> {
  for (const { rawId } of participants) {
    const fromCall = from.callConnectionId;
    const participant = find(from, rawId);
    if (!participant || participant === from.app) {
      await to.push('MoveParticipantFailed', { ...said, fromCall, participant: { rawId } }, results.notThere);
      continue;
    }
    const left = leave(from, rawId, 'everyone was moved');
    const announce = to.roster.add(participant);
    await to.push('MoveParticipantSucceeded', { ...said, fromCall, participant });
    announce();
    left();
  }
}

/** Passes on whom the app talks to, and posts what came of it. The call is over then. */
export async function transfer(
  call: Call,
  transferTarget: Identifier,
  callerId: string | undefined,
  said: Said,
): Promise<void> {
  const data = { ...said, transferTarget };
  if (isForeign(transferTarget, callerId, call.numbers))
    return call.push('CallTransferFailed', data, results.foreignCallerId);
  if (call.fails('transfer')) return call.push('CallTransferFailed', data, results.transferFailed);
  await call.push('CallTransferAccepted', { ...data, transferee: call.person });
  call.end('transferred', results.transferred);
}
