import type { Exchange } from '../exchange.ts';
import type { CallFaults } from '../faults/faults.ts';
import { RestError } from '../http/rest-error.ts';
import type { CallIndex } from '../rest/operation.ts';
import type { CallNames } from '../rest/rest.ts';
import type { Call, CallOptions, DialedOptions, DialedOutcome, SimulatedCall } from './handle.ts';
import { createIncomingCall, isIncoming } from './incoming-call.ts';
import { createJoinedCall } from './joined-call.ts';
import { createOutgoingCall } from './outgoing-call.ts';

/** All calls of a simulator, whoever made them. */
export interface Switchboard extends CallIndex {
  readonly all: readonly Call[];
  /** Calls the app. */
  place(options?: CallOptions): SimulatedCall;
  /** From now on this becomes of the calls that the app makes. The function takes it back. */
  setDialed(dialed: DialedOutcome | DialedOptions): () => void;
  /** The call that a request is about, in whatever state. */
  named(names: CallNames): Call | undefined;
}

/**
 * @param options.exchangeFor what a call has in common with all, but for its own faults
 * @param options.keepCalls how many calls are kept: of those that have ended, the oldest go first
 * @param options.keepBytes how much audio of ended calls is kept with them
 * @param options.dialed what becomes of the calls that the app makes
 */
export function createSwitchboard({
  exchangeFor,
  keepCalls,
  keepBytes,
  dialed: atFirst = 'accepted',
}: {
  exchangeFor: (own?: CallFaults) => Exchange;
  keepCalls: number;
  keepBytes: number;
  dialed?: DialedOutcome | DialedOptions | undefined;
}): Switchboard {
  const all: Call[] = [];
  let dialed = readDialed(atFirst);

  function keep<C extends Call>(call: C): C {
    all.push(call);
    forget();
    return call;
  }

  /** Forgets calls that have ended, the oldest first, as far as there is no room for them. */
  function forget() {
    const ended = all.filter(({ state }) => state === 'ended');
    let bytes = ended.reduce((sum, { stream }) => sum + (stream?.keptBytes ?? 0), 0);
    for (const call of ended) {
      if (all.length <= keepCalls && bytes <= keepBytes) return;
      all.splice(all.indexOf(call), 1);
      bytes -= call.stream?.keptBytes ?? 0;
    }
  }

  return {
    all,
    place: (options = {}) => keep(createIncomingCall(options, exchangeFor(options.faults))),
    dial: (wanted) => keep(createOutgoingCall(wanted, dialed, exchangeFor(dialed.faults))),
    join(wanted) {
      const joined = all.find((one) => one.serverCallId === wanted.serverCallId && one.state === 'connected');
      return keep(createJoinedCall(wanted, joined, dialed, exchangeFor(dialed.faults)));
    },
    setDialed(changed) {
      const before = dialed;
      dialed = readDialed(changed);
      return () => {
        dialed = before;
      };
    },
    byContext: (context) =>
      found(all.filter(isIncoming).find((call) => call.incomingCallContext === context)),
    byConnection: (id) =>
      found(
        all.find(
          ({ callConnectionId, setup, state }) => callConnectionId === id && setup && state !== 'ended',
        ),
      ),
    byServerCall: (id) => found(all.find((call) => call.serverCallId === id && call.state !== 'ended')),
    byRecording(id) {
      const recording = all.map(({ recordings }) => recordings?.find(id)).find((one) => one !== undefined);
      if (!recording) throw new RestError(404, '8522', 'Recording not found.');
      return recording;
    },
    named: ({ callConnectionId, incomingCallContext, serverCallId, recordingId }) =>
      all.find(
        (call) =>
          call.callConnectionId === callConnectionId ||
          call.incomingCallContext === incomingCallContext ||
          call.serverCallId === serverCallId ||
          (recordingId !== undefined && call.recordings?.has(recordingId)),
      ),
  };
}

const readDialed = (dialed: DialedOutcome | DialedOptions): DialedOptions =>
  typeof dialed === 'string' ? { outcome: dialed } : dialed;

function found<C extends Call>(call: C | undefined): C {
  if (!call) throw new RestError(404, '8522', 'Call not found.');
  return call;
}
