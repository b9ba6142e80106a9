import type { IncomingMessage } from 'node:http';
import type { NextFunction, Request, RequestHandler, Response } from 'express';
import type { VerifyClientCallbackAsync } from 'ws';
import { createLogLimiter, describeError, type Logger } from '../log.ts';
import { event, msSince } from '../telemetry/event.ts';
import type { Binding, Bindings, Purpose } from './binding.ts';
import { answerOf, sendRefusal } from './refusal-answers.ts';
import { BindingRefused, CannotVerify, Refusal, type RefusalReason } from './refusals.ts';
import type { Authenticate } from './strategy.ts';
import { type Claims, readToken } from './token.ts';

/** Somebody who was let in. */
export interface Caller {
  claims: Claims;
  /** Undefined where CALL_BINDING is `optional` and the address had none. */
  binding: Binding | undefined;
  /** How long the check took, in milliseconds. */
  checkMs: number;
}

/** Somebody whose socket was accepted only to be closed with this reason (WS_REFUSE=close). */
export interface TurnedAway {
  closeReason: string;
}

/** What became of a request to open a WebSocket. */
export interface Decision {
  request: IncomingMessage;
  outcome: 'accepted' | 'refused';
  /** The HTTP status, or 101 where the socket is accepted, if only to be closed. */
  status: number;
  reason: RefusalReason | undefined;
  /** Undefined unless the address has one that holds. */
  binding: Binding | undefined;
  /** How long the check took, in milliseconds. */
  checkMs: number;
}

/** A check under way. */
interface Attempt {
  begun: number;
  binding: Binding | undefined;
}

export interface GateOptions {
  authenticate: Authenticate;
  /** Undefined while CALL_SIGNING_KEY can't be read: then an address with a binding is answered 503. */
  bindings: Pick<Bindings, 'open'> | undefined;
  callBinding: 'required' | 'optional';
  wsRefuse: 'http' | 'close';
  /** Whether a socket may come in now: ended or late, draining, capacity. Asked in the tick that accepts it. */
  admit: (binding: Binding | undefined) => Refusal | undefined;
  /** Whether callbacks may come in: late. */
  admitEvents: (binding: Binding | undefined) => Refusal | undefined;
  /** Told of each upgrade, right before it is answered. */
  onUpgrade?: (decision: Decision) => void;
  /** What the log is to say of the call that a binding is of. */
  describe?: (binding: Binding) => object;
  log: Logger;
}

export type Gate = ReturnType<typeof createGate>;

/**
 * Who comes in: one way for sockets and callbacks alike, cheap checks before dear ones. A well-formed token (401),
 * the binding's signature (403), the token's claims and signature (401, or 503 if that can't be told), then what
 * the app itself has to say.
 */
