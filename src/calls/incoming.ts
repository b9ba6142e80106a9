// From a call that rings to a call that is answered: each call once, however often it is announced.

import type { Bindings } from '../auth/binding.ts';
import type { Logger } from '../log.ts';
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
  const attempts = new Map<string, Attempt>();

  function announce(incoming: IncomingCall): Promise<Outcome> {
    forget();
    const key = incoming.serverCallId ?? incoming.correlationId ?? incoming.incomingCallContext;
    const earlier = attempts.get(key);
    if (earlier && earlier.settled?.as !== 'retry') return earlier.outcome;
    if (earlier?.offer?.call.established) return Promise.resolve('done');
    if (calls.draining || !ready()) return Promise.resolve('retry');

    const attempt: Attempt = { outcome: Promise.resolve('retry') };
    const offer = earlier?.offer?.call.ended === false ? earlier.offer : makeOffer(incoming);
    if (offer) attempt.offer = offer;
    attempt.outcome = (offer ? answer(incoming, offer) : rejectAsBusy(incoming)).then((as) => {
      attempt.settled = { as, at: now() };
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

  function makeOffer({ from, to }: IncomingCall): Offer | undefined {
    const binding = bindings.issue();
    const call = calls.claim(binding, { from: addressOf(from), to: addressOf(to) });
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
      const ids = await client.answer(
        { incomingCallContext, callbackUri, transportUrl },
        AbortSignal.timeout(answerMs),
      );
      call.answered(ids);
      call.log.info({ ms: Math.round(performance.now() - begun) }, 'call answered');
      return 'done';
    } catch (error) {
      return failed(offer, asAcsError(error));
    }
  }

  function failed(offer: Offer, error: AcsError): Outcome {
    const { call } = offer;
    offer.doubtful ||= error.timedOut;
    logFailure(call.log, error);
    // Neither a call that gave a sign of an answer ends by this, nor one that was given up on before: a 404 is what
    // ACS says of a call that this app has answered.
    if (offer.doubtful) call.unsure();
    else if (!call.established) call.end(error.isRetryable ? endings.unanswered : endings.answerFailed);
    return error.isRetryable ? 'retry' : 'done';
  }

  async function rejectAsBusy(incoming: IncomingCall): Promise<Outcome> {
    try {
      await client.rejectAsBusy(incoming.incomingCallContext, AbortSignal.timeout(answerMs));
      log.warn({ correlationId: incoming.correlationId }, 'call rejected as busy: MAX_CALLS are running');
    } catch (error) {
      const { status, code } = asAcsError(error);
      log.warn(
        { correlationId: incoming.correlationId, status, code },
        'busy, and the rejection failed: the call rings out',
      );
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

function logFailure(log: Logger, { status, code, timedOut, isRetryable }: AcsError): void {
  const help = explainStatus(status);
  const facts = { status, code, help };
  if (timedOut)
    log.warn(facts, 'ACS did not say in time whether the call is answered: to be announced again');
  else if (!isRetryable) log.warn(facts, 'the call was not answered: it is taken or gone');
  else log[help ? 'error' : 'warn'](facts, 'the call could not be answered: to be announced again');
}
