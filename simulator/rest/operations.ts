import { z } from 'zod';
import { transfer } from '../calls/departures.ts';
import type { Call } from '../calls/handle.ts';
import { createUser, parseIdentifier } from '../calls/identifiers.ts';
import { isIncoming } from '../calls/incoming-call.ts';
import { results } from '../events/results.ts';
import { RestError } from '../http/rest-error.ts';
import {
  answerRequest,
  connectRequest,
  createRequest,
  redirectRequest,
  rejectRequest,
  setupOf,
  transferRequest,
} from './call-requests.ts';
import { requireCallerId } from './caller-id.ts';
import { contextRequest } from './fields.ts';
import { mediaOperations } from './media-operations.ts';
import type { Operation } from './operation.ts';
import { action, connection, operation } from './operation.ts';
import { participantOperations } from './participant-operations.ts';
import { recordingOperations } from './recording-operations.ts';
import { transcriptionOperations } from './transcription-operations.ts';

/** Every operation that there is. What the table lacks answers 501. */
export const operations: readonly Operation[] = [
  operation({
    name: 'answerCall',
    method: 'POST',
    path: '/calling/callConnections:answer',
    status: 200,
    schema: answerRequest,
    async run({ body, calls }) {
      const call = calls.byContext(body.incomingCallContext);
      const after = await call.answer(setupOf(body));
      return { body: properties(call), after };
    },
  }),
  operation({
    name: 'createCall',
    method: 'POST',
    path: '/calling/callConnections',
    status: 201,
    schema: createRequest,
    run({ body, calls }) {
      const { source, targets } = body;
      const callerId = body.sourceCallerIdNumber?.value;
      requireCallerId(targets, callerId);
      const from = source ? parseIdentifier(source.id) : createUser();
      const call = calls.dial({ source: from, targets, callerId, setup: setupOf(body) });
      return { body: properties(call), after: call.ring };
    },
  }),
  operation({
    name: 'connect',
    method: 'POST',
    path: '/calling/callConnections:connect',
    status: 200,
    schema: connectRequest,
    run({ body, calls }) {
      const call = calls.join({ serverCallId: body.callLocator.serverCallId, setup: setupOf(body) });
      return { body: properties(call), after: call.enter };
    },
  }),
  operation({
    name: 'rejectCall',
    method: 'POST',
    path: '/calling/callConnections:reject',
    status: 204,
    schema: rejectRequest,
    run({ body, calls }) {
      calls.byContext(body.incomingCallContext).reject(body.callRejectReason);
      return {};
    },
  }),
  operation({
    name: 'redirectCall',
    method: 'POST',
    path: '/calling/callConnections:redirect',
    status: 204,
    schema: redirectRequest,
    run({ body, calls }) {
      calls.byContext(body.incomingCallContext).redirect();
      return {};
    },
  }),
  operation({
    name: 'getCall',
    method: 'GET',
    path: '/calling/callConnections/{callConnectionId}',
    status: 200,
    schema: z.unknown(),
    run: ({ calls, params }) => ({ body: properties(connection(calls, params)) }),
  }),
  operation({
    name: 'hangUp',
    method: 'DELETE',
    path: '/calling/callConnections/{callConnectionId}',
    status: 204,
    schema: z.unknown(),
    run({ calls, params }) {
      const call = connection(calls, params);
      return { after: () => hangUp(call) };
    },
  }),
  operation({
    name: 'terminate',
    method: 'POST',
    path: '/calling/callConnections/{callConnectionId}:terminate',
    status: 204,
    schema: z.unknown(),
    run({ calls, params }) {
      const call = connection(calls, params);
      return { after: () => hangUp(call) };
    },
  }),
  action({
    name: 'startMediaStreaming',
    schema: contextRequest,
    run(call, _body, said) {
      const { media } = call;
      if (!media) throw new RestError(400, '8500', 'The call was answered without media streaming.');
      return { after: () => void media.start(said) };
    },
  }),
  action({
    name: 'stopMediaStreaming',
    schema: contextRequest,
    run: (call, _body, said) => ({ after: () => void call.media?.stop(said) }),
  }),
  action({
    name: 'transferToParticipant',
    schema: transferRequest,
    run: (call, { targetParticipant, sourceCallerIdNumber }, said) => ({
      body: said,
      after: () => void transfer(call, targetParticipant, sourceCallerIdNumber?.value, said),
    }),
  }),
  ...participantOperations,
  ...mediaOperations,
  ...transcriptionOperations,
  ...recordingOperations,
];

const hangUp = (call: Call) =>
  call.end('the app hung up', call.state === 'ringing' ? results.calledOff : results.endedByApp);

function properties(call: Call) {
  const { from, targets, callerId, setup, transcription } = call;
  const [to] = targets;
  return {
    callConnectionId: call.callConnectionId,
    serverCallId: call.serverCallId,
    correlationId: call.correlationId,
    callConnectionState: call.state === 'ringing' ? 'connecting' : call.state,
    callbackUri: setup?.callbackUri,
    source: from,
    targets,
    ...(callerId !== undefined && { sourceCallerIdNumber: { value: callerId } }),
    ...(isIncoming(call) && to?.phoneNumber && { answeredFor: to.phoneNumber }),
    ...(setup?.media && {
      mediaStreamingSubscription: {
        id: call.callConnectionId,
        state: call.stream?.live ? 'active' : 'inactive',
        subscribedContentTypes: ['audio'],
      },
    }),
    ...(transcription && { transcriptionSubscription: transcription.subscription }),
  };
}
