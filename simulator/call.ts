import type { CallMedia } from './call-media.ts';
import { createCallMedia } from './call-media.ts';
import type { Callbacks, Result } from './callbacks.ts';
import { callbackEvent, createCallbacks } from './callbacks.ts';
import { incomingCallEvent } from './event-grid.ts';
import type { Exchange } from './exchange.ts';
import type { Answer, Call, CallOptions, FailingOperation } from './handle.ts';
import { createCallIds, parseIdentifier } from './identifiers.ts';
import { createInvitations } from './invitations.ts';
import type { Happening } from './journal.ts';
import { createJournal } from './journal.ts';
import { createKeypad } from './keypad.ts';
import { rest } from './post.ts';
import { createPrompts } from './prompts.ts';
import type { CallReport, CallState } from './report.ts';
import { reportCall } from './report.ts';
import { RestError } from './rest-error.ts';
import { results } from './results.ts';
import { createRoster } from './roster.ts';
import { createTones } from './tones.ts';

const FIVE_MINUTES = 5 * 60;

/** Places a call: from here on it rings, until somebody answers or gives up. */
export function createCall(options: CallOptions, exchange: Exchange): Call {
  const { durations, faults, keys, now, signal } = exchange;
  const {
    order = 'together',
    schema = 'event-grid',
    app = exchange.app,
    announce: announced = true,
  } = options;
  if (announced && app === undefined) {
    throw new RestError(400, 'BadRequest', 'app: the URL of the incoming-call webhook is not known.');
  }
  const ids = createCallIds();
  const id = ids.correlationId;
  const from = parseIdentifier(options.from ?? '+15550100');
  const to = parseIdentifier(options.to ?? '+15550199');
  const journal = createJournal({
    waitMs: durations.waitMs,
    now,
    also: (happening) => exchange.note(happening, id),
  });
  const note = (happening: Happening) => journal.add(happening);
  const { promise: ended, resolve: settle } = Promise.withResolvers<CallReport>();
  const [stopRinging, hungUp] = [new AbortController(), new AbortController()];
  const ringing = AbortSignal.any([stopRinging.signal, signal]);
  const { serverCallId, correlationId, incomingCallContext } = ids;
  const announcement = incomingCallEvent(
    { from, to, callerDisplayName: '', serverCallId, correlationId, incomingCallContext },
    schema,
    new Date(now()),
  );
  let state: CallState = 'ringing';
  let answered: Answer | undefined;
  let callbacks: Callbacks | undefined;
  let media: CallMedia | undefined;

  const event: Call['event'] = (type, data = {}) => callbackEvent(type, ids, data, new Date(now()));

  async function push(type: string, data: object = {}, result: Result = results.succeeded) {
    const context =
      answered?.operationContext === undefined ? {} : { operationContext: answered.operationContext };
    await callbacks?.push(event(type, { ...context, resultInformation: result, ...data }));
  }

  const shared = {
    over: hungUp.signal,
    keyMs: durations.keyMs,
    frameMs: durations.frameMs,
    fails: (operation: FailingOperation) => options.fails?.includes(operation) === true,
    push,
  };
  const roster = createRoster([from, to], push);
  const invitations = createInvitations({ ...shared, roster, outcome: options.invited ?? 'accepted' });
  const keypad = createKeypad(shared);
  const prompts = createPrompts({ ...shared, keypad, hasSpeech: () => answered?.hasSpeech === true });
  const tones = createTones({ ...shared, keypad });

  async function announce(): Promise<boolean> {
    if (app === undefined) return false;
    return exchange.eventGrid.announce(app, announcement, schema, note, ringing);
  }

  async function ring() {
    const heard = !announced || (await announce());
    // Nobody will answer what was refused for good: the caller needn't wait for the end of the ringing.
    if (heard) await rest(durations.ringMs, ringing);
    if (state === 'ringing') end('not answered');
  }

  /** What follows an answer. */
  async function proceed() {
    const events = async () => {
      await push('CallConnected');
      await roster.announce();
      if (!answered?.media) void keypad.press(options.digits ?? '');
    };
    const socket = async () => {
      if (answered?.media?.start) await media?.start();
    };
    if (order === 'events-first') await events().then(socket);
    else if (order === 'together') await Promise.all([events(), socket()]);
    else await socket().then(events);
  }

  const removeParticipant: Call['removeParticipant'] = async (rawId, said) => {
    const participant = roster.all().find(({ identifier }) => identifier.rawId === rawId)?.identifier;
    if (!participant)
      return push('RemoveParticipantFailed', { ...said, participant: { rawId } }, results.notThere);
    const announce = roster.remove(rawId);
    await push('RemoveParticipantSucceeded', { ...said, participant });
    announce();
    if (roster.all().every(({ identifier }) => identifier === to))
      end('everyone was removed', results.endedByApp);
  };

  function end(outcome: string, result: Result = results.endedByCaller) {
    if (state === 'ended') return;
    state = 'ended';
    stopRinging.abort();
    hungUp.abort();
    note({ type: 'ended', outcome });
    // How the app closes its WebSocket may be known only after its hang-up, and belongs into the report.
    const closed = Promise.race([media?.stream.close(), rest(durations.graceMs, signal)]);
    void Promise.all([push('CallDisconnected', {}, result), closed]).then(() => settle(report()));
  }

  const hangUp = () => end('the caller hung up');

  /** A caller who isn't heard says what there is to say all the same, and hangs up. */
  async function speakUnheard(frames: number) {
    if (!Number.isFinite(frames)) return;
    await rest(frames * durations.frameMs, hungUp.signal);
    if (!media?.stream.live) hangUp();
  }

  function report(): CallReport {
    const { entries } = journal;
    const keys = media || keypad.count.wanted > 0 ? keypad.count : undefined;
    return reportCall({ ...ids, id, state, entries, media: media?.stream.report(), keys });
  }

  function assertRinging() {
    if (state !== 'ringing')
      throw new RestError(404, '8522', 'Call not found: it was answered, or rings no more.');
  }

  note({ type: 'placed' });
  void ring();

  return {
    ...ids,
    id,
    from,
    to,
    journal,
    until: journal.until,
    announcement,
    announce,
    event,
    ended,
    report,
    end,
    prompts,
    tones,
    roster,
    invitations,
    removeParticipant,
    fails: shared.fails,
    push,
    get state() {
      return state;
    },
    get stream() {
      return media?.stream;
    },
    get answered() {
      return answered;
    },
    async openMedia(overrides) {
      if (!media) throw new Error('the call was not answered with media');
      return media.open(overrides);
    },
    async post(body, headers) {
      if (!callbacks) throw new Error('the call was not answered: it has no callback URI');
      return callbacks.post(body, headers);
    },
    press: keypad.press,
    hangUp,
    async answer(request) {
      assertRinging();
      state = 'connected';
      stopRinging.abort();
      answered = request;
      callbacks = createCallbacks({
        url: request.callbackUri,
        token: () => keys.token(FIVE_MINUTES),
        faults,
        note,
        signal,
        retryMs: durations.callbackRetryMs,
        timeoutMs: durations.callbackTimeoutMs,
      });
      if (request.media) {
        media = createCallMedia({
          request: request.media,
          options,
          exchange,
          ids,
          from,
          prompting: () => prompts.sounding,
          over: hungUp.signal,
          note,
          push,
          onFirst: () => void keypad.press(options.digits ?? ''),
          onDone: hangUp,
          onUnheard: (frames) => void speakUnheard(frames),
        });
        keypad.listen((key) => media?.stream.press(key) === true);
      }
      note({ type: 'answered', callConnectionId: ids.callConnectionId });
      if (options.seconds !== undefined) void speakUnheard(options.seconds * 50);
      if (order === 'media-before-answer' && request.media?.start) await media?.start();
      return () => void proceed();
    },
    reject(reason) {
      assertRinging();
      note({ type: 'rejected', reason });
      end(`rejected: ${reason}`);
    },
    redirect() {
      assertRinging();
      end('redirected');
    },
    startMedia(data) {
      void media?.start(data);
    },
    async stopMedia(data) {
      await media?.stop(data);
    },
    async transfer(data) {
      if (options.transfer === 'failed') return push('CallTransferFailed', data, results.transferFailed);
      await push('CallTransferAccepted', { ...data, transferee: from });
      end('transferred', results.transferred);
    },
  };
}
