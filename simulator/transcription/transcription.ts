import { randomUUID } from 'node:crypto';
import type { CallContext } from '../calls/call-context.ts';
import type { TranscriptionRequest } from '../calls/handle.ts';
import type { Identifier } from '../calls/identifiers.ts';
import type { Roster } from '../calls/roster.ts';
import type { Result } from '../events/callbacks.ts';
import { results } from '../events/results.ts';
import type { AcsSocket } from '../media/acs-socket.ts';
import { openSocket, upgradeHeaders } from '../media/acs-socket.ts';
import type { Words } from '../prompts/words.ts';
import type { Said } from '../rest/operation.ts';
import { wait } from '../wait.ts';
import type { SpeechModel } from './transcription-frames.ts';
import { metadataFrame, msOf, phraseFrames, ticksOf } from './transcription-frames.ts';

/** What is said in a call as text, on a WebSocket of its own, and the events that tell of it. */
export interface Transcription {
  /** As the call's properties have it. */
  readonly subscription: {
    id: string;
    state: 'active' | 'inactive';
    subscribedResultStates: ('final' | 'intermediate')[];
    locale: string;
  };
  /** The socket that is in use; undefined while there is none. */
  readonly socket: AcsSocket | undefined;
  /** Opens a WebSocket unless there is one, and posts what came of it. `said` is what the events say besides. */
  start(changes?: Partial<SpeechModel>, said?: Partial<Said>): Promise<void>;
  update(changes: Partial<SpeechModel>, said: Said): Promise<void>;
  /** Posts TranscriptionStopped, then closes the WebSocket. */
  stop(said: Said): Promise<void>;
  /** Resolves when the other side has closed it too. */
  close(): Promise<void>;
}

/**
 * @param options.speaker who says the words
 * @param options.hasSpeech whether there is a speech service, without which nothing is recognized
 * @param options.frameMs what 20 ms of the call take, in milliseconds
 */
export function createTranscription({
  request,
  speaker,
  roster,
  words,
  hasSpeech,
  frameMs,
  ...context
}: CallContext & {
  request: TranscriptionRequest;
  speaker: Identifier;
  roster: Roster;
  words: Words;
  hasSpeech: boolean;
  frameMs: number;
}): Transcription {
  const { ids, exchange, over, fails, note, push } = context;
  const { clock, durations, keys, signal } = exchange;
  const pace = frameMs / 20;
  const begun = clock();
  const id = randomUUID();
  let model: SpeechModel = request;
  let socket: AcsSocket | undefined;
  let deafen = () => {};
  let heardTicks = 0;
  let lastOperation: Promise<void> = Promise.resolve();
  let lastPhrase: Promise<void> = Promise.resolve();

  /** Nobody hears those who are muted, on hold or gone. */
  function isHeard() {
    const found = roster.all().find(({ identifier }) => identifier.rawId === speaker.rawId);
    return found !== undefined && !found.isMuted && !found.isOnHold;
  }

  /** Sends what is said while it is being said. */
  async function transcribe(text: string, to: AcsSocket, gone: AbortSignal) {
    // A timer may fire a moment early, and no phrase begins within another.
    heardTicks = Math.max(heardTicks, ticksOf((clock() - begun) / pace));
    const phrase = { text, offset: heardTicks, speaker: speaker.rawId, intermediate: request.intermediate };
    for (const { ticks, frame } of phraseFrames(phrase)) {
      await wait(msOf(ticks) * pace, gone);
      if (gone.aborted) return;
      heardTicks += ticks;
      to.send(frame);
    }
  }

  function begin(opened: AcsSocket) {
    const gone = new AbortController();
    socket = opened;
    opened.send(metadataFrame(id, ids, model));
    const unlisten = words.listen((text) => {
      if (isHeard()) lastPhrase = lastPhrase.then(() => transcribe(text, opened, gone.signal));
    });
    deafen = () => {
      unlisten();
      gone.abort();
      socket = undefined;
    };
  }

  async function open(): Promise<boolean> {
    let mine: AcsSocket | undefined;
    const upgrade = await openSocket({
      url: request.transportUrl,
      headers: await upgradeHeaders(keys, ids),
      timeoutMs: durations.upgradeTimeoutMs,
      signal,
      onOpen(opened) {
        mine = opened;
        begin(opened);
      },
      onMessage() {}, // nothing of what an app may say here means anything
      onClose(by, code, reason) {
        const expected = mine !== socket || over.aborted;
        if (mine === socket) deafen();
        note({ type: 'transcription-closed', by, code, reason, expected });
      },
    });
    const { status, error, headers } = upgrade;
    note({ type: 'transcription-upgrade', status, error, headers });
    return status === 101;
  }

  async function close() {
    const closing = socket;
    deafen();
    closing?.close();
    await closing?.closed;
  }

  /** One at a time: what is stopped while it starts has started, and is stopped then. */
  function inTurn(run: () => Promise<void>): Promise<void> {
    lastOperation = lastOperation.then(() => (over.aborted ? undefined : run()));
    return lastOperation;
  }

  function tell(status: Status, details: string, said: object, result?: Result) {
    const transcriptionUpdate = {
      transcriptionStatus: `transcription${status}`,
      transcriptionStatusDetails: details,
    };
    return push(`Transcription${status}`, { ...said, transcriptionUpdate }, result);
  }

  function fail(details: string, result: Result, said: object) {
    void tell('Failed', details, said, result);
  }

  async function start(said: object, changes?: Partial<SpeechModel>) {
    if (socket) return;
    model = { ...model, ...changes };
    if (!hasSpeech) return fail('speechServicesConnectionError', results.noSpeech, said);
    if (fails('startTranscription')) return fail('unspecifiedError', results.failed, said);
    const accepted = await open();
    if (over.aborted) void close();
    else if (accepted) void tell('Started', 'subscriptionStarted', said);
    else fail('streamUrlMissing', results.noSocket, said); // whatever the reason, as posted in the field
  }

  return {
    get subscription(): Transcription['subscription'] {
      return {
        id,
        state: socket ? 'active' : 'inactive',
        subscribedResultStates: request.intermediate ? ['final', 'intermediate'] : ['final'],
        locale: model.locale,
      };
    },
    get socket() {
      return socket;
    },
    start: (changes, said = {}) => inTurn(() => start(said, changes)),
    update: (changes, said) =>
      inTurn(async () => {
        model = { ...model, ...changes };
        void tell('Updated', 'transcriptionLocaleUpdated', said);
      }),
    stop: (said) =>
      inTurn(async () => {
        await tell('Stopped', 'subscriptionStopped', said);
        void close();
      }),
    close,
  };
}

type Status = 'Started' | 'Updated' | 'Stopped' | 'Failed';
