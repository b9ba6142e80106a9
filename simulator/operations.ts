import { z } from 'zod';
import type { Call } from './handle.ts';
import { answerRequest, mediaRequest, rejectRequest, transferRequest } from './requests.ts';
import { RestError } from './rest-error.ts';
import { results } from './results.ts';

/** Finds calls; each throws 404 where there is none. */
export interface CallIndex {
  byContext(incomingCallContext: string): Call;
  byConnection(callConnectionId: string): Call;
}

/** A request that has passed every check but the operation's own. */
export interface Invocation<Body> {
  body: Body;
  params: Record<string, string>;
  calls: CallIndex;
}

/** What an operation answers, and what happens once it has. */
export interface Effect {
  body?: unknown;
  after?: () => void;
}

/** A row of the table: the names and paths of Microsoft's REST specification. */
export interface Operation {
  name: string;
  method: 'GET' | 'POST' | 'DELETE';
  path: string;
  /** The only status that the SDK takes for success. */
  status: number;
  run: (invocation: Invocation<unknown>) => Effect | Promise<Effect>;
}

/** Binds an operation to the schema of its body. */
function operation<T extends z.ZodType>(
  row: Omit<Operation, 'run'> & {
    schema: T;
    run: (invocation: Invocation<z.output<T>>) => Effect | Promise<Effect>;
  },
): Operation {
  const { schema, run, ...rest } = row;
  return {
    ...rest,
    run(invocation) {
      const parsed = schema.safeParse(invocation.body);
      if (!parsed.success) throw invalid(parsed.error);
      return run({ ...invocation, body: parsed.data });
    },
  };
}

function invalid(error: z.ZodError): RestError {
  const [issue] = error.issues;
  return new RestError(
    400,
    'BadRequest',
    `${issue?.path.join('.') || 'The body'}: ${issue?.message ?? 'is invalid'}`,
  );
}

const contextOf = ({ operationContext }: { operationContext?: string | null | undefined }) =>
  operationContext == null ? {} : { operationContext };

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
      const after = await call.answer({
        callbackUri: body.callbackUri,
        operationContext: body.operationContext ?? undefined,
        media: body.mediaStreamingOptions ?? undefined,
      });
      return { body: properties(call), after };
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
      return { after: () => call.end('the app hung up', results.endedByApp) };
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
      return { after: () => call.end('the app hung up', results.endedByApp) };
    },
  }),
  operation({
    name: 'listParticipants',
    method: 'GET',
    path: '/calling/callConnections/{callConnectionId}/participants',
    status: 200,
    schema: z.unknown(),
    run: ({ calls, params }) => ({ body: { value: connection(calls, params).participants() } }),
  }),
  operation({
    name: 'getParticipant',
    method: 'GET',
    path: '/calling/callConnections/{callConnectionId}/participants/{rawId}',
    status: 200,
    schema: z.unknown(),
    run({ calls, params }) {
      const all = connection(calls, params).participants();
      const body = all.find((participant) => participant.identifier.rawId === params.rawId);
      if (!body) throw new RestError(404, '8523', 'Participant not found.');
      return { body };
    },
  }),
  operation({
    name: 'startMediaStreaming',
    method: 'POST',
    path: '/calling/callConnections/{callConnectionId}:startMediaStreaming',
    status: 202,
    schema: mediaRequest,
    run({ calls, params, body }) {
      const call = connection(calls, params);
      if (!call.answered?.media)
        throw new RestError(400, '8500', 'The call was answered without media streaming.');
      return { after: () => call.startMedia(contextOf(body)) };
    },
  }),
  operation({
    name: 'stopMediaStreaming',
    method: 'POST',
    path: '/calling/callConnections/{callConnectionId}:stopMediaStreaming',
    status: 202,
    schema: mediaRequest,
    run({ calls, params, body }) {
      const call = connection(calls, params);
      return { after: () => void call.stopMedia(contextOf(body)) };
    },
  }),
  operation({
    name: 'transferToParticipant',
    method: 'POST',
    path: '/calling/callConnections/{callConnectionId}:transferToParticipant',
    status: 202,
    schema: transferRequest,
    run({ calls, params, body }) {
      const call = connection(calls, params);
      const said = contextOf(body);
      return {
        body: said,
        after: () => void call.transfer({ ...said, transferTarget: body.targetParticipant }),
      };
    },
  }),
];

const connection = (calls: CallIndex, params: Record<string, string>) =>
  calls.byConnection(params.callConnectionId ?? '');

function properties(call: Call) {
  const { from, to, answered } = call;
  const media = answered?.media;
  return {
    callConnectionId: call.callConnectionId,
    serverCallId: call.serverCallId,
    correlationId: call.correlationId,
    callConnectionState: call.state,
    callbackUri: answered?.callbackUri,
    source: from,
    targets: [to],
    ...(to.phoneNumber && { answeredFor: to.phoneNumber }),
    ...(media && {
      mediaStreamingSubscription: {
        id: call.callConnectionId,
        state: call.stream?.live ? 'active' : 'inactive',
        subscribedContentTypes: ['audio'],
      },
    }),
  };
}
