import { z } from 'zod';
import type { Call, IncomingCall, JoinedCall, OutgoingCall } from '../calls/handle.ts';
import type { Join } from '../calls/joined-call.ts';
import type { Dial } from '../calls/outgoing-call.ts';
import type { Request } from '../http/http.ts';
import { RestError } from '../http/rest-error.ts';
import type { Recording } from '../recordings/recording.ts';
import type { RecordingFiles } from '../recordings/recording-files.ts';
import { url } from './fields.ts';

/** The calls that there are. What finds one throws 404 where it isn't. */
export interface CallIndex {
  byContext(incomingCallContext: string): IncomingCall;
  /** One that the app has asked for, and that isn't over. */
  byConnection(callConnectionId: string): Call;
  byServerCall(serverCallId: string): Call;
  /** A recording that runs. */
  byRecording(recordingId: string): Recording;
  /** Makes a call for the app. */
  dial(wanted: Dial): OutgoingCall;
  /** Joins the app to a call, which it may turn out not to be able to. */
  join(wanted: Join): JoinedCall;
}

/** A request that has passed every check but the operation's own. */
export interface Invocation<Body> {
  body: Body;
  params: Record<string, string>;
  headers: Request['headers'];
  calls: CallIndex;
  files: RecordingFiles;
}

/** What an operation answers, and what happens once it has. */
export interface Effect {
  /** In place of the operation's own. */
  status?: number;
  headers?: Record<string, string>;
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
  /** Whether it does without `api-version`. */
  unversioned?: boolean;
  run: (invocation: Invocation<unknown>) => Effect | Promise<Effect>;
}

/** Binds an operation to the schema of its body. */
export function operation<T extends z.ZodType>(
  row: Omit<Operation, 'run'> & {
    schema: T;
    run: (invocation: Invocation<z.output<T>>) => Effect | Promise<Effect>;
  },
): Operation {
  const { schema, run, ...rest } = row;
  return {
    ...rest,
    run: (invocation) => run({ ...invocation, body: parse(schema, invocation.body) }),
  };
}

/** Where the events of an operation go that names a callback URI of its own. A symbol, so that no JSON shows it. */
export const callbackUri = Symbol('operationCallbackUri');

/** What an event says of the operation that it comes from. */
export interface Said {
  operationContext: string | undefined;
  [callbackUri]?: string;
}

const saidRequest = z
  .looseObject({ operationContext: z.string().nullish(), operationCallbackUri: url('http').nullish() })
  .default({})
  .transform(
    ({ operationContext, operationCallbackUri }): Said => ({
      operationContext: operationContext ?? undefined,
      ...(operationCallbackUri != null && { [callbackUri]: operationCallbackUri }),
    }),
  );

/** A row of what is done to a connected call: `POST …/{callConnectionId}:name`. */
export function action<T extends z.ZodType>(row: {
  name: string;
  /** What of the call it is done to, where the path says so. */
  of?: 'participants';
  /** 202 unless told otherwise. */
  status?: number;
  schema: T;
  run: (call: Call, body: z.output<T>, said: Said, calls: CallIndex) => Effect;
}): Operation {
  const { name, of, status = 202, schema, run } = row;
  return {
    name,
    method: 'POST',
    path: `/calling/callConnections/{callConnectionId}${of ? `/${of}` : ''}:${name}`,
    status,
    run({ calls, params, body }) {
      const [wanted, said] = [parse(schema, body), parse(saidRequest, body)];
      return run(established(calls, params.callConnectionId), wanted, said, calls);
    },
  };
}

/** The call that a path names: it may still ring where the app calls somebody. */
export const connection = (calls: CallIndex, params: Record<string, string>) =>
  calls.byConnection(params.callConnectionId ?? '');

/** The same, once somebody has answered. */
export function established(calls: CallIndex, callConnectionId = ''): Call {
  const call = calls.byConnection(callConnectionId);
  if (call.state === 'connected') return call;
  throw new RestError(400, '8501', 'Action not supported: the call is not established.');
}

function parse<T extends z.ZodType>(schema: T, body: unknown): z.output<T> {
  const parsed = schema.safeParse(body);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new RestError(
    400,
    'BadRequest',
    `${issue?.path.join('.') || 'The body'}: ${issue?.message ?? 'is invalid'}`,
  );
}