export function createGate({
  authenticate,
  bindings,
  callBinding,
  wsRefuse,
  admit,
  admitEvents,
  onUpgrade = () => {},
  describe = ({ callId }) => ({ call: callId }),
  log,
}: GateOptions) {
  const mayLog = createLogLimiter();
  const callers = new WeakMap<IncomingMessage, Caller | TurnedAway>();

  function openBinding(segment: string | undefined, purpose: Purpose): Binding | undefined {
    if (segment === undefined) {
      if (callBinding === 'required') throw new BindingRefused('no_binding');
      return undefined;
    }
    if (!bindings) throw new CannotVerify('not_configured');
    const binding = bindings.open(segment, purpose);
    if (!binding) throw new BindingRefused('bad_binding');
    return binding;
  }

  /** @throws {Refusal} or, where something is broken, anything */
  async function check(
    request: IncomingMessage,
    segment: string | undefined,
    purpose: Purpose,
    attempt: Attempt,
  ): Promise<Claims> {
    const token = readToken(request);
    attempt.binding = openBinding(segment, purpose);
    return authenticate(token);
  }

  function letIn(request: IncomingMessage, caller: Caller): void {
    callers.set(request, caller);
    Object.assign(request, { user: caller.claims });
  }

  function refusalOf(error: unknown, purpose: Purpose, { binding, begun }: Attempt): Refusal {
    // Whatever else is thrown means that we can't tell: never a 401, and never a way in.
    const refusal = error instanceof Refusal ? error : new CannotVerify('fault', { cause: error });
    const { status, reason, message, details, cause } = refusal;
    const line = mayLog(reason);
    if (line) {
      const checkMs = msSince(begun);
      const { suppressed } = line;
      const refused = event('request.refused', { purpose, reason, status, checkMs, suppressed });
      const error = cause === undefined ? {} : { error: describeError(cause) };
      log.warn(
        { ...(binding && describe(binding)), ...refused, ...details, ...error },
        `refused: ${message}`,
      );
    }
    return refusal;
  }

  async function decideUpgrade(request: IncomingMessage, answer: Parameters<VerifyClientCallbackAsync>[1]) {
    const attempt: Attempt = { begun: performance.now(), binding: undefined };
    const tell = (outcome: Decision['outcome'], status: number, reason?: RefusalReason) => {
      const { binding, begun } = attempt;
      onUpgrade({ request, outcome, status, reason, binding, checkMs: msSince(begun) });
    };
    try {
      const claims = await check(request, mediaSegment(request), 'media', attempt);
      // From here to the accept without a pause: what was free a tick ago may be taken.
      throwIf(admit(attempt.binding));
      letIn(request, { claims, binding: attempt.binding, checkMs: msSince(attempt.begun) });
    } catch (error) {
      const refusal = refusalOf(error, 'media', attempt);
      if (wsRefuse === 'close' && refusal.closeReason !== undefined) {
        tell('refused', 101, refusal.reason);
        callers.set(request, { closeReason: refusal.closeReason });
        return answer(true);
      }
      const { status, headers, body } = answerOf(refusal);
      tell('refused', status, refusal.reason);
      return answer(false, status, body, headers);
    }
    tell('accepted', 101);
    // Runs every listener for the new socket, outside of the try: what one throws must not be a second answer.
    answer(true);
  }

  async function decideCallback(request: Request, response: Response, next: NextFunction) {
    const { binding } = request.params;
    const attempt: Attempt = { begun: performance.now(), binding: undefined };
    try {
      const segment = typeof binding === 'string' ? binding : undefined;
      const claims = await check(request, segment, 'events', attempt);
      throwIf(admitEvents(attempt.binding));
      letIn(request, { claims, binding: attempt.binding, checkMs: msSince(attempt.begun) });
    } catch (error) {
      return sendRefusal(response, refusalOf(error, 'events', attempt));
    }
    next();
  }

  /** What came after the decision has failed: the answer is out, so all that's left is to end the connection. */
  const fail = (request: IncomingMessage) => (error: unknown) => {
    log.error({ error: describeError(error) }, 'a request failed after it was let in');
    request.socket.destroy();
  };

  return {
    /** For `wsOptions` (ws looks for two parameters): the decision, before the 101. */
    verifyClient: ((info, answer) => {
      decideUpgrade(info.req, answer).catch(fail(info.req));
    }) satisfies VerifyClientCallbackAsync,

    /** For `/api/callbacks{/:binding}`, before any body is read. Sets `request.user`. */
    callbacks: ((request, response, next) => {
      decideCallback(request, response, next).catch(fail(request));
    }) satisfies RequestHandler,

    /** Who stands behind a request that went through the gate. */
    caller: (request: IncomingMessage): Caller | TurnedAway | undefined => callers.get(request),
  };
}

/** The binding in the address of a socket, if it has one. Another path should have been no upgrade at all. */
function mediaSegment({ url = '' }: IncomingMessage): string | undefined {
  const [path = ''] = url.split('?', 1);
  if (path === '/ws') return undefined;
  if (!path.startsWith('/ws/')) throw new BindingRefused('bad_binding');
  return path.slice('/ws/'.length);
}

function throwIf(refusal: Refusal | undefined): void {
  if (refusal) throw refusal;
}
