import type { Faults } from '../faults/faults.ts';
import type { Random } from '../faults/random.ts';
import { audioFrame } from './acs-frames.ts';
import type { AcsSocket, Upgrade } from './acs-socket.ts';
import { openSocket } from './acs-socket.ts';
import type { AppFrame } from './app-frames.ts';
import type { EarReport } from './ear.ts';
import { createEar } from './ear.ts';
import type { ImpairedSocket } from './impairments.ts';
import { createImpairments } from './impairments.ts';
import type { CallAudio } from './kept-audio.ts';
import { createKeptAudio } from './kept-audio.ts';
import { writeMark } from './marks.ts';
import type { Echo } from './meter.ts';
import { createMeter } from './meter.ts';
import type { Ticker } from './ticker.ts';
import { mix } from './tone.ts';
import type { SpokenFrame, Voices } from './voices.ts';
import { arrange } from './voices.ts';

/** What the app asked for when it answered. */
export interface StreamFormat {
  sampleRate: number;
  bidirectional: boolean;
  dtmfTones: boolean;
  /** Whether each speaker has frames of their own. */
  unmixed: boolean;
}

/** What a frame from the app was, when it came (milliseconds of the monotonic clock), and its text. */
export type ReceivedFrame = AppFrame & { at: number; text: string };

/** What became of the audio. */
export interface StreamReport extends Echo, EarReport {
  /** Frames to the app, how many of them were sent 20 ms late or more, and how many it left no room for. */
  sent: number;
  late: number;
  unsent: number;
  /** Frames that the faults kept from being sent. */
  withheld: number;
}

/** The media of one call, over as many WebSockets as it takes. */
export interface Stream {
  readonly format: StreamFormat;
  readonly live: boolean;
  /** Frames so far, each way, and those that are still to be sent before the caller hangs up. */
  readonly counts: { readonly sent: number; readonly received: number; readonly left: number };
  /** The playback buffer, in milliseconds. */
  readonly waitingMs: number;
  /** Opens a WebSocket; once accepted, it takes the place of the one before. */
  open(url: string, headers: Record<string, string>): Promise<Upgrade>;
  /** The socket that is in use; undefined while there is none. */
  readonly socket: AcsSocket | undefined;
  /** Sends one key as DtmfData; false where the app hasn't asked for keys or there is no socket. */
  press(key: string): boolean;
  /** Resolves when the other side has closed it too. */
  close(code?: number): Promise<void>;
  report(): StreamReport;
  /** How much of the call's audio is kept. */
  readonly keptBytes: number;
  /** What was kept of the call's audio, and the same as a WAV file: the caller left, the app right. */
  audio(): CallAudio;
  wav(): Buffer;
}

const MAX_CATCH_UP = 50; // frames: after a longer stall (a laptop that slept) the rest is left out
const MAX_BUFFERED = 4 * 1024 * 1024;

export interface StreamOptions {
  format: StreamFormat;
  ticker: Ticker;
  signal: AbortSignal;
  /** What is said to the app, and for how many frames before the caller hangs up. */
  voices: Voices;
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
  /** What may go wrong, and the chance that it depends on. */
  faults: () => Faults;
  random: Random;
  /** The next 20 ms of a prompt, which is heard besides the app. Undefined: none sounds. */
  prompting: () => Buffer | undefined;
  /** Hears the call: what each says, and what is said to them. */
  onSound: (said: readonly SpokenFrame[], heard: Buffer | undefined) => void;
  /** Sees every frame of the app. */
  onFrame: ((frame: ReceivedFrame) => void) | undefined;
  /** Is told how long each frame took to come back, in milliseconds. */
  onRoundTrip: ((ms: number) => void) | undefined;
  /** The first WebSocket is open. */
  onFirst: () => void;
  /** The end of a WebSocket; `superseded` if it wasn't in use any more. */
  onClose: (by: 'app' | 'simulator', code: number, reason: string, superseded: boolean) => void;
  /** The caller has said everything, and what could come back has. */
  onDone: () => void;
}

