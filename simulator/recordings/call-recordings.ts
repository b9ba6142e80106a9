import type { CallContext } from '../calls/call-context.ts';
import type { Roster } from '../calls/roster.ts';
import { recordingFileEvent } from '../events/announcements.ts';
import { RestError } from '../http/rest-error.ts';
import type { SpokenFrame, Voices } from '../media/voices.ts';
import type { RecordingRequest } from '../rest/recording-requests.ts';
import type { Recorded, Recording } from './recording.ts';
import { createRecording } from './recording.ts';

/** The recordings of one call, one at a time. */
export interface CallRecordings {
  /** @throws {RestError} 409 while another one runs */
  start(request: RecordingRequest): Recording;
  /** Whether there is one now. */
  readonly running: boolean;
  /** Undefined unless it runs. */
  find(recordingId: string): Recording | undefined;
  /** Whether there is, or was, such a recording of this call. */
  has(recordingId: string): boolean;
  /** Takes 20 ms of the call: what each says, and what the app says to them. */
  add(said: readonly SpokenFrame[], heard: Buffer | undefined): void;
}

const MAX_CATCH_UP = 50; // frames: after a longer stall (a laptop that slept) the rest is left out

/**
 * @param options.streaming whether media streaming lets time pass in the call; else a recording does
 * @param options.prompting the next 20 ms of a prompt; undefined: none sounds
 */
export function createCallRecordings({
  roster,
  voices,
  streaming,
  prompting,
  ...context
}: CallContext & {
  roster: Roster;
  voices: Voices;
  streaming: () => boolean;
  prompting: () => Buffer | undefined;
}): CallRecordings {
  const { ids, options, exchange, app, over, note, push } = context;
  const { eventGrid, faults, files, now, random, signal, ticker } = exchange;
  const known = new Set<string>();
  const present = () => roster.all().map(({ identifier }) => identifier.rawId);
  let running: Recording | undefined;
  let nextTick: number | undefined;
  let unsubscribe = () => {};

  const add: CallRecordings['add'] = (said, heard) => {
    const frames = heard ? [...said, { speaker: app.rawId, pcm: heard, silent: false }] : said;
    running?.add(frames, voices.sampleRate);
  };

  function run(tick: number) {
    const due = Math.min(tick - (nextTick ?? tick), MAX_CATCH_UP) + 1;
    nextTick = tick + 1;
    if (streaming()) return;
    for (let frame = 0; frame < due; frame++) add(voices.next(), prompting());
  }

  /** Keeps the file, and tells the webhook where. */
  function onFile({ content, metadata, ...recorded }: Recorded) {
    const { app: webhook = exchange.app, schema = 'event-grid' } = options;
    const locations = files.add({ content, metadata: { callId: ids.correlationId, ...metadata } });
    if (webhook === undefined) return;
    const event = recordingFileEvent(ids, recorded, locations, schema, new Date(now()));
    const fate = { faults, random, note };
    void eventGrid.announce({ webhook, event, schema, what: 'recording', until: signal, ...fate });
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
    get running() {
      return running !== undefined;
    },
    find: (recordingId) => (running?.id === recordingId ? running : undefined),
    has: (recordingId) => known.has(recordingId),
    add,
  };
}
