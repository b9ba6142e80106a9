import { type AudioBudget, createAudioQueue } from './audio-queue.ts';
import { type AudioFormat, defaultFormat } from './frames.ts';

/** One piece of audio on its way. ACS says nothing of what it has played, so these are told by the clock. */
export interface Playback {
  /** How much of it has been heard so far, in milliseconds. */
  readonly playedMs: number;
  /** How much of it didn't fit, in milliseconds: too much was waiting. */
  readonly refusedMs: number;
  /** 'played' once its end has been heard, 'stopped' if it was cut off. Never rejects. */
  readonly finished: Promise<'played' | 'stopped'>;
}

export interface PlaybackClock {
  /** A monotonic clock in milliseconds: the wall clock jumps. */
  readonly now?: () => number;
  /** Runs something later, once; returns what cancels it. */
  readonly schedule?: (run: () => void, ms: number) => () => void;
}

export interface PlayerOptions extends PlaybackClock {
  /** Sends one frame. False if it can't now: it is offered again. The bytes are valid during the call only. */
  readonly write: (pcm: Uint8Array) => boolean;
  /** The format of the call at this moment. */
  readonly format?: () => AudioFormat;
  readonly budget: AudioBudget;
  /** How far ahead of the clock audio is sent, in milliseconds: what ACS holds in case this process is busy. */
  readonly aheadMs?: number;
  /** How much may wait, in milliseconds. */
  readonly maxQueuedMs?: number;
  /** How often the lead is filled up, in milliseconds. Well below `aheadMs`. */
  readonly tickMs?: number;
}

const frameMs = 20;
/** How long half a sample waits for the other half, after all is heard: a stream may stall, or have had a broken end. */
const halfSampleMs = 2_000;

/** A playback under way. */
interface Item {
  waitingBytes: number;
  sentMs: number;
  /** When the last of what was sent will have been heard. */
  heardAt: number;
  settle: (outcome: 'played' | 'stopped') => void;
}

/**
 * Plays audio that is made faster than it is heard: sends it in frames of 20 ms, never more than `aheadMs` ahead of
 * the clock, and keeps the rest. After an underrun (nothing to send, a busy process, no socket) the clock starts
 * again from now: lost time is never made up for with a burst.
 */
