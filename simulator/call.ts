import type { CallMedia } from './call-media.ts';
import { createCallMedia } from './call-media.ts';
import type { CallRecordings } from './call-recordings.ts';
import { createCallRecordings } from './call-recordings.ts';
import type { Callbacks, Result } from './callbacks.ts';
import { callbackEvent, createCallbacks } from './callbacks.ts';
import { isForeign } from './caller-id.ts';
import { createCast } from './cast.ts';
import type { Exchange } from './exchange.ts';
import type { Call, CallOptions, FailingOperation, Setup } from './handle.ts';
import type { CallIds, Identifier } from './identifiers.ts';
import { createInvitations } from './invitations.ts';
import type { Happening } from './journal.ts';
import { createJournal } from './journal.ts';
import { createKeypad } from './keypad.ts';
import type { Said } from './operation.ts';
import { callbackUri } from './operation.ts';
import { createPromptPlayer } from './prompt-player.ts';
import { createPrompts } from './prompts.ts';
import type { CallDirection, CallReport, CallState } from './report.ts';
import { reportCall } from './report.ts';
import { RestError } from './rest-error.ts';
import { results } from './results.ts';
import { createRoster } from './roster.ts';
import { tapeRate } from './tape.ts';
import { createTones } from './tones.ts';
import type { Transcription } from './transcription.ts';
import { createTranscription } from './transcription.ts';
import { createVoices } from './voices.ts';
import { wait } from './wait.ts';
import { createWords } from './words.ts';

const FIVE_MINUTES = 5 * 60;

/**
 * A call, whoever placed it: it rings until it is connected, and is over once it has ended.
 *
 * @param options.from,targets who calls whom
 * @param options.app which of them is the app
 * @param options.callerId the number that is shown to those whom the app calls
 */
