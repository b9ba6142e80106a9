// From a call that rings to a call that is answered: each call once, however often it is announced.

import type { Bindings, IssuedBinding } from '../auth/binding.ts';
import type { Logger } from '../log.ts';
import { event, msSince } from '../telemetry/event.ts';
import { type CallTags, noTelemetry, type Telemetry } from '../telemetry/telemetry.ts';
import { type AcsClient, type AcsError, asAcsError } from './acs-client.ts';
import type { CallControl } from './call-control.ts';
import type { Calls } from './calls.ts';
import { endings } from './endings.ts';
import type { IncomingCall } from './events.ts';
import { explainStatus } from './explain.ts';

/** What Event Grid is told: the call needs nothing more, or it is to announce it again. */
export type Outcome = 'done' | 'retry';

export type IncomingCalls = ReturnType<typeof createIncomingCalls>;

export interface IncomingCallsOptions {
  calls: Calls;
  client: AcsClient;
  bindings: Bindings;
  /** Origin that ACS reaches this app at. */
  publicUrl: string;
  /** Whether a socket could be let in now: keys are there. */
  ready: () => boolean;
  log: Logger;
  within?: Telemetry['within'];
  /** Told of the call that the request which is being handled announces. */
  tag?: Telemetry['tag'];
  now?: () => number;
  /** How long `answerCall` may take with all its retries; Event Grid waits 30 s. */
  answerMs?: number;
  /** How long an announcement is remembered after its call was answered or rejected. */
  rememberMs?: number;
}

/** One call that was announced, from its first announcement on. */
interface Attempt {
  outcome: Promise<Outcome>;
  settled?: { as: Outcome; at: number };
  tags: CallTags;
  /** The call that it made, which a later announcement goes on with if nobody knows whether ACS answered. */
  offer?: Offer;
}

interface Offer {
  call: CallControl;
  callbackUri: string;
  transportUrl: string;
  /** Whether an attempt was given up on: ACS may have answered the call all the same. */
  doubtful: boolean;
}