export function createStream(options: StreamOptions): Stream {
  const { format, ticker, clock, voices, number: call } = options;
  const frameBytes = format.sampleRate / 25;
  const impairments = createImpairments(options);
  const { graceMs, onRoundTrip } = options;
  const meter = createMeter({ call, graceMs, clock: impairments.clock, onRoundTrip });
  const ear = createEar({ frameBytes, bidirectional: format.bidirectional, meter });
  const kept = createKeptAudio({ sampleRate: format.sampleRate, limit: options.keep });
  const subscriptionId = crypto.randomUUID();
  const count = { sent: 0, late: 0, unsent: 0 };
  let socket: ImpairedSocket | undefined;
  let sequence = 0;
  let framesLeft = options.frames;
  let tail = options.tailTicks;
  let nextTick: number | undefined;
  let unsubscribe = () => {};

  function run(tick: number, dueAt: number) {
    const due = Math.min(tick - (nextTick ?? tick), MAX_CATCH_UP) + 1;
    nextTick = tick + 1;
    for (let missed = due - 1; missed >= 0 && socket; missed--) {
      const isThrough = framesLeft <= 0;
      if (!isThrough) framesLeft -= 1;
      const said = isThrough ? [] : voices.next();
      const heard = mix(ear.next(voices.listening), options.prompting());
      options.onSound(said, heard);
      kept.add(speak(socket, said, dueAt - missed * ticker.periodMs), heard);
      // One at a time: what is on its way comes in between ticks, not within a stall.
      if (isThrough) {
        finish();
        return;
      }
    }
  }

  /** Sends what everyone says, of which the sum is kept. */
  function speak(to: ImpairedSocket, said: readonly SpokenFrame[], dueAt: number): Buffer | undefined {
    let sum: Buffer | undefined;
    for (const frame of arrange(said, format.unmixed)) {
      send(to, frame, dueAt);
      sum = mix(sum, frame.pcm);
    }
    return sum;
  }

  /** Marks come last: they survive no mixing. */
  function send(to: ImpairedSocket, frame: SpokenFrame, dueAt: number) {
    const own = { call, sequence: sequence++ };
    if (options.marked) writeMark(frame.pcm, own);
    if (to.bufferedBytes > MAX_BUFFERED) {
      count.unsent += 1;
      return;
    }
    to.speak(audioFrame(frame, new Date()), () => {
      if (options.marked) meter.sent(own.sequence, impairments.clock());
      count.sent += 1;
    });
    // What the faults hold back was in time here.
    if (clock() - dueAt >= ticker.periodMs) count.late += 1;
  }

  /** The caller is through: hangs up once nothing is on its way any more. */
  function finish() {
    tail -= 1;
    if (tail > 0 && (meter.outstanding > 0 || ear.waitingMs > 0 || (socket?.bufferedBytes ?? 0) > 0)) return;
    unsubscribe();
    options.onDone();
  }

  function begin(opened: ImpairedSocket) {
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
    if (sequence === 0) options.onFirst();
    nextTick = undefined;
    unsubscribe = ticker.add(run);
  }

  /** Without a socket nothing is said or heard. */
  function rest(cut = false) {
    socket = undefined;
    unsubscribe();
    meter.end(cut);
  }

  return {
    format,
    get counts() {
      return { sent: count.sent, received: ear.received, left: framesLeft };
    },
    get live() {
      return socket !== undefined;
    },
    get waitingMs() {
      return ear.waitingMs;
    },
    get socket() {
      return socket;
    },
    async open(url, headers) {
      let mine: ImpairedSocket | undefined;
      const upgrade = await openSocket({
        url,
        headers,
        timeoutMs: options.upgradeTimeoutMs,
        signal: options.signal,
        onOpen(opened) {
          mine = impairments.impair(opened);
          begin(mine);
        },
        onMessage(data, isBinary) {
          const frame = ear.hear(data, isBinary);
          options.onFrame?.({ ...frame, at: clock(), text: data.toString() });
        },
        onClose(by, code, reason) {
          const superseded = mine !== socket;
          if (!superseded) rest(by === 'simulator');
          options.onClose(by, code, reason, superseded);
        },
      });
      return mine ? { ...upgrade, socket: mine } : upgrade;
    },
    press(key) {
      if (!socket || !format.dtmfTones) return false;
      socket.send(JSON.stringify({ kind: 'DtmfData', dtmfData: { data: key } }));
      return true;
    },
    async close(code = 1000) {
      const closing = socket;
      closing?.close(code);
      rest();
      await closing?.closed;
    },
    report: () => ({ ...count, withheld: impairments.withheld, ...meter.report(), ...ear.report() }),
    get keptBytes() {
      return kept.bytes;
    },
    audio: kept.audio,
    wav: kept.wav,
  };
}
