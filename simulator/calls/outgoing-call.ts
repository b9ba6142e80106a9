import type { Result } from '../events/callbacks.ts';
import { results } from '../events/results.ts';
import type { Exchange } from '../exchange.ts';
import { RestError } from '../http/rest-error.ts';
import { isForeign } from '../rest/caller-id.ts';
import { wait } from '../wait.ts';
import { createCall } from './call.ts';
import type { DialedOptions, OutgoingCall, Setup } from './handle.ts';
import type { Identifier } from './identifiers.ts';
import { createCallIds, parseIdentifier } from './identifiers.ts';
import type { InvitationOutcome } from './invitations.ts';

/** A call as the app asks for it. */
export interface Dial {
  source: Identifier;
  targets: readonly [Identifier, ...Identifier[]];
  callerId: string | undefined;
  setup: Setup;
}

/** How a call ended that nobody answered. */
const refusals = {
  declined: 'the callee declined',
  busy: 'the callee was busy',
  unanswered: 'the callee did not answer',
};

/**
 * Makes a call for the app, at one phone or at several: it is connected once one of them is answered, and whoever
 * answers later comes in.
 */
export function createOutgoingCall(
  { source, targets, callerId, setup }: Dial,
  { outcome: wanted, ...options }: DialedOptions,
  exchange: Exchange,
): OutgoingCall {
  const { durations, numbers } = exchange;
  const ids = createCallIds();
  const call = createCall({
    ids,
    direction: 'outgoing',
    from: source,
    targets,
    app: source,
    callerId,
    options,
    exchange,
  });
  const phones = new Map<string, (outcome: InvitationOutcome) => void>();
  let connected: Promise<() => void> | undefined;

  /** What comes of it at one phone. */
  async function ringAt({ rawId }: Identifier): Promise<InvitationOutcome> {
    if (wanted !== 'manual' && wanted !== 'unanswered') return wanted;
    const responded = new AbortController();
    let outcome: InvitationOutcome = 'unanswered';
    phones.set(rawId, (response) => {
      phones.delete(rawId);
      outcome = response;
      responded.abort();
    });
    await wait(durations.ringMs, AbortSignal.any([responded.signal, call.over]));
    phones.delete(rawId);
    return outcome;
  }

  async function letIn(who: Identifier) {
    if (connected) {
      await connected;
      call.roster.add(who)();
    } else {
      connected = call.connect(setup, who);
      (await connected)();
    }
  }

  function fail(outcome: string, result: Result) {
    void call.push('CreateCallFailed', {}, result);
    call.end(outcome, result);
  }

  async function ring() {
    if (targets.some((target) => isForeign(target, callerId, numbers)))
      return fail('the caller id is no number of the resource', results.foreignCallerId);
    const outcomes = await Promise.all(
      targets.map(async (target) => {
        const outcome = await ringAt(target);
        if (outcome === 'accepted' && !call.over.aborted) await letIn(target);
        return outcome;
      }),
    );
    const [refusal] = outcomes.filter((outcome) => outcome !== 'accepted');
    if (refusal && call.state === 'ringing') fail(refusals[refusal], results[refusal]);
  }

  const respond: OutgoingCall['respond'] = (outcome, target) => {
    const [rawId] = target === undefined ? phones.keys() : [parseIdentifier(target).rawId];
    const phone = rawId === undefined ? undefined : phones.get(rawId);
    if (!phone) throw new RestError(409, 'Conflict', "Nobody's phone rings.");
    phone(outcome);
  };

  const { hangUp } = call;
  call.claim(setup);
  return Object.assign(call, {
    ring: () => void ring(),
    respond,
    hangUp() {
      if (call.state !== 'ringing') return hangUp();
      for (const phone of phones.values()) phone('declined');
    },
  });
}
