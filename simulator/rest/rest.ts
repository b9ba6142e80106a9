import { z } from 'zod';
import { definedOf } from '../defined.ts';
import type { AnswerFaults } from '../faults/answer-faults.ts';
import { createAnswerFaults, isApplied, spoil } from '../faults/answer-faults.ts';
import type { Handler, Request } from '../http/http.ts';
import { RestError } from '../http/rest-error.ts';
import type { Happening } from '../journal.ts';
import type { RecordingFiles } from '../recordings/recording-files.ts';
import { wait } from '../wait.ts';
import type { CallIndex, Effect, Operation } from './operation.ts';
import { operations } from './operations.ts';
import { createRepeatability } from './repeatability.ts';

/** The first that was stable. What has come since, older clients neither send nor miss. */
const OLDEST_VERSION = '2023-03-06';

/** The REST API under the SDK. */
export interface Rest extends Pick<AnswerFaults, 'failNext'> {
  handle: Handler;
}

const routes = operations.map((operation) => ({ operation, pattern: compile(operation.path) }));

/**
 * A path template as a pattern. A slash doesn't belong to a parameter, and nor does a bare colon, which begins an action,
 * but for the raw id of a participant: it has colons, and not every SDK encodes what a path may hold (RFC 3986, 3.3).
 */
function compile(path: string): RegExp {
  const escaped = path.replaceAll(/[.*+?^$()[\]\\|]/g, '\\$&');
  const pattern = escaped.replace('{participantRawId}', '(?<participantRawId>[^/]+)');
  return new RegExp(`^${pattern.replaceAll(/\{(\w+)\}/g, '(?<$1>[^/:]+)')}$`);
}

/**
 * @param options.checkCredentials throws unless a request may be made
 * @param options.note is told each request; the id is that of the call, where there is one
 */
export function createRest({
  checkCredentials,
  calls,
  files,
  note,
  signal,
}: {
  checkCredentials: (request: Request) => Promise<void>;
  calls: CallIndex;
  files: RecordingFiles;
  note: (happening: Happening, names: CallNames) => void;
  signal: AbortSignal;
}): Rest {
  const faults = createAnswerFaults();
  const repeatability = createRepeatability();

  /** Runs an operation: what the SDK sends again, it sends with the same Repeatability-Request-ID. */
  async function perform(operation: Operation, request: Request, params: Record<string, string>) {
    const { path, headers } = request;
    const run = async () => operation.run({ body: parseBody(request), params, headers, calls, files });
    const id = headers['repeatability-request-id'];
    if (operation.method !== 'POST' || typeof id !== 'string')
      return { effect: await run(), replayed: false };
    return repeatability.once(`${path} ${id}`, run);
  }

  return {
    failNext(operation, fault) {
      if (!operations.some(({ name }) => name === operation)) throw new Error(`no operation ${operation}`);
      return faults.failNext(operation, fault);
    },
    async handle(request) {
      await checkCredentials(request);
      const { operation, params } = findOperation(request);
      if (!operation.unversioned) checkVersion(request.query.get('api-version'));
      const body = parseBody(request);
      const noted = (status: number | undefined, replayed: boolean, answered?: unknown) => {
        const requestId = request.headers['repeatability-request-id'];
        note(
          {
            type: 'request',
            operation: operation.name,
            body,
            status,
            replayed,
            requestId: requestId?.toString(),
          },
          { ...params, ...namesIn(body), ...namesIn(answered) },
        );
      };
      const fault = faults.next(operation.name);
      try {
        const { effect, replayed } = isApplied(fault) ? await perform(operation, request, params) : nothing;
        const answer = spoil({ status: operation.status, ...effect }, fault);
        noted(answer.cut ? undefined : answer.status, replayed, effect.body);
        if (fault?.delayMs === undefined) return answer;
        answer.after?.(); // the call goes on while its answer is on the way
        await wait(fault.delayMs, signal);
        return { ...answer, after: undefined };
      } catch (error) {
        noted(error instanceof RestError ? error.status : 500, false);
        throw error;
      }
    },
  };
}

/** Nothing to say, and nothing to do afterwards. */
const nothing: { effect: Effect; replayed: boolean } = { effect: {}, replayed: false };

function checkVersion(version: string | null): void {
  const shape = /^(\d{4}-\d{2}-\d{2})(-preview)?$/.exec(version ?? '');
  if (!shape?.[1] || shape[1] < OLDEST_VERSION) {
    throw new RestError(400, 'UnsupportedApiVersion', `api-version has to be ${OLDEST_VERSION} or later.`);
  }
}

function findOperation({ method, path }: Request): { operation: Operation; params: Record<string, string> } {
  for (const { operation, pattern } of routes) {
    const match = operation.method === method ? pattern.exec(path) : null;
    if (!match) continue;
    const entries = Object.entries(match.groups ?? {}).map(([name, value]) => [name, decode(value)] as const);
    return { operation, params: Object.fromEntries(entries) };
  }
  throw new RestError(
    501,
    'NotImplemented',
    `The simulator has no ${method} ${shapeOf(path)}. What it has is listed in simulator/README.md.`,
  );
}

/** A path without what it names: calls, and people by their numbers. */
const shapeOf = (path: string) =>
  path.replaceAll(
    /\/(callConnections|recordings|objects|participants)\/[^/]+?(?=:[a-z]+$|\/|$)/gi,
    '/$1/{id}',
  );

function decode(value: string): string {
  try {
    return decodeURIComponent(value);
  } catch {
    return value;
  }
}

function parseBody({ body }: Request): unknown {
  if (body.length === 0) return undefined;
  try {
    return JSON.parse(body.toString());
  } catch {
    throw new RestError(400, 'BadRequest', 'The body is not JSON.');
  }
}

/** Which call a request is about, as far as its path, its body and its answer say so. */
export interface CallNames {
  callConnectionId?: string;
  incomingCallContext?: string;
  serverCallId?: string;
  recordingId?: string;
}

const namesSchema = z.looseObject({
  callConnectionId: z.string().optional().catch(undefined),
  incomingCallContext: z.string().optional().catch(undefined),
  callLocator: z.looseObject({ serverCallId: z.string().optional() }).optional().catch(undefined),
});

function namesIn(body: unknown): CallNames {
  const { callLocator, ...names } = namesSchema.catch({}).parse(body);
  const { callConnectionId, incomingCallContext } = names;
  return definedOf({ callConnectionId, incomingCallContext, serverCallId: callLocator?.serverCallId });
}
