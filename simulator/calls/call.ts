import { results } from '../events/results.ts';
import type { Exchange } from '../exchange.ts';
import { RestError } from '../http/rest-error.ts';
import { createJournal } from '../journal.ts';
import { wait } from '../wait.ts';
import type { CallContext } from './call-context.ts';
import { createCallEvents } from './call-events.ts';
import { createCallParts } from './call-parts.ts';
import type { Call, CallOptions, Setup } from './handle.ts';
import type { CallIds, Identifier } from './identifiers.ts';
import type { CallDirection, CallReport, CallState } from './report.ts';
import { reportCall } from './report.ts';

/** How a call comes about. */
export interface Placement {
  ids: CallIds;
  direction: CallDirection;
  /** Who calls whom. */
  from: Identifier;
  targets: readonly [Identifier, ...Identifier[]];
  /** Which of them is the app. */
  app: Identifier;
  /** The number that is shown to those whom the app calls. */
  callerId?: string | undefined;
  options: CallOptions;
  exchange: Exchange;
}

/** A call, whoever placed it: it rings until it is connected, and is over once it has ended. */
export function createCall(placement: Placement): Call {
  const { ids, direction, from, targets, app, callerId, options, exchange } = placement;
  const { durations, now, numbers, signal } = exchange;
  const { order = 'together' } = options;
  const id = ids.correlationId;
  const journal = createJournal({
    waitMs: durations.waitMs,
    now,
    callId: id,
    also: exchange.note,
  });
  const { add: note } = journal;
  const { promise: ended, resolve: settle } = Promise.withResolvers<CallReport>();
  const [stopRinging, hungUp] = [new AbortController(), new AbortController()];
  const [to] = targets;
  let person = app === from ? to : from;
  let state: CallState = 'ringing';
  let setup: Setup | undefined;

  const events = createCallEvents({ ids, exchange, note });
  const { push } = events;
  const fails: CallContext['fails'] = (operation) =>
    operation === 'transfer' ? options.transfer === 'failed' : options.fails?.includes(operation) === true;
  const context = { ids, options, exchange, app, over: hungUp.signal, fails, note, push };
  const parts = createCallParts({ ...context, present: direction === 'incoming' ? [from, to] : [app] });
  const { invitations, keypad, prompts, roster, tones, words } = parts;

  /** What follows once somebody has answered. */
  async function proceed() {
    const tell = async () => {
      await push('CallConnected');
      await roster.announce();
      if (!setup?.media) void keypad.press(options.digits ?? '');
    };
    const open = async () => {
      if (setup?.transcription?.start) void parts.transcription?.start();
      if (setup?.media?.start) await parts.media?.start();
    };
    if (order === 'events-first') await tell().then(open);
    else if (order === 'together') await Promise.all([tell(), open()]);
    else await open().then(tell);
  }

  const claim: Call['claim'] = (wanted) => {
    setup = wanted;
    events.claim(wanted);
  };

  const connect: Call['connect'] = async (wanted, who) => {
    state = 'connected';
    stopRinging.abort();
    person = who;
    parts.connect(wanted, person, { onDone: hangUp, onUnheard: (frames) => void speakUnheard(frames) });
    note({ type: 'answered', callConnectionId: ids.callConnectionId });
    if (options.seconds !== undefined && !wanted.media?.start) void speakUnheard(options.seconds * 50);
    if (order === 'media-before-answer' && wanted.media?.start) await parts.media?.start();
    return () => void proceed();
  };

  const end: Call['end'] = (outcome, result = results.endedByCaller) => {
    if (state === 'ended') return;
    const last = direction === 'joined' && state === 'ringing' ? 'ConnectFailed' : 'CallDisconnected';
    state = 'ended';
    stopRinging.abort();
    hungUp.abort();
    note({ type: 'ended', outcome });
    // How the app closes its WebSocket may be known only after its hang-up, and belongs into the report.
    const closed = Promise.race([parts.close(), wait(durations.graceMs, signal)]);
    void Promise.all([events.finish(last, result), closed]).then(() => settle(report()));
  };

  const hangUp = () =>
    direction === 'incoming' ? end('the caller hung up') : end('the callee hung up', results.endedByCallee);

  /** Somebody who isn't heard says what there is to say all the same, and hangs up. */
  async function speakUnheard(frames: number) {
    if (!Number.isFinite(frames)) return;
    await wait(frames * durations.frameMs, hungUp.signal);
    if (!parts.media?.stream.live) hangUp();
  }

  function report(): CallReport {
    const { media } = parts;
    const keys = media || keypad.count.wanted > 0 ? keypad.count : undefined;
    const { entries } = journal;
    return reportCall({ ...ids, id, direction, state, entries, media: media?.stream.report(), keys });
  }

  note({ type: 'placed' });

  return {
    ...ids,
    id,
    direction,
    from,
    to,
    app,
    targets,
    callerId,
    numbers,
    announcement: undefined,
    announce: async () => false,
    respond() {
      throw new RestError(409, 'Conflict', "Nobody's phone rings.");
    },
    journal,
    until: journal.until,
    event: events.event,
    post: events.post,
    ended,
    report,
    end,
    prompts,
    tones,
    roster,
    invitations,
    fails,
    push,
    claim,
    connect,
    over: hungUp.signal,
    ringing: AbortSignal.any([stopRinging.signal, signal]),
    get state() {
      return state;
    },
    get person() {
      return person;
    },
    get media() {
      return parts.media;
    },
    get stream() {
      return parts.media?.stream;
    },
    get transcription() {
      return parts.transcription;
    },
    get recordings() {
      return parts.recordings;
    },
    get setup() {
      return setup;
    },
    async openMedia(overrides) {
      if (!parts.media) throw new Error('the call was not answered with media');
      return parts.media.open(overrides);
    },
    press: keypad.press,
    say: words.say,
    hangUp,
  };
}
