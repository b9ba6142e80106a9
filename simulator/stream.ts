import { createCaller } from './caller.ts';
import type { MediaSocket, Upgrade } from './media.ts';
import { openMedia } from './media.ts';
import type { Echo } from './meter.ts';
import { createMeter } from './meter.ts';
import type { Outbound } from './outbound.ts';
import { parseOutbound } from './outbound.ts';
import { createPlayback } from './playback.ts';
import type { Ticker } from './ticker.ts';
import type { Sound } from './wav.ts';
import { formatStereoWav } from './wav.ts';

/** What the app asked for when it answered. */
export interface StreamFormat {
  sampleRate: number;
  bidirectional: boolean;
  dtmfTones: boolean;
  /** Whose frames these are; undefined where everyone is mixed into one. */
  speaker: string | undefined;
}

/** What a frame from the app was, when it came (milliseconds of the monotonic clock), and its text. */
export type ReceivedFrame = Outbound & { at: number; text: string };

/** What became of the audio. */
export interface StreamReport extends Echo {
  /** Frames to the app, how many of them more than a frame late, and how many it left no room for. */
  sent: number;
  late: number;
  unsent: number;
  /** Packets from the app that were heard, and those that weren't, by reason. */
  received: number;
  unheard: Record<string, number>;
  /** What the caller heard, and what StopAudio took back, in milliseconds. */
  heardMs: number;
  stoppedMs: number;
  stops: number;
}

/** The media of one call, over as many WebSockets as it takes. */
export interface Stream {
  readonly format: StreamFormat;
  readonly live: boolean;
  /** Frames so far, each way. */
  readonly counts: { readonly sent: number; readonly received: number };
  /** The playback buffer, in milliseconds. */
  readonly waitingMs: number;
  /** Opens a WebSocket; once accepted, it takes the place of the one before. */
  open(url: string, headers: Record<string, string>): Promise<Upgrade>;
  /** The socket that is in use; undefined while there is none. */
  readonly socket: MediaSocket | undefined;
  /** Sends one key as DtmfData; false where the app hasn't asked for keys or there is no socket. */
  press(key: string): boolean;
  close(code?: number): void;
  report(): StreamReport;
  /** What was kept of the call's audio: 16-bit little-endian PCM. */
  audio(): { sampleRate: number; caller: Buffer; app: Buffer };
  /** The same as a WAV file: the caller left, the app right. */
  wav(): Buffer;
}

const MAX_CATCH_UP = 50; // frames: after a longer stall (a laptop that slept) the rest is left out
const MAX_BUFFERED = 4 * 1024 * 1024;

export interface StreamOptions {
  format: StreamFormat;
  ticker: Ticker;
  signal: AbortSignal;
  /** What the caller says, whether over and over, and for how many frames before hanging up. */
  sound: Sound;
  loop: boolean;
  frames: number;
  /** The number in the marks of this call's frames, and whether to write them. */
  number: number;
  marked: boolean;
  /** How many frames of the call to keep for `audio()`. */
  keep: number;
  /** How many ticks to wait at the end for frames on their way. */
  tailTicks: number;
  upgradeTimeoutMs: number;
  graceMs: number;
  clock: () => number;
  onFrame: (frame: ReceivedFrame) => void;
  /** The first WebSocket is open. */
  onFirst: () => void;
  /** The end of a WebSocket; `superseded` if another has taken its place already. */
  onClose: (by: 'app' | 'simulator', code: number, reason: string, superseded: boolean) => void;
  /** The caller has said everything, and what could come back has. */
  onDone: () => void;
}

