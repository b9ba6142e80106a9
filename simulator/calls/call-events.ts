import type { Callbacks, Result } from '../events/callbacks.ts';
import { callbackEvent, createCallbacks } from '../events/callbacks.ts';
import { results } from '../events/results.ts';
import type { Exchange } from '../exchange.ts';
import type { Happening } from '../journal.ts';
import type { Said } from '../rest/operation.ts';
import { callbackUri } from '../rest/operation.ts';
import type { Call, Setup } from './handle.ts';
import type { CallIds } from './identifiers.ts';

const FIVE_MINUTES = 5 * 60;

/** What the app is told of a call. */
export interface CallEvents extends Pick<Call, 'event' | 'claim' | 'push' | 'post'> {
  /** Posts the last event, which nothing follows. Resolves when all are delivered, those too that are late. */
  finish(type: string, result: Result): Promise<void>;
}

/** @param options.note is told each attempt to deliver an event, and each fault that befalls one */
export function createCallEvents({
  ids,
  exchange,
  note,
}: {
  ids: CallIds;
  exchange: Exchange;
  note: (happening: Happening) => void;
}): CallEvents {
  const { durations, faults, keys, now, random, signal } = exchange;
  let callbacks: Callbacks | undefined;
  let operationContext: string | undefined;
  let isFinished = false;

  const event: CallEvents['event'] = (type, data = {}) => callbackEvent(type, ids, data, new Date(now()));

  const push: CallEvents['push'] = async (type, data = {}, resultInformation = results.succeeded) => {
    if (isFinished) return;
    const context = operationContext === undefined ? {} : { operationContext };
    const { [callbackUri]: to }: Partial<Said> = data;
    await callbacks?.push(event(type, { ...context, resultInformation, ...data }), to);
  };

  return {
    event,
    push,
    claim(setup: Setup) {
      operationContext = setup.operationContext;
      callbacks = createCallbacks({
        url: setup.callbackUri,
        token: () => keys.token(FIVE_MINUTES),
        faults,
        random,
        note,
        signal,
        retryMs: durations.callbackRetryMs,
        timeoutMs: durations.callbackTimeoutMs,
        overtakeMs: durations.overtakeMs,
      });
    },
    async finish(type, result) {
      const last = push(type, {}, result);
      isFinished = true;
      await last;
      await callbacks?.settled();
    },
    async post(body, headers) {
      if (!callbacks) throw new Error('the call was not answered: it has no callback URI');
      return callbacks.post(body, headers);
    },
  };
}
