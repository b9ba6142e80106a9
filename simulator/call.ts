import { randomBytes } from 'node:crypto';
import type { Callbacks, Result } from './callbacks.ts';
import { callbackEvent, createCallbacks } from './callbacks.ts';
import type { EventGrid } from './event-grid.ts';
import { incomingCallEvent } from './event-grid.ts';
import type { Faults } from './faults.ts';
import type { CallOptions, SimulatedCall } from './handle.ts';
import type { Identifier } from './identifiers.ts';
import { createCallIds, parseIdentifier } from './identifiers.ts';
import type { Happening } from './journal.ts';
import { createJournal } from './journal.ts';
import type { Keys } from './keys.ts';
import type { Upgrade } from './media.ts';
import { rest } from './post.ts';
import type { CallReport, CallState } from './report.ts';
import { reportCall } from './report.ts';
import { RestError } from './rest-error.ts';
import { results } from './results.ts';
import type { Stream } from './stream.ts';
import { createStream } from './stream.ts';
import type { Ticker } from './ticker.ts';
import type { Sound } from './wav.ts';

/** What answerCall asks for. */
export interface Answer {
  callbackUri: string;
  operationContext: string | undefined;
  media: MediaRequest | undefined;
}
export interface MediaRequest {
  transportUrl: string;
  sampleRate: number;
  bidirectional: boolean;
  dtmfTones: boolean;
  unmixed: boolean;
  start: boolean;
}

export interface Participant {
  identifier: Identifier;
  isMuted: boolean;
  isOnHold: boolean;
}

/** The handle as the REST operations need it. */
export interface Call extends SimulatedCall {
  readonly answered: Answer | undefined;
  /** Takes the call; the function it returns, run once the operation is answered, sets the rest going. */
  answer(answer: Answer): Promise<() => void>;
  reject(reason: string): void;
  /** What follows these is told by events; `data` is what they say besides. */
  startMedia(data: Record<string, unknown>): void;
  stopMedia(data: Record<string, unknown>): Promise<void>;
  transfer(data: Record<string, unknown>): Promise<void>;
  participants(): Participant[];
  end(outcome: string, result?: Result): void;
}

/** What all calls of a simulator have in common. */
export interface Exchange {
  app: string | undefined;
  keys: Keys;
  faults: () => Faults;
  ticker: Ticker;
  eventGrid: EventGrid;
  speech: () => Sound;
  note: (happening: Happening, callId?: string) => void;
  now: () => number;
  clock: () => number;
  signal: AbortSignal;
  durations: Durations;
}
export interface Durations {
  /** How long a call rings. */
  ringMs: number;
  /** Pauses between the attempts to deliver a callback event, and how long an answer to one may take. */
  callbackRetryMs: readonly number[];
  callbackTimeoutMs: number;
  /** How long the app may take over an upgrade. */
  upgradeTimeoutMs: number;
  /** From one key to the next. */
  keyMs: number;
  /** How long the caller waits at the end for audio on its way. Younger frames aren't lost when a call is cut off. */
  graceMs: number;
  /** A tick: 20 ms of audio. */
  frameMs: number;
  /** How long tests wait for what is to happen. */
  waitMs: number;
}

const DAY = 24 * 3600;
const FIVE_MINUTES = 5 * 60;