export function createCall({
  ids,
  direction,
  from,
  targets,
  app,
  callerId,
  options,
  exchange,
}: {
  ids: CallIds;
  direction: CallDirection;
  from: Identifier;
  targets: readonly [Identifier, ...Identifier[]];
  app: Identifier;
  callerId?: string | undefined;
  options: CallOptions;
  exchange: Exchange;
}): Call {
  const { durations, faults, keys, now, random, signal } = exchange;
  const { order = 'together' } = options;
  const id = ids.correlationId;
  const journal = createJournal({
    waitMs: durations.waitMs,
    now,
    also: (happening) => exchange.note(happening, id),
  });
  const note = (happening: Happening) => journal.add(happening);
  const fate = { faults, random, note };
  const { promise: ended, resolve: settle } = Promise.withResolvers<CallReport>();
  const [stopRinging, hungUp] = [new AbortController(), new AbortController()];
  const [to] = targets;
  let person = app === from ? to : from;
  let state: CallState = 'ringing';
  let setup: Setup | undefined;
  let callbacks: Callbacks | undefined;
  let media: CallMedia | undefined;
  let transcription: Transcription | undefined;
  let recordings: CallRecordings | undefined;

  const event: Call['event'] = (type, data = {}) => callbackEvent(type, ids, data, new Date(now()));

  async function push(type: string, data: object = {}, result: Result = results.succeeded) {
    const context = setup?.operationContext === undefined ? {} : { operationContext: setup.operationContext };
    const { [callbackUri]: to }: Partial<Said> = data;
    await callbacks?.push(event(type, { ...context, resultInformation: result, ...data }), to);
  }

  const shared = {
    over: hungUp.signal,
    keyMs: durations.keyMs,
    frameMs: durations.frameMs,
    fails: (operation: FailingOperation) => options.fails?.includes(operation) === true,
    push,
  };
  const words = createWords(options.words);
  const roster = createRoster(direction === 'incoming' ? [from, to] : [app], push);
  const invitations = createInvitations({
    ...shared,
    roster,
    numbers: exchange.numbers,
    outcome: options.invited ?? 'accepted',
  });
  const keypad = createKeypad(shared);
  const prompts = createPrompts({
    ...shared,
    keypad,
    words,
    player: createPromptPlayer({
      frameMs: durations.frameMs,
      sampleRate: () => setup?.media?.sampleRate ?? tapeRate,
      isHeard: () => media?.stream.live === true || recordings?.running === true,
    }),
    hasSpeech: () => setup?.hasSpeech === true,
  });
  const tones = createTones({ ...shared, keypad });

  /** What follows once somebody has answered. */
  async function proceed() {
    const events = async () => {
      await push('CallConnected');
      await roster.announce();
      if (!setup?.media) void keypad.press(options.digits ?? '');
    };
    const socket = async () => {
      if (setup?.transcription?.start) void transcription?.start();
      if (setup?.media?.start) await media?.start();
    };
    if (order === 'events-first') await events().then(socket);
    else if (order === 'together') await Promise.all([events(), socket()]);
    else await socket().then(events);
  }

  const claim: Call['claim'] = (wanted) => {
    setup = wanted;
    callbacks = createCallbacks({
      url: wanted.callbackUri,
      token: () => keys.token(FIVE_MINUTES),
      ...fate,
      signal,
      retryMs: durations.callbackRetryMs,
      timeoutMs: durations.callbackTimeoutMs,
      overtakeMs: durations.overtakeMs,
    });
  };

  const connect: Call['connect'] = async (wanted, who) => {
    state = 'connected';
    stopRinging.abort();
    person = who;
    roster.add(who);
    const voices = createVoices({
      app: app.rawId,
      present: roster.all,
      sampleRate: wanted.media?.sampleRate ?? tapeRate,
      speechOf: createCast(options, exchange),
    });
    recordings = createCallRecordings({
      ids,
      options,
      exchange,
      app: app.rawId,
      roster,
      voices,
      streaming: () => media?.stream.live === true,
      prompting: prompts.next,
      over: hungUp.signal,
      fate,
      push,
    });
    if (wanted.media) {
      media = createCallMedia({
        request: wanted.media,
        options,
        exchange,
        ids,
        voices,
        prompting: prompts.next,
        over: hungUp.signal,
        note,
        push,
        onSound: recordings.add,
        onFirst: () => void keypad.press(options.digits ?? ''),
        onDone: hangUp,
        onUnheard: (frames) => void speakUnheard(frames),
      });
      keypad.listen((key) => media?.stream.press(key) === true);
    }
    if (wanted.transcription) {
      transcription = createTranscription({
        ...shared,
        request: wanted.transcription,
        exchange,
        ids,
        speaker: person,
        roster,
        words,
        hasSpeech: wanted.hasSpeech,
        note,
      });
    }
    note({ type: 'answered', callConnectionId: ids.callConnectionId });
    if (options.seconds !== undefined && !wanted.media?.start) void speakUnheard(options.seconds * 50);
    if (order === 'media-before-answer' && wanted.media?.start) await media?.start();
    return () => void proceed();
  };

  const leave: Call['leave'] = (rawId, outcome) => {
    const announce = roster.remove(rawId);
    return () => {
      announce();
      if (roster.all().every(({ identifier }) => identifier === app)) end(outcome, results.endedByApp);
    };
  };

  const removeParticipant: Call['removeParticipant'] = async (rawId, said) => {
    const participant = roster.all().find(({ identifier }) => identifier.rawId === rawId)?.identifier;
    if (!participant)
      return push('RemoveParticipantFailed', { ...said, participant: { rawId } }, results.notThere);
    const left = leave(rawId, 'everyone was removed');
    await push('RemoveParticipantSucceeded', { ...said, participant });
    left();
  };

  function end(outcome: string, result: Result = results.endedByCaller) {
    if (state === 'ended') return;
    const last = direction === 'joined' && state === 'ringing' ? 'ConnectFailed' : 'CallDisconnected';
    state = 'ended';
    stopRinging.abort();
    hungUp.abort();
    note({ type: 'ended', outcome });
    // How the app closes its WebSocket may be known only after its hang-up, and belongs into the report.
    const closed = Promise.race([
      Promise.all([media?.stream.close(), transcription?.close()]),
      wait(durations.graceMs, signal),
    ]);
    void Promise.all([push(last, {}, result), closed])
      .then(() => callbacks?.settled())
      .then(() => settle(report()));
  }

  const hangUp = () =>
    direction === 'incoming' ? end('the caller hung up') : end('the callee hung up', results.endedByCallee);

  /** Somebody who isn't heard says what there is to say all the same, and hangs up. */
  async function speakUnheard(frames: number) {
    if (!Number.isFinite(frames)) return;
    await wait(frames * durations.frameMs, hungUp.signal);
    if (!media?.stream.live) hangUp();
  }

  function report(): CallReport {
    const { entries } = journal;
    const keys = media || keypad.count.wanted > 0 ? keypad.count : undefined;
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
    announcement: undefined,
    announce: async () => false,
    respond() {
      throw new RestError(409, 'Conflict', "Nobody's phone rings.");
    },
    journal,
    until: journal.until,
    event,
    ended,
    report,
    end,
    prompts,
    tones,
    roster,
    invitations,
    leave,
    removeParticipant,
    fails: shared.fails,
    push,
    claim,
    connect,
    over: hungUp.signal,
    ringing: AbortSignal.any([stopRinging.signal, signal]),
    get state() {
      return state;
    },
    get stream() {
      return media?.stream;
    },
    get transcription() {
      return transcription;
    },
    get recordings() {
      return recordings;
    },
    get setup() {
      return setup;
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
    say: words.say,
    hangUp,
    startMedia(data) {
      void media?.start(data);
    },
    async stopMedia(data) {
      await media?.stop(data);
    },
    async transfer(transferTarget, callerId, said) {
      const data = { ...said, transferTarget };
      if (isForeign(transferTarget, callerId, exchange.numbers))
        return push('CallTransferFailed', data, results.foreignCallerId);
      if (options.transfer === 'failed') return push('CallTransferFailed', data, results.transferFailed);
      await push('CallTransferAccepted', { ...data, transferee: person });
      end('transferred', results.transferred);
    },
  };
}
