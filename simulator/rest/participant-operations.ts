import { z } from 'zod';
import { moveParticipants, removeParticipant } from '../calls/departures.ts';
import { results } from '../events/results.ts';
import { RestError } from '../http/rest-error.ts';
import { requireCallerId } from './caller-id.ts';
import { targetRequest } from './fields.ts';
import type { Operation } from './operation.ts';
import { action, established, operation } from './operation.ts';
import {
  addRequest,
  cancelAddRequest,
  moveRequest,
  muteRequest,
  removeRequest,
} from './participant-requests.ts';

const RING_SECONDS = 45;

/** The operations on those who are in a call. */
export const participantOperations: readonly Operation[] = [
  operation({
    name: 'listParticipants',
    method: 'GET',
    path: '/calling/callConnections/{callConnectionId}/participants',
    status: 200,
    schema: z.unknown(),
    run: ({ calls, params }) => ({
      body: { value: established(calls, params.callConnectionId).roster.all() },
    }),
  }),
  operation({
    name: 'getParticipant',
    method: 'GET',
    path: '/calling/callConnections/{callConnectionId}/participants/{participantRawId}',
    status: 200,
    schema: z.unknown(),
    run: ({ calls, params }) => ({
      body: established(calls, params.callConnectionId).roster.find(params.participantRawId ?? ''),
    }),
  }),
  action({
    name: 'add',
    of: 'participants',
    schema: addRequest,
    run(call, { participantToAdd: identifier, invitationTimeoutInSeconds, sourceCallerIdNumber }, said) {
      const callerId = sourceCallerIdNumber?.value;
      requireCallerId([identifier], callerId);
      const seconds = invitationTimeoutInSeconds ?? RING_SECONDS;
      const { invitationId, ring } = call.invitations.invite(
        { participant: identifier, callerId, seconds },
        said,
      );
      return { body: { ...said, invitationId, participant: { identifier } }, after: ring };
    },
  }),
  action({
    name: 'cancelAddParticipant',
    of: 'participants',
    schema: cancelAddRequest,
    run: (call, { invitationId }, said) => ({
      body: { ...said, invitationId },
      after: () => call.invitations.cancel(invitationId, said),
    }),
  }),
  action({
    name: 'remove',
    of: 'participants',
    schema: removeRequest,
    run: (call, { participantToRemove }, said) => ({
      body: said,
      after: () => void removeParticipant(call, participantToRemove.rawId, said),
    }),
  }),
  action({
    name: 'moveHere',
    of: 'participants',
    schema: moveRequest,
    run(call, { targetParticipants, fromCall }, said, calls) {
      const from = established(calls, fromCall);
      if (from === call) throw new RestError(400, '8523', 'fromCall: is this call itself.');
      const participants = targetParticipants.map((identifier) => ({ identifier }));
      return {
        body: { ...said, participants, fromCall },
        after: () => void moveParticipants(targetParticipants, from, call, said),
      };
    },
  }),
  action({
    name: 'mute',
    of: 'participants',
    status: 200,
    schema: muteRequest,
    run(call, { targetParticipants: [target] }, said) {
      call.roster.find(target.rawId);
      return { body: said, after: call.roster.change(target.rawId, { isMuted: true }) };
    },
  }),
  action({
    name: 'hold',
    status: 200,
    schema: targetRequest,
    run({ roster, fails, push }, { targetParticipant: { rawId } }, said) {
      roster.find(rawId);
      if (fails('hold')) return { after: () => void push('HoldFailed', said, results.failed) };
      return { after: roster.change(rawId, { isOnHold: true }) };
    },
  }),
  action({
    name: 'unhold',
    status: 200,
    schema: targetRequest,
    run({ roster }, { targetParticipant: { rawId } }) {
      roster.find(rawId);
      return { after: roster.change(rawId, { isOnHold: false }) };
    },
  }),
];