export function createStream(options: StreamOptions): Stream {
  const { format, ticker, clock } = options;
  const frameBytes = format.sampleRate / 25;
  const silence = Buffer.alloc(frameBytes);
  const caller = createCaller({
    ...options,
    sampleRate: format.sampleRate,
    mark: options.marked ? options.number : undefined,
  });
  const meter = createMeter({ call: options.number, graceMs: options.graceMs, clock });
  const playback = createPlayback({ frameBytes });
  const subscriptionId = crypto.randomUUID();
  const kept: { caller: Buffer; app: Buffer }[] = [];
  const unheard: Record<string, number> = {};
  const count = { sent: 0, late: 0, unsent: 0, received: 0, stops: 0, stoppedMs: 0 };
  const speaker = format.speaker === undefined ? '' : `"participantRawID":${JSON.stringify(format.speaker)},`;
  let socket: MediaSocket | undefined;
  let framesLeft = options.frames;
  let tail = options.tailTicks;
  let nextTick = 0;
  let unsubscribe = () => {};

  function run(tick: number) {
    if (tick - nextTick > MAX_CATCH_UP) nextTick = tick - MAX_CATCH_UP;
    count.late += Math.max(0, tick - nextTick);
    for (; nextTick <= tick && socket; nextTick++) {
      const said = framesLeft > 0 ? speak(socket) : undefined;
      const heard = playback.next();
      if (kept.length < options.keep) kept.push({ caller: said ?? silence, app: heard ?? silence });
      if (!said) finish();
    }
  }

  function speak(to: MediaSocket): Buffer {
    framesLeft -= 1;
    const { sequence, pcm, silent } = caller.next();
    if (to.bufferedBytes > MAX_BUFFERED) {
      count.unsent += 1;
      return pcm;
    }
    const timestamp = new Date().toISOString();
    to.send(
      `{"kind":"AudioData","audioData":{"timestamp":"${timestamp}",${speaker}"data":"${pcm.toString('base64')}","silent":${silent}}}`,
    );
    if (options.marked) meter.sent(sequence);
    count.sent += 1;
    return pcm;
  }

  /** The caller is through: hangs up once nothing is on its way any more. */
  function finish() {
    tail -= 1;
    if (tail > 0 && (meter.outstanding > 0 || playback.waitingMs > 0)) return;
    unsubscribe();
    options.onDone();
  }

  function hear(text: string, isBinary: boolean) {
    let frame: Outbound = isBinary ? { kind: 'unheard', why: 'a binary frame' } : parseOutbound(text);
    if (frame.kind === 'audio') frame = take(frame);
    else if (frame.kind === 'stop') {
      count.stops += 1;
      count.stoppedMs += playback.stop();
    }
    if (frame.kind === 'unheard') unheard[frame.why] = (unheard[frame.why] ?? 0) + 1;
    options.onFrame({ ...frame, at: clock(), text });
  }

  function take(frame: Outbound & { kind: 'audio' }): Outbound {
    if (!format.bidirectional) return { kind: 'unheard', why: 'the stream is not bidirectional' };
    if (!playback.push(frame.pcm)) return { kind: 'unheard', why: 'more than the buffer holds' };
    meter.received(frame.pcm);
    count.received += 1;
    return frame;
  }

  function begin(opened: MediaSocket) {
    const first = socket === undefined;
    socket = opened;
    const { sampleRate } = format;
    opened.send(
      JSON.stringify({
        kind: 'AudioMetadata',
        audioMetadata: { subscriptionId, encoding: 'PCM', sampleRate, channels: 1, length: frameBytes },
      }),
    );
    if (!first) return;
    if (count.sent === 0) options.onFirst();
    nextTick = ticker.tick + 1;
    unsubscribe = ticker.add(run);
  }

  function audio() {
    return {
      sampleRate: format.sampleRate,
      caller: Buffer.concat(kept.map((frame) => frame.caller)),
      app: Buffer.concat(kept.map((frame) => frame.app)),
    };
  }

  return {
    format,
    counts: count,
    get live() {
      return socket !== undefined;
    },
    get waitingMs() {
      return playback.waitingMs;
    },
    get socket() {
      return socket;
    },
    open(url, headers) {
      let mine: MediaSocket | undefined;
      return openMedia({
        url,
        headers,
        timeoutMs: options.upgradeTimeoutMs,
        signal: options.signal,
        onOpen(opened) {
          mine = opened;
          begin(opened);
        },
        onMessage(data, isBinary) {
          hear(data.toString(), isBinary);
        },
        onClose(by, code, reason) {
          const superseded = mine !== socket;
          if (!superseded) {
            socket = undefined;
            unsubscribe();
            meter.end();
          }
          options.onClose(by, code, reason, superseded);
        },
      });
    },
    press(key) {
      if (!socket || !format.dtmfTones) return false;
      socket.send(JSON.stringify({ kind: 'DtmfData', dtmfData: { data: key } }));
      return true;
    },
    close(code = 1000) {
      unsubscribe();
      meter.end();
      socket?.close(code);
    },
    report: () => ({ ...count, ...meter.report(), unheard: { ...unheard }, heardMs: playback.heardMs }),
    audio,
    wav() {
      const { sampleRate, caller: left, app: right } = audio();
      return formatStereoWav(left, right, sampleRate);
    },
  };
}
