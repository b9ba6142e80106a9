import type { EventSchema } from '../events/announcements.ts';
import type { CallbackEvent, Result } from '../events/callbacks.ts';
import type { CallFaults } from '../faults/faults.ts';
import type { Outcome } from '../http/post.ts';
import type { Journal } from '../journal.ts';
import type { Upgrade } from '../media/acs-socket.ts';
import type { CallMedia } from '../media/call-media.ts';
import type { ReceivedFrame, Stream } from '../media/stream.ts';
import type { Sound } from '../media/wav.ts';
import type { Prompts } from '../prompts/prompts.ts';
import type { Tones } from '../prompts/tones.ts';
import type { CallRecordings } from '../recordings/call-recordings.ts';
import type { Transcription } from '../transcription/transcription.ts';
import type { SpeechModel } from '../transcription/transcription-frames.ts';
import type { CallContext } from './call-context.ts';
import type { CallIds, Identifier } from './identifiers.ts';
import type { InvitationOutcome, Invitations } from './invitations.ts';
import { invitationOutcomes } from './invitations.ts';
import type { CallDirection, CallReport, CallState } from './report.ts';
import type { Roster } from './roster.ts';

/** Something like speech over and over, nothing, or a sound and then nothing. */
export type Spoken = 'speech' | 'silence' | Sound;

/** A call to place. Only `app` is needed, and not even that where the simulator knows it. */
export interface CallOptions {
  /** The app's incoming-call webhook. */
  app?: string;
  /** Who calls whom, as `parseIdentifier` takes it. */
  from?: string;
  to?: string;
  /** Which of Event Grid's schemas announces the call. */
  schema?: EventSchema;
  /** False announces nothing: the test posts `announcement` itself. */
  announce?: boolean;
  /**
   * What comes first: the media WebSocket and the events side by side, either of them once the other is through, or
   * the WebSocket even before `answerCall` has its answer.
   */
  order?: 'together' | 'media-first' | 'events-first' | 'media-before-answer';
  /** What the caller says. By default speech. */
  sound?: Spoken;
  /** What the others say, by who they are, as `parseIdentifier` takes it. By default speech, each at another pitch. */
  voices?: Record<string, Spoken>;
  /** False leaves the frames as they are; then none can be told from another. */
  marked?: boolean;
  /** How long the caller speaks before hanging up, in seconds from the first frame. Without it: until told. */
  seconds?: number;
  /** Keys that the caller presses once the media has come up, or the call is connected without. */
  digits?: string;
  /** What the caller says when asked, in order: one of them each time that speech is recognized. */
  words?: readonly string[];
  /** How much of the call's audio is kept, in seconds. */
  keepSeconds?: number;
  /** What becomes of a transfer. */
  transfer?: 'accepted' | 'failed';
  /** What those do whom the app adds to the call. By default they accept. */
  invited?: InvitationOutcome;
  /** Operations that are accepted, and then fail by their event. */
  fails?: readonly FailingOperation[];
  /** What goes wrong in this call in place of what goes wrong in all. */
  faults?: CallFaults;
  /** Sees every frame of the app as it arrives. */
  onFrame?: (frame: ReceivedFrame) => void;
  /** Is told how long each of the caller's frames took to come back, in milliseconds. */
  onRoundTrip?: (ms: number) => void;
}

/** What becomes of a call that the app makes: what the callee does at once, or what a test says with `respond`. */
export const dialedOutcomes = [...invitationOutcomes, 'manual'] as const;
export type DialedOutcome = (typeof dialedOutcomes)[number];

/** The calls that the app makes, and what those say and do who answer. */
export interface DialedOptions extends Omit<CallOptions, 'app' | 'from' | 'to' | 'schema' | 'announce'> {
  outcome: DialedOutcome;
}

/** Operations that can be told to fail. */
export const failingOperations = [
  'play',
  'recognize',
  'connect',
  'hold',
  'sendDtmfTones',
  'startContinuousDtmfRecognition',
  'startTranscription',
] as const;
export type FailingOperation = (typeof failingOperations)[number];

