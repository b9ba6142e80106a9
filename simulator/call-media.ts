import { randomBytes } from 'node:crypto';
import type { Result } from './callbacks.ts';
import type { Exchange } from './exchange.ts';
import type { CallOptions, MediaRequest } from './handle.ts';
import type { CallIds, Identifier } from './identifiers.ts';
import { parseIdentifier } from './identifiers.ts';
import type { Happening } from './journal.ts';
import type { Upgrade } from './media.ts';
import { upgradeHeaders } from './media.ts';
import { rest } from './post.ts';
import { results } from './results.ts';
import type { Roster } from './roster.ts';
import { atPitch } from './speech.ts';
import type { Stream } from './stream.ts';
import { createStream } from './stream.ts';
import type { Speech } from './voices.ts';
import { createVoices } from './voices.ts';

/** The media of an answered call, and the events that tell of it. */
export interface CallMedia {
  readonly stream: Stream;
  /** Opens a WebSocket as ACS does, with other headers or another URL if given. */
  open(overrides?: { url?: string; headers?: Record<string, string> }): Promise<Upgrade>;
  /** Opens a WebSocket unless there is one, and posts what came of it. `data` is what the events say besides. */
  start(data?: object): Promise<void>;
  /** Posts MediaStreamingStopped, then closes the WebSocket. */
  stop(data: object): Promise<void>;
}

export function createCallMedia({
  request,
  options,
  exchange,
  ids,
  app,
  roster,
  prompting,
  over,
  note,
  push,
  onFirst,
  onDone,
  onUnheard,
}: {
  request: MediaRequest;
  options: CallOptions;
  exchange: Exchange;
  ids: CallIds;
  /** Who the app is in its call: the others speak, and hear it. */
  app: Identifier;
  roster: Roster;
  /** Whether a prompt sounds just now. */
  prompting: () => boolean;
  /** Fires when the call has ended. */
  over: AbortSignal;
  note: (happening: Happening) => void;
  /** Posts a callback event. */
  push: (type: string, data: object, result?: Result) => Promise<void>;
  /** The first WebSocket is open. */
  onFirst: () => void;
  /** The caller has said everything. */
  onDone: () => void;
  /** Nobody listens, or no longer, with so many frames still to say. */
  onUnheard: (frames: number) => void;
}): CallMedia {
  const { durations, faults, keys, signal } = exchange;
  const { seconds = Number.POSITIVE_INFINITY, keepSeconds = 60 } = options;

  const stream = createStream({
    format: request,
    ticker: exchange.ticker,
    clock: exchange.clock,
    signal,
    voices: createVoices({
      app: app.rawId,
      present: roster.all,
      unmixed: request.unmixed,
      sampleRate: request.sampleRate,
      speechOf: createCast(options, exchange),
    }),
    frames: Math.round(seconds * 50),
    number: randomBytes(4).readUInt32BE(),
    marked: options.marked ?? true,
    keep: keepSeconds * 50,
    tailTicks: Math.ceil(durations.graceMs / durations.frameMs),
    upgradeTimeoutMs: durations.upgradeTimeoutMs,
    graceMs: durations.graceMs,
    prompting,
    onFrame: options.onFrame,
    onFirst,
    onDone,
    onClose(by, code, reason, superseded) {
      note({ type: 'media-closed', by, code, reason, expected: superseded || over.aborted });
      if (!stream.live) onUnheard(stream.counts.left);
    },
  });

  const open: CallMedia['open'] = async (overrides = {}) => {
    const headers = { ...(await upgradeHeaders(keys, ids)), ...overrides.headers };
    const upgrade = await stream.open(overrides.url ?? request.transportUrl, headers);
    const { status, error, socket } = upgrade;
    note({ type: 'upgrade', status, error, headers: upgrade.headers });
    const dropAfterMs = faults().dropMediaAfterMs;
    if (over.aborted) socket?.close();
    else if (dropAfterMs !== null) void rest(dropAfterMs, signal).then(socket?.drop);
    return upgrade;
  };

  return {
    stream,
    open,
    async start(data = {}) {
      if (over.aborted || stream.live) return;
      const { status } = await open();
      if (status === 101)
        void push('MediaStreamingStarted', { ...data, ...update('Started', 'subscriptionStarted') });
      else {
        const failure = update('Failed', 'streamConnectionUnsuccessful');
        void push('MediaStreamingFailed', { ...data, ...failure }, results.noSocket);
        onUnheard(stream.counts.left);
      }
    },
    async stop(data) {
      await push('MediaStreamingStopped', { ...data, ...update('Stopped', 'subscriptionStopped') });
      stream.close();
    },
  };
}

/** Who says what: the caller comes first, and nobody's pitch is another's. */
function createCast({ sound = 'speech', voices = {} }: CallOptions, exchange: Exchange) {
  const given = new Map(Object.entries(voices).map(([who, said]) => [parseIdentifier(who).rawId, said]));
  return (rawId: string, nth: number): Speech => {
    const said = given.get(rawId) ?? (nth === 0 ? sound : 'speech');
    if (said === 'silence') return { sound: { sampleRate: 24_000, samples: new Int16Array(0) }, loop: false };
    if (said !== 'speech') return { sound: said, loop: false };
    return { sound: nth === 0 ? exchange.speech() : atPitch(exchange.speech(), 2 ** (nth / 4)), loop: true };
  };
}

function update(status: 'Started' | 'Stopped' | 'Failed', mediaStreamingStatusDetails: string) {
  const mediaStreamingStatus = `mediaStreaming${status}`;
  return {
    mediaStreamingUpdate: { contentType: 'audio', mediaStreamingStatus, mediaStreamingStatusDetails },
  };
}
