import { randomUUID } from 'node:crypto';
import type { SpokenFrame } from '../media/voices.ts';
import { formatWav } from '../media/wav.ts';
import type { Said } from '../rest/operation.ts';
import { callbackUri } from '../rest/operation.ts';
import type { RecordingRequest } from '../rest/recording-requests.ts';
import type { Tape } from './tape.ts';
import { createTape, tapeRate } from './tape.ts';

/** What an app is told of a recording. */
export interface RecordingState {
  recordingId: string;
  recordingState: 'active' | 'inactive';
  recordingKind: 'azureCommunicationServices';
}

/** What came of a recording: a WAV file, and what is known of it. */
export interface Recorded {
  recordingId: string;
  startTime: string;
  ms: number;
  /** Why it is over: `CallEnded`, or `SessionEnded` where it was stopped. */
  endReason: string;
  unmixed: boolean;
  content: Buffer;
  metadata: object;
}

/** One recording of a call, until it is stopped. What its methods return tells the app. */
export interface Recording {
  readonly id: string;
  state(): RecordingState;
  announce(state: RecordingState): void;
  pause(): () => void;
  resume(): () => void;
  stop(endReason?: string): () => void;
  /** Takes 20 ms of the call, unless it is paused. */
  add(frames: readonly SpokenFrame[], sampleRate: number): void;
}

/**
 * @param options.present the raw ids of those in the call
 * @param options.now clock in milliseconds
 * @param options.push posts a callback event
 * @param options.onStop it has stopped
 * @param options.onFile there is a file
 */
export function createRecording({
  request,
  present,
  now,
  push,
  onStop,
  onFile,
}: {
  request: Pick<RecordingRequest, 'callbackUri' | 'unmixed' | 'paused' | 'seats'>;
  present: () => readonly string[];
  now: () => number;
  push: (type: string, data: object) => Promise<void>;
  onStop: () => void;
  onFile: (recorded: Recorded) => void;
}): Recording {
  const { unmixed, seats } = request;
  const id = randomUUID();
  const tape = createTape(unmixed, seats);
  const startTime = new Date(now()).toISOString();
  const people = new Set(present());
  const pauses: { startTime: string; duration: number }[] = [];
  let pausedAt = request.paused ? now() : undefined;

  const state = (): RecordingState => ({
    recordingId: id,
    recordingState: pausedAt === undefined ? 'active' : 'inactive',
    recordingKind: 'azureCommunicationServices',
  });

  function announce({ recordingId, recordingState, recordingKind }: RecordingState) {
    const said: Said = {
      operationContext: undefined,
      ...(request.callbackUri !== undefined && { [callbackUri]: request.callbackUri }),
    };
    const told = { recordingId, state: recordingState, recordingKind, startDateTime: startTime };
    void push('RecordingStateChanged', { ...said, ...told });
  }

  /** Tells what has become of it by then, where that is another state than before. */
  function change(changes: boolean): () => void {
    const changed = state();
    return () => {
      if (changes) announce(changed);
    };
  }

  function resume(): boolean {
    if (pausedAt === undefined) return false;
    pauses.push({ startTime: new Date(pausedAt).toISOString(), duration: Math.round(now() - pausedAt) });
    pausedAt = undefined;
    return true;
  }

  return {
    id,
    state,
    announce,
    pause() {
      const changes = pausedAt === undefined;
      pausedAt ??= now();
      return change(changes);
    },
    resume: () => change(resume()),
    add(frames, sampleRate) {
      if (pausedAt === undefined) tape.add(frames, sampleRate);
    },
    stop(endReason = 'SessionEnded') {
      resume();
      onStop();
      for (const rawId of present()) people.add(rawId);
      return () => {
        announce({ ...state(), recordingState: 'inactive' });
        const content = formatWav(tape.channels(), tapeRate);
        const metadata = {
          chunkIndex: 0,
          chunkStartTime: startTime,
          chunkDuration: tape.ms,
          pauseResumeIntervals: pauses,
          ...describe(tape, unmixed, people),
        };
        onFile({ recordingId: id, startTime, ms: tape.ms, endReason, unmixed, content, metadata });
      };
    },
  };
}

/** As Microsoft's page on call recording has it (azure-docs, call-recording.md, "Metadata Schema"). */
function describe(tape: Tape, unmixed: boolean, people: ReadonlySet<string>) {
  const channels = tape.channelCount;
  return {
    recordingInfo: {
      contentType: 'audio',
      channelType: unmixed ? 'unmixed' : 'mixed',
      format: 'wav',
      audioConfiguration: { sampleRate: tapeRate, bitRate: tapeRate * 16 * channels, channels },
    },
    participants: [...people].map((participantId) => ({
      participantId,
      channel: tape.seats.get(participantId),
    })),
  };
}