/** The handle on one call. */
export interface SimulatedCall extends CallIds {
  readonly id: string;
  readonly direction: CallDirection;
  readonly from: Identifier;
  readonly to: Identifier;
  readonly state: CallState;
  readonly journal: Journal;
  /** `journal.until`: waits for what is to happen in this call. */
  readonly until: Journal['until'];
  /** The body of the IncomingCall event, as the webhook gets it. Undefined unless it is an incoming call. */
  readonly announcement: unknown;
  /** Announces an incoming call, again if it has been. */
  announce(): Promise<boolean>;
  /**
   * Whoever the app calls does something about it: the only one, or `target`, as `parseIdentifier` takes it.
   *
   * @throws {RestError} 409 where nobody's phone rings
   */
  respond(outcome: InvitationOutcome, target?: string): void;
  /** The media: its socket (raw frames, a cut, a slow reader) and its audio. Undefined until answered with media. */
  readonly stream: Stream | undefined;
  /** What is said as text, and the WebSocket it goes to. Undefined until answered with transcription. */
  readonly transcription: Transcription | undefined;
  /** Opens a media WebSocket as ACS would, with other headers or another URL if given. */
  openMedia(overrides?: { url?: string; headers?: Record<string, string> }): Promise<Upgrade>;
  /** Makes a callback event of this call; `data` adds to what it says, or differs. */
  event(type: string, data?: Record<string, unknown>): CallbackEvent;
  /** Posts anything to the callback URI with a good token: events again, in another order, of another call. */
  post(body: unknown, headers?: Record<string, string>): Promise<Outcome>;
  /** Presses keys, one after another. */
  press(digits: string): Promise<void>;
  /** The caller says something in words, for whoever recognizes or transcribes speech. */
  say(text: string): void;
  /** The caller hangs up. A callee who hasn't answered declines. */
  hangUp(): void;
  /** Resolves when the call has ended and its last event is delivered. */
  readonly ended: Promise<CallReport>;
  report(): CallReport;
}

/** What an app asks of a call, whoever placed it. */
export interface Setup {
  callbackUri: string;
  operationContext: string | undefined;
  media: MediaRequest | undefined;
  transcription: TranscriptionRequest | undefined;
  /** Whether it names a speech service, without which no text is read. */
  hasSpeech: boolean;
}
export interface MediaRequest {
  transportUrl: string;
  sampleRate: number;
  bidirectional: boolean;
  dtmfTones: boolean;
  unmixed: boolean;
  start: boolean;
}

export interface TranscriptionRequest extends SpeechModel {
  transportUrl: string;
  /** Whether what is said is told word by word, before it is told as a whole. */
  intermediate: boolean;
  start: boolean;
}

/** The handle as the REST operations need it. */
export interface Call extends SimulatedCall {
  /** Undefined until the app has asked for the call. */
  readonly setup: Setup | undefined;
  /** Fires when it doesn't ring any more: it is answered, or over. */
  readonly ringing: AbortSignal;
  readonly over: AbortSignal;
  /** Which of those in the call is the app. */
  readonly app: Identifier;
  /** Those whom the app called; in any other call, the called. */
  readonly targets: readonly Identifier[];
  /** The number that those on the telephone see whom the app called. */
  readonly callerId: string | undefined;
  /** The phone numbers of the resource. */
  readonly numbers: readonly string[];
  /** Whom the app talks to: the first who came in. */
  readonly person: Identifier;
  /** The app has asked for the call: events go there from now on. */
  claim(setup: Setup): void;
  /** It is answered, and `who` is in it; the function it returns sets the rest going: events, and media. */
  connect(setup: Setup, who: Identifier): Promise<() => void>;
  /** Undefined until it is connected, and where the app asked for none. */
  readonly media: CallMedia | undefined;
  readonly prompts: Prompts;
  /** Undefined until it is connected. */
  readonly recordings: CallRecordings | undefined;
  readonly tones: Tones;
  readonly roster: Roster;
  readonly invitations: Invitations;
  fails: CallContext['fails'];
  push: CallContext['push'];
  /** Nothing but its last event, and what was on its way, is told from then on. */
  end(outcome: string, result?: Result): void;
}

/** A call that the simulator placed, while the app makes up its mind. Each throws 404 once it rings no more. */
export interface IncomingCall extends Call {
  /** Claims the call, then as `connect`. */
  answer(setup: Setup): Promise<() => void>;
  reject(reason: string): void;
  /** The call rings elsewhere, where the simulator doesn't follow it. */
  redirect(): void;
}

/** A call that the app joins. */
export interface JoinedCall extends Call {
  /** Comes in, and posts what came of it. */
  enter(): void;
}

/** A call that the app makes. */
export interface OutgoingCall extends Call {
  /** Rings at those whom it is for, and posts what came of it. */
  ring(): void;
}