/** Places a call. */
export function createCall(options: CallOptions, exchange: Exchange): Call {
  const { durations, faults, keys, signal } = exchange;
  const ids = createCallIds();
  const id = ids.correlationId;
  const from = parseIdentifier(options.from ?? '+15550100');
  const to = parseIdentifier(options.to ?? '+15550199');
  const { order = 'together', schema = 'event-grid', app = exchange.app } = options;
  const journal = createJournal({
    waitMs: durations.waitMs,
    now: exchange.now,
    also: (happening) => exchange.note(happening, id),
  });
  const note = (happening: Happening) => journal.add(happening);
  const { promise: ended, resolve: settle } = Promise.withResolvers<CallReport>();
  const stopRinging = new AbortController();
  const ringing = AbortSignal.any([stopRinging.signal, signal]);
  const announcement = incomingCallEvent(
    { ...ids, from, to, callerDisplayName: '' },
    schema,
    new Date(exchange.now()),
  );
  let state: CallState = 'ringing';
  let answered: Answer | undefined;
  let callbacks: Callbacks | undefined;
  let stream: Stream | undefined;
  let participantChanges = 0;

  const event: Call['event'] = (type, data = {}) => callbackEvent(type, ids, data, new Date(exchange.now()));

  async function push(type: string, data: Record<string, unknown> = {}, result: Result = results.succeeded) {
    const { operationContext } = answered ?? {};
    const said = {
      ...(operationContext !== undefined && { operationContext }),
      resultInformation: result,
      ...data,
    };
    await callbacks?.push(event(type, said));
  }

  async function announce(): Promise<boolean> {
    if (app === undefined) throw new Error('the simulator was not told the URL of the incoming-call webhook');
    return exchange.eventGrid.announce(app, announcement, schema, note, ringing);
  }

  async function ring() {
    const silent = options.announce === false;
    const taken = silent || (await announce());
    // An announcement that is refused for good leaves a caller to ring in vain: no need to wait for the end of it.
    if (taken) await rest(durations.ringMs, ringing);
    if (state === 'ringing') end('not answered');
  }

  async function openMedia(
    overrides: { url?: string; headers?: Record<string, string> } = {},
  ): Promise<Upgrade> {
    if (!stream || !answered?.media) throw new Error('the call was not answered with media');
    const headers = {
      authorization: `Bearer ${await keys.token(DAY)}`,
      'x-ms-call-connection-id': ids.callConnectionId,
      'x-ms-call-correlation-id': ids.correlationId,
      ...overrides.headers,
    };
    const upgrade = await stream.open(overrides.url ?? answered.media.transportUrl, headers);
    const { status, error } = upgrade;
    note({ type: 'upgrade', status, error, headers: upgrade.headers });
    const dropAfterMs = faults().dropMediaAfterMs;
    if (state === 'ended') upgrade.socket?.close();
    else if (dropAfterMs !== null) void rest(dropAfterMs, signal).then(upgrade.socket?.drop);
    return upgrade;
  }

  async function startMedia(data: Record<string, unknown> = {}) {
    if (!answered?.media || state !== 'connected' || stream?.live) return;
    const { status } = await openMedia();
    if (status === 101)
      void push('MediaStreamingStarted', { ...data, ...mediaUpdate('Started', 'subscriptionStarted') });
    else {
      const update = mediaUpdate('Failed', 'streamConnectionUnsuccessful');
      void push('MediaStreamingFailed', { ...data, ...update }, results.noMedia);
    }
  }

  /** What follows an answer. */
  async function proceed() {
    const events = async () => {
      await push('CallConnected');
      await push('ParticipantsUpdated', {
        participants: participants(),
        sequenceNumber: ++participantChanges,
      });
    };
    const media = async () => {
      if (answered?.media?.start) await startMedia();
    };
    if (order === 'events-first') await events().then(media);
    else if (order === 'together') await Promise.all([events(), media()]);
    else await media().then(events);
  }

  async function press(digits: string) {
    for (const key of digits) {
      await rest(durations.keyMs, signal);
      if (state === 'ended') return;
      stream?.press(key);
    }
  }

  const participants = () =>
    [from, to].map((identifier) => ({ identifier, isMuted: false, isOnHold: false }));

  function end(outcome: string, result: Result = results.endedByCaller) {
    if (state === 'ended') return;
    state = 'ended';
    stopRinging.abort();
    note({ type: 'ended', outcome });
    stream?.close();
    void push('CallDisconnected', {}, result).then(() => settle(report()));
  }

  function report(): CallReport {
    return reportCall({ ...ids, id, state, entries: journal.entries, media: stream?.report() });
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
    openMedia,
    event,
    press,
    ended,
    report,
    end,
    participants,
    get state() {
      return state;
    },
    get stream() {
      return stream;
    },
    get answered() {
      return answered;
    },
    async post(body, headers) {
      if (!callbacks) throw new Error('the call was not answered: it has no callback URI');
      return callbacks.post(body, headers);
    },
    hangUp: () => end('the caller hung up'),
    async answer(request) {
      if (state !== 'ringing')
        throw new RestError(404, '8522', 'Call not found: it was answered, or rings no more.');
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
      if (request.media) stream = createMedia(request.media);
      note({ type: 'answered', callConnectionId: ids.callConnectionId });
      if (order === 'media-before-answer' && request.media?.start) await startMedia();
      return () => void proceed();
    },
    reject(reason) {
      if (state !== 'ringing')
        throw new RestError(404, '8522', 'Call not found: it was answered, or rings no more.');
      note({ type: 'rejected', reason });
      end(`rejected: ${reason}`);
    },
    startMedia(data) {
      void startMedia(data);
    },
    async stopMedia(data) {
      await push('MediaStreamingStopped', { ...data, ...mediaUpdate('Stopped', 'subscriptionStopped') });
      stream?.close();
    },
    async transfer(data) {
      if (options.transfer === 'failed') return push('CallTransferFailed', data, results.transferFailed);
      await push('CallTransferAccepted', { ...data, transferee: from });
      end('transferred', results.transferred);
    },
  };

  function createMedia(media: MediaRequest): Stream {
    const { sound = 'speech', seconds = Number.POSITIVE_INFINITY, keepSeconds = 60 } = options;
    return createStream({
      format: { ...media, speaker: media.unmixed ? from.rawId : undefined },
      ticker: exchange.ticker,
      clock: exchange.clock,
      signal,
      sound: sound === 'speech' ? exchange.speech() : sound === 'silence' ? SILENCE : sound,
      loop: sound === 'speech',
      frames: Math.round(seconds * 50),
      number: randomBytes(4).readUInt32BE(),
      marked: options.marked ?? true,
      keep: keepSeconds * 50,
      tailTicks: Math.ceil(durations.graceMs / durations.frameMs),
      upgradeTimeoutMs: durations.upgradeTimeoutMs,
      graceMs: durations.graceMs,
      onFrame: (frame) => options.onFrame?.(frame),
      onFirst: () => void press(options.digits ?? ''),
      onDone: () => end('the caller hung up'),
      onClose(by, code, reason, superseded) {
        note({ type: 'media-closed', by, code, reason, expected: superseded || state === 'ended' });
      },
    });
  }
}

const SILENCE: Sound = { sampleRate: 24_000, samples: new Int16Array(0) };

function mediaUpdate(status: 'Started' | 'Stopped' | 'Failed', details: string) {
  return {
    mediaStreamingUpdate: {
      contentType: 'audio',
      mediaStreamingStatus: `mediaStreaming${status}`,
      mediaStreamingStatusDetails: details,
    },
  };
}
