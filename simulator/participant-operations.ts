import { z } from 'zod';
import type { Operation } from './operation.ts';
import { action, connection, operation } from './operation.ts';
import { muteRequest, targetRequest } from './requests.ts';
import { results } from './results.ts';

/** The operations on those who are in a call. */
export const participantOperations: readonly Operation[] = [
  operation({
    name: 'listParticipants',
    method: 'GET',
    path: '/calling/callConnections/{callConnectionId}/participants',
    status: 200,
    schema: z.unknown(),
    run: ({ calls, params }) => ({ body: { value: connection(calls, params).roster.all() } }),
  }),
  operation({
    name: 'getParticipant',
    method: 'GET',
    path: '/calling/callConnections/{callConnectionId}/participants/{rawId}',
    status: 200,
    schema: z.unknown(),
    run: ({ calls, params }) => ({ body: connection(calls, params).roster.find(params.rawId ?? '') }),
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