/** Answers the calls that are announced. */
export function createIncomingCalls(options: IncomingCallsOptions) {
  const { calls, client, bindings, publicUrl, ready, log } = options;
  const { now = Date.now, answerMs = 12_000, rememberMs = 300_000 } = options;
  const { within, tag } = { ...noTelemetry, ...options };
  const attempts = new Map<string, Attempt>();

  function announce(incoming: IncomingCall): Promise<Outcome> {
    forget();
    const key = incoming.serverCallId ?? incoming.correlationId ?? incoming.incomingCallContext;
    const earlier = attempts.get(key);
    if (earlier) tag(earlier.tags);
    if (earlier && earlier.settled?.as !== 'retry') return earlier.outcome;
    if (earlier?.offer?.call.established) return Promise.resolve('done');

    const going = earlier?.offer?.call.ended === false ? earlier.offer : undefined;
    const binding = bindings.issue();
    const tags = going?.call.tags ?? {
      call: binding.callId,
      correlationId: incoming.correlationId ?? undefined,
    };
    const callLog = log.child({ ...tags });
    tag(tags);
    callLog.info(event('call.announced'), 'call announced');
    if (calls.draining || !ready()) return Promise.resolve(postpone(callLog));

    const offer = going ?? makeOffer(incoming, binding);
    const attempt: Attempt = { outcome: Promise.resolve('retry'), tags: offer?.call.tags ?? tags };
    if (offer) attempt.offer = offer;
    const outcome = offer ? answer(incoming, offer) : rejectAsBusy(incoming, tags, callLog);
    attempt.outcome = outcome.then((as) => {
      attempt.settled = { as, at: now() };
      // Nothing goes on with it, and all that belonged to the call would be kept for as long as it is remembered.
      if (as === 'done') delete attempt.offer;
      return as;
    });
    attempts.set(key, attempt);
    calls.track(attempt.outcome);
    return attempt.outcome;
  }

  function forget() {
    for (const [key, { settled }] of attempts) {
      if (settled && now() - settled.at > rememberMs) attempts.delete(key);
    }
  }

  function postpone(callLog: Logger): Outcome {
    const reason = calls.draining ? 'draining' : 'no_keys';
    callLog.warn(
      event('call.postponed', { reason }),
      'the call cannot be answered now: to be announced again',
    );
    return 'retry';
  }

  function makeOffer(incoming: IncomingCall, binding: IssuedBinding): Offer | undefined {
    const call = calls.claim(binding, {
      from: addressOf(incoming.from),
      to: addressOf(incoming.to),
      announced: {
        correlationId: incoming.correlationId ?? undefined,
        serverCallId: incoming.serverCallId ?? undefined,
      },
    });
    if (!call) return undefined;
    const transportUrl = new URL(`/ws/${binding.media}`, publicUrl);
    transportUrl.protocol = transportUrl.protocol.replace('http', 'ws');
    return {
      call,
      callbackUri: new URL(`/api/callbacks/${binding.events}`, publicUrl).href,
      transportUrl: transportUrl.href,
      doubtful: false,
    };
  }

  async function answer({ incomingCallContext }: IncomingCall, offer: Offer): Promise<Outcome> {
    const { call, callbackUri, transportUrl } = offer;
    const begun = performance.now();
    try {
      const ids = await call.within(() =>
        client.answer({ incomingCallContext, callbackUri, transportUrl }, AbortSignal.timeout(answerMs)),
      );
      call.answered(ids);
      call.log.info(event('call.answered', { answerMs: msSince(begun) }), 'call answered');
      return 'done';
    } catch (error) {
      return failed(offer, asAcsError(error), msSince(begun));
    }
  }

  function failed(offer: Offer, error: AcsError, answerMs: number): Outcome {
    const { call } = offer;
    offer.doubtful ||= error.timedOut;
    logFailure(call.log, error, answerMs);
    // Neither a call that gave a sign of an answer ends by this, nor one that was given up on before: a 404 is what
    // ACS says of a call that this app has answered.
    if (offer.doubtful) call.unsure();
    else if (!call.established) call.end(error.isRetryable ? endings.unanswered : endings.answerFailed);
    return error.isRetryable ? 'retry' : 'done';
  }

  async function rejectAsBusy(
    { incomingCallContext }: IncomingCall,
    tags: CallTags,
    callLog: Logger,
  ): Promise<Outcome> {
    try {
      const signal = AbortSignal.timeout(answerMs);
      await within(tags, () => client.rejectAsBusy(incomingCallContext, signal));
      const rejected = event('call.rejected', { reason: 'at_capacity' });
      callLog.warn(rejected, 'call rejected as busy: MAX_CALLS are running');
    } catch (error) {
      const { status, code } = asAcsError(error);
      callLog.warn({ status, code }, 'busy, and the rejection failed: the call rings out');
    }
    return 'done';
  }

  return { announce };
}

/** A phone number or a raw id; undefined for a caller who withholds theirs. */
function addressOf(party: IncomingCall['from']): string | undefined {
  if (party?.rawId === '4:anonymous') return undefined;
  return party?.phoneNumber?.value ?? party?.rawId ?? undefined;
}

function logFailure(log: Logger, error: AcsError, answerMs: number): void {
  const { status, code, timedOut, isRetryable } = error;
  const help = explainStatus(status);
  const facts = event('call.answer_failed', { status, code, timedOut, retry: isRetryable, help, answerMs });
  if (timedOut)
    log.warn(facts, 'ACS did not say in time whether the call is answered: to be announced again');
  else if (!isRetryable) log.warn(facts, 'the call was not answered: it is taken or gone');
  else log[help ? 'error' : 'warn'](facts, 'the call could not be answered: to be announced again');
}
