import type { Recorded, Recording } from './recording.ts';
import { createRecording } from './recording.ts';
import type { RecordingRequest } from './recording-requests.ts';
import { RestError } from './rest-error.ts';
import type { Roster } from './roster.ts';
import type { Ticker } from './ticker.ts';
import { makeTone } from './tone.ts';
import type { SpokenFrame, Voices } from './voices.ts';

/** The recordings of one call, one at a time. */
export interface CallRecordings {
  /** @throws {RestError} 409 while another one runs */
  start(request: RecordingRequest): Recording;
  /** Undefined unless it runs. */
  find(recordingId: string): Recording | undefined;
  /** Whether there is, or was, such a recording of this call. */
  has(recordingId: string): boolean;
  /** Takes 20 ms of the call: what each says, and what the app says to them. */
  add(said: readonly SpokenFrame[], heard: Buffer | undefined): void;
}

const MAX_CATCH_UP = 50; // frames: after a longer stall (a laptop that slept) the rest is left out

/**
 * @param options.app the raw id of the app
 * @param options.streaming whether media streaming lets time pass in the call; else a recording does
 * @param options.prompting whether a prompt sounds just now
 * @param options.over fires when the call has ended
 * @param options.now clock in milliseconds
 * @param options.push posts a callback event
 * @param options.onFile there is a file
 */
export function createCallRecordings({
  app,
  roster,
  voices,
  ticker,
  streaming,
  prompting,
  over,
  now,
  push,
  onFile,
}: {
  app: string;
  roster: Roster;
  voices: Voices;
  ticker: Ticker;
  streaming: () => boolean;
  prompting: () => boolean;
  over: AbortSignal;
  now: () => number;
  push: (type: string, data: object) => Promise<void>;
  onFile: (recorded: Recorded) => void;
}): CallRecordings {
  const known = new Set<string>();
  const tone = makeTone(voices.sampleRate);
  const present = () => roster.all().map(({ identifier }) => identifier.rawId);
  let running: Recording | undefined;
  let nextTick: number | undefined;
  let unsubscribe = () => {};

  const add: CallRecordings['add'] = (said, heard) => {
    const frames = heard ? [...said, { speaker: app, pcm: heard, silent: false }] : said;
    running?.add(frames, voices.sampleRate);
  };

  function run(tick: number) {
    const due = Math.min(tick - (nextTick ?? tick), MAX_CATCH_UP) + 1;
    nextTick = tick + 1;
    if (streaming()) return;
    for (let frame = 0; frame < due; frame++) add(voices.next(), prompting() ? tone : undefined);
  }

  function onStop() {
    running = undefined;
    unsubscribe();
  }

  over.addEventListener('abort', () => running?.stop('CallEnded')());

  return {
    start(request) {
      if (running) {
        const why = 'Recording is already in progress, one recording can be active at one time.';
        throw new RestError(409, '8553', why);
      }
      running = createRecording({ request, present, now, push, onStop, onFile });
      known.add(running.id);
      nextTick = undefined;
      unsubscribe = ticker.add(run);
      return running;
    },
    find: (recordingId) => (running?.id === recordingId ? running : undefined),
    has: (recordingId) => known.has(recordingId),
    add,
  };
}
