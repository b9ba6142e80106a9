import { incomingCallEvent } from '../events/announcements.ts';
import type { Exchange } from '../exchange.ts';
import { RestError } from '../http/rest-error.ts';
import { wait } from '../wait.ts';
import { createCall } from './call.ts';
import type { Call, CallOptions, IncomingCall } from './handle.ts';
import { createCallIds, parseIdentifier } from './identifiers.ts';

export const isIncoming = (call: Call): call is IncomingCall => 'answer' in call;

/** Places a call to the app: it is announced, and rings until somebody answers or gives up. */
export function createIncomingCall(options: CallOptions, exchange: Exchange): IncomingCall {
  const { schema = 'event-grid', app = exchange.app, announce: announced = true } = options;
  if (announced && app === undefined) {
    throw new RestError(400, 'BadRequest', 'app: the URL of the incoming-call webhook is not known.');
  }
  const ids = createCallIds();
  const from = parseIdentifier(options.from ?? '+15550100');
  const to = parseIdentifier(options.to ?? '+15550199');
  const { serverCallId, correlationId, incomingCallContext } = ids;
  const announcement = incomingCallEvent(
    { from, to, callerDisplayName: '', serverCallId, correlationId, incomingCallContext },
    schema,
    new Date(exchange.now()),
  );
  const call = createCall({ ids, direction: 'incoming', from, targets: [to], app: to, options, exchange });

  async function announce(): Promise<boolean> {
    if (app === undefined) return false;
    return exchange.eventGrid.announce({
      webhook: app,
      event: announcement,
      schema,
      what: 'call',
      until: call.ringing,
      faults: exchange.faults,
      random: exchange.random,
      note: call.journal.add,
    });
  }

  async function ring() {
    const heard = !announced || (await announce());
    // Nobody will answer what was refused for good: the caller needn't wait for the end of the ringing.
    if (heard) await wait(exchange.durations.ringMs, call.ringing);
    if (call.state === 'ringing') call.end('not answered');
  }

  function assertRinging() {
    if (call.state !== 'ringing')
      throw new RestError(404, '8522', 'Call not found: it was answered, or rings no more.');
  }

  void ring();

  return Object.assign(call, {
    announcement,
    announce,
    async answer(setup: Parameters<IncomingCall['answer']>[0]) {
      assertRinging();
      call.claim(setup);
      return call.connect(setup, from);
    },
    reject(reason: string) {
      assertRinging();
      call.journal.add({ type: 'rejected', reason });
      call.end(`rejected: ${reason}`);
    },
    redirect() {
      assertRinging();
      call.end('redirected');
    },
  });
}
