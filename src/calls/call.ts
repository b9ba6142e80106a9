// A phone call as a handler sees it. What happens behind it is in call-control.ts.

import type { AudioFormat, AudioFrame, TranscriptionFrame } from '../media/frames.ts';
import type { Playback } from '../media/playback.ts';
import type { SessionCounters } from '../media/session.ts';
import type { AcsConnection } from './acs-client.ts';
import type { CallEvent } from './events.ts';

/**
 * What the app does on a call. It is called once for each call, when the call's audio begins, and has the call
 * to itself. A handler that throws or rejects ends its own call and no other; one that never returns ends with
 * its call.
 */
export type Handler = (call: Call) => void | Promise<void>;

/** What can be listened for, and what a listener gets. A listener that throws or rejects ends the call. */
export interface CallEvents {
  /** 20 ms of the caller's audio; silence too. Frames wait for the first listener, at most 2 s of them. */
  audio: [frame: AudioFrame];
  /** A key that was pressed: 0 to 9, *, # or A to D. */
  dtmf: [key: string];
  /** A piece of a transcription, where one was started on the call. */
  transcription: [frame: TranscriptionFrame];
  /** What ACS says of the call, for what has no general name. */
  event: [event: CallEvent];
}

export type CallListener<Name extends keyof CallEvents> = (...args: CallEvents[Name]) => void | Promise<void>;

/** One phone call. */
export interface Call {
  /** Random, and the same in every log line of the call. */
  readonly id: string;
  /** Who calls: a phone number (+…) or a raw id (8:acs:…); undefined if it isn't known. */
  readonly from: string | undefined;
  /** Who was called, in the same form. */
  readonly to: string | undefined;
  /** The audio of the call, both ways: 16-bit little-endian PCM, 24 kHz mono unless ACS says otherwise. */
  readonly format: AudioFormat;
  /** Aborts when the call ends, however it ends. */
  readonly signal: AbortSignal;
  /** Frames and bytes each way, and what was refused or malformed. */
  readonly counters: Readonly<SessionCounters>;
  /** What only ACS has. The ids are undefined until ACS has said them. */
  readonly acs: {
    readonly callConnectionId: string | undefined;
    readonly correlationId: string | undefined;
    readonly serverCallId: string | undefined;
    /** The SDK's own handle on the call; undefined where this app didn't answer it or can't sign in. */
    readonly connection: AcsConnection | undefined;
  };

  /** Listens; all of the call's listeners go when it ends. */
  on<Name extends keyof CallEvents>(name: Name, listener: CallListener<Name>): Call;
  /** Stops listening. */
  off<Name extends keyof CallEvents>(name: Name, listener: CallListener<Name>): Call;

  /**
   * Sends audio at once: for audio that already runs in real time, such as an echo or another call's.
   *
   * @param audio a frame, passed on without decoding, or PCM in the call's format
   * @returns false, and counted as refused, while a playback runs, when more than 1 MiB waits to go out, or
   *   without a socket; what was accepted is never dropped
   */
  send(audio: AudioFrame | Uint8Array): boolean;

  /**
   * Plays audio that is made faster than it is heard, such as synthetic speech: at most 500 ms ahead of the
   * clock; the rest waits here, up to 120 s of it. Calls queue.
   *
   * @param audio PCM in the call's format; pieces of any length, as they come
   */
  play(audio: Uint8Array | Int16Array): Playback;

  /** Silences the app at once, as when the caller interrupts it: all playbacks settle as `'stopped'`. */
  stop(): void;

  /** Ends the call for everyone. Resolves when ACS was told, or could not be within 10 s. */
  hangUp(): Promise<void>;

  /**
   * Hands the caller over to somebody else.
   *
   * @param to a phone number (+…) or a raw id (8:acs:…, 28:orgid:…)
   * @throws {AcsError} when ACS refuses; {Error} when the other side doesn't take the call (it goes on here), and
   *   for a call that this app didn't answer
   */
  transfer(to: string): Promise<void>;
}
