import { randomBytes } from 'node:crypto';
import type { CallContext } from '../calls/call-context.ts';
import type { MediaRequest } from '../calls/handle.ts';
import { results } from '../events/results.ts';
import { wait } from '../wait.ts';
import type { AcsSocket, Upgrade } from './acs-socket.ts';
import { upgradeHeaders } from './acs-socket.ts';
import type { Stream, StreamOptions } from './stream.ts';
import { createStream } from './stream.ts';
import type { Voices } from './voices.ts';

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
  voices,
  prompting,
  onSound,
  onFirst,
  onDone,
  onUnheard,
  ...context
}: CallContext & {
  request: MediaRequest;
  voices: Voices;
  /** The next 20 ms of a prompt. Undefined: none sounds. */
  prompting: () => Buffer | undefined;
  onSound: StreamOptions['onSound'];
  /** The first WebSocket is open. */
  onFirst: () => void;
  /** The caller has said everything. */
  onDone: () => void;
  /** Nobody listens, or no longer, with so many frames still to say. */
  onUnheard: (frames: number) => void;
}): CallMedia {
  const { ids, options, exchange, over, note, push } = context;
  const { durations, faults, keys, signal } = exchange;
  const { seconds = Number.POSITIVE_INFINITY, keepSeconds = 60 } = options;

  const stream = createStream({
    format: request,
    ticker: exchange.ticker,
    clock: exchange.clock,
    faults,
    random: exchange.random,
    signal,
    voices,
    frames: Math.round(seconds * 50),
    number: randomBytes(4).readUInt32BE(),
    marked: options.marked ?? true,
    keep: keepSeconds * 50,
    tailTicks: Math.ceil(durations.graceMs / durations.frameMs),
    upgradeTimeoutMs: durations.upgradeTimeoutMs,
    graceMs: durations.graceMs,
    prompting,
    onSound,
    onFrame: options.onFrame,
    onRoundTrip: options.onRoundTrip,
    onFirst,
    onDone,
    onClose(by, code, reason, superseded) {
      note({ type: 'media-closed', by, code, reason, expected: superseded || over.aborted });
      if (!stream.live && !comeback) onUnheard(stream.counts.left);
    },
  });
  /** Aborted when the app decides what becomes of the media before it comes back. */
  let comeback: AbortController | undefined;

  const open: CallMedia['open'] = async (overrides = {}) => {
    forgoComeback();
    const headers = { ...(await upgradeHeaders(keys, ids)), ...overrides.headers };
    const upgrade = await stream.open(overrides.url ?? request.transportUrl, headers);
    const { status, error, socket } = upgrade;
    note({ type: 'upgrade', status, error, headers: upgrade.headers });
    if (over.aborted) socket?.close();
    else if (socket) void dropLater(socket);
    return upgrade;
  };

  function forgoComeback(): boolean {
    const expected = comeback !== undefined;
    comeback?.abort();
    comeback = undefined;
    return expected;
  }

  /** Cuts a WebSocket and comes back, as far as the faults say so. Until then the caller has something to wait for. */
  async function dropLater(socket: AcsSocket) {
    const { dropMediaAfterMs, returnMediaAfterMs } = faults();
    if (dropMediaAfterMs === null) return;
    await wait(dropMediaAfterMs, over);
    if (over.aborted || stream.socket !== socket) return;
    if (returnMediaAfterMs === null) return socket.drop();
    comeback = new AbortController();
    const forgone = AbortSignal.any([over, comeback.signal]);
    socket.drop();
    await socket.closed;
    await wait(returnMediaAfterMs, forgone);
    if (forgone.aborted) return;
    await open();
    if (!stream.live) onUnheard(stream.counts.left);
  }

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
      if (forgoComeback()) onUnheard(stream.counts.left);
    },
  };
}

function update(status: 'Started' | 'Stopped' | 'Failed', mediaStreamingStatusDetails: string) {
  const mediaStreamingStatus = `mediaStreaming${status}`;
  return {
    mediaStreamingUpdate: { contentType: 'audio', mediaStreamingStatus, mediaStreamingStatusDetails },
  };
}
