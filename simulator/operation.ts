import type { z } from 'zod';
import type { Call, IncomingCall } from './handle.ts';
import { RestError } from './rest-error.ts';

/** Finds calls; each throws 404 where there is none. */
export interface CallIndex {
  byContext(incomingCallContext: string): IncomingCall;
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
export function operation<T extends z.ZodType>(
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

/** What an event says of the operation that it comes from. */
export interface Said {
  operationContext: string | undefined;
}

/** A row of what is done to a connected call: `POST …/{callConnectionId}:name`. */
export function action<T extends z.ZodType<{ operationContext?: string | null | undefined }>>(row: {
  name: string;
  /** What of the call it is done to, where the path says so. */
  of?: 'participants';
  /** 202 unless told otherwise. */
  status?: number;
  schema: T;
  run: (call: Call, body: z.output<T>, said: Said) => Effect;
}): Operation {
  const { name, of, status = 202, schema, run } = row;
  return operation({
    name,
    method: 'POST',
    path: `/calling/callConnections/{callConnectionId}${of ? `/${of}` : ''}:${name}`,
    status,
    schema,
    run: ({ calls, params, body }) =>
      run(connection(calls, params), body, { operationContext: body.operationContext ?? undefined }),
  });
}

/** The call that a path names. */
export const connection = (calls: CallIndex, params: Record<string, string>) =>
  calls.byConnection(params.callConnectionId ?? '');

function invalid(error: z.ZodError): RestError {
  const [issue] = error.issues;
  return new RestError(
    400,
    'BadRequest',
    `${issue?.path.join('.') || 'The body'}: ${issue?.message ?? 'is invalid'}`,
  );
}