export function createPlayer(options: PlayerOptions) {
  const { write, budget, format = () => defaultFormat, aheadMs = 500, maxQueuedMs = 120_000 } = options;
  const { tickMs = 100, now = () => performance.now(), schedule = later } = options;
  const queue = createAudioQueue(budget);
  /** Items with audio still to send, and items that are sent and not heard to the end: each in order. */
  let waiting: Item[] = [];
  let sent: Item[] = [];
  /** When all that was sent will have been heard. */
  let heardAt = Number.NEGATIVE_INFINITY;
  /** Since when the queue has something without a break. */
  let waitingSince = 0;
  let behindMs = 0;
  let refusedMs = 0;
  /** The bytes of a sample whose rest is still to come, and since when. */
  let half = new Uint8Array();
  let halfSince = 0;
  let cancelTimer = () => {};
  let closed = false;

  function rates() {
    const { sampleRate, channels } = format();
    const sampleBytes = channels * 2;
    const frameBytes = Math.floor((sampleRate * frameMs) / 1000) * sampleBytes;
    return { sampleBytes, frameBytes, bytesPerMs: (sampleRate * sampleBytes) / 1000 };
  }

  function wakeIn(ms: number): void {
    cancelTimer();
    // In the past it may be by now: frames took their time to write. Node would warn of that.
    cancelTimer = schedule(pump, Math.max(0, ms));
  }

  /** Whether something waits or is heard. */
  function isPlaying(): boolean {
    return waiting.length > 0 || now() < heardAt;
  }

  /** The whole samples that a piece completes; the beginning of another one is kept for the next piece. */
  function wholeSamples(audio: Uint8Array, sampleBytes: number): Uint8Array {
    if (!isPlaying() && now() - Math.max(halfSince, heardAt) > halfSampleMs) half = new Uint8Array();
    const bytes = half.length > 0 ? Buffer.concat([half, audio]) : audio;
    const whole = bytes.length - (bytes.length % sampleBytes);
    half = new Uint8Array(bytes.subarray(whole));
    halfSince = now();
    return bytes.subarray(0, whole);
  }

  /**
   * Plays PCM after what is playing already, as one stream with it: a sample may begin in one piece and end in the
   * next, as it happens with speech that arrives in chunks. The audio is copied.
   *
   * @param audio 16-bit samples in the call's format, little-endian
   */
  function play(audio: Uint8Array | Int16Array): Playback {
    const { sampleBytes, bytesPerMs } = rates();
    const samples = wholeSamples(
      new Uint8Array(audio.buffer, audio.byteOffset, audio.byteLength),
      sampleBytes,
    );
    const room = closed ? 0 : Math.min(maxQueuedMs * bytesPerMs - queue.bytes, budget.freeBytes);
    const kept = Math.min(samples.length, Math.max(0, Math.floor(room / sampleBytes) * sampleBytes));
    const { item, playback } = createItem(kept, (samples.length - kept) / bytesPerMs, now);
    refusedMs += playback.refusedMs;
    if (kept === 0) {
      item.settle(closed || samples.length > 0 ? 'stopped' : 'played');
      return playback;
    }
    if (queue.bytes === 0) waitingSince = now();
    queue.push(samples.subarray(0, kept));
    // Not at once: small pieces that come together share frames. Nor anew with each: pieces that come faster than a
    // timer runs would put it off for as long as they come.
    if (waiting.length === 0) wakeIn(0);
    waiting.push(item);
    return playback;
  }

  function pump(): void {
    settleHeard();
    const { frameBytes, bytesPerMs } = rates();
    const time = now();
    while (queue.bytes > 0) {
      const bytes = Math.min(frameBytes, queue.bytes);
      const lead = Math.max(heardAt - time, 0);
      if (lead + bytes / bytesPerMs > aheadMs) break;
      // The end of the queue is sent when it must be: until then more may come that fills the frame.
      if (bytes < frameBytes && lead > 2 * tickMs) break;
      if (!write(queue.peek(bytes))) break;
      queue.drop(bytes);
      // A gap is ours only if this audio was there before it began.
      if (waitingSince < heardAt) behindMs += Math.max(time - heardAt, 0);
      heardAt = time + lead;
      countSent(bytes, bytesPerMs);
    }
    const untilHeard = sent[0] ? sent[0].heardAt - now() : Number.POSITIVE_INFINITY;
    if (waiting.length > 0) wakeIn(Math.min(tickMs, untilHeard));
    else if (sent.length > 0) wakeIn(untilHeard);
  }

  function countSent(bytes: number, bytesPerMs: number): void {
    let left = bytes;
    for (let item = waiting[0]; item && left > 0; item = waiting[0]) {
      const part = Math.min(left, item.waitingBytes);
      left -= part;
      heardAt += part / bytesPerMs;
      item.waitingBytes -= part;
      item.sentMs += part / bytesPerMs;
      item.heardAt = heardAt;
      if (item.waitingBytes > 0) return;
      waiting.shift();
      sent.push(item);
    }
  }

  function settleHeard(): void {
    while (sent[0] && sent[0].heardAt <= now()) sent.shift()?.settle('played');
  }

  /**
   * Drops what waits and settles every playback. What ACS holds is for the caller to stop.
   *
   * @returns how much of it all wasn't heard yet, in milliseconds
   */
  function stop(): number {
    settleHeard();
    const unheardMs = queue.bytes / rates().bytesPerMs + Math.max(heardAt - now(), 0);
    cancelTimer();
    for (const item of [...sent, ...waiting]) item.settle('stopped');
    sent = [];
    waiting = [];
    queue.clear();
    half = new Uint8Array();
    heardAt = Number.NEGATIVE_INFINITY;
    return unheardMs;
  }

  return {
    get playing() {
      return isPlaying();
    },
    /** How long nothing was heard within what was played, since this process or its socket was late, in milliseconds. */
    get behindMs() {
      return behindMs;
    },
    /** How much didn't fit, over all playbacks, in milliseconds. */
    get refusedMs() {
      return refusedMs;
    },
    play,
    stop,
    /** As stop, and for good. */
    close() {
      closed = true;
      stop();
    },
  };
}

function createItem(waitingBytes: number, refusedMs: number, now: () => number) {
  const { promise: finished, resolve } = Promise.withResolvers<'played' | 'stopped'>();
  let settledMs: number | undefined;
  const item: Item = {
    waitingBytes,
    sentMs: 0,
    heardAt: Number.NEGATIVE_INFINITY,
    settle(outcome) {
      settledMs = playedMs();
      resolve(outcome);
    },
  };
  // What was sent and isn't heard yet is one unbroken stretch before heardAt: a gap begins only when all is heard.
  const playedMs = () => item.sentMs - Math.min(item.sentMs, Math.max(0, item.heardAt - now()));
  const playback: Playback = {
    get playedMs() {
      return settledMs ?? playedMs();
    },
    refusedMs,
    finished,
  };
  return { item, playback };
}

function later(run: () => void, ms: number): () => void {
  const timer = setTimeout(run, Math.ceil(ms));
  return () => clearTimeout(timer);
}
