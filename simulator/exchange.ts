import type { EventGrid } from './events/event-grid.ts';
import type { Faults } from './faults/faults.ts';
import type { Random } from './faults/random.ts';
import type { Entry } from './journal.ts';
import type { Ticker } from './media/ticker.ts';
import type { Sound } from './media/wav.ts';
import type { RecordingFiles } from './recordings/recording-files.ts';
import type { Keys } from './tokens/keys.ts';

/** What a call is placed with: all but the faults is common to the calls of a simulator. */
export interface Exchange {
  app: string | undefined;
  /** The phone numbers of the resource. */
  numbers: readonly string[];
  keys: Keys;
  /** What may go wrong in this call, and the chance that it depends on. */
  faults: () => Faults;
  random: Random;
  ticker: Ticker;
  eventGrid: EventGrid;
  files: RecordingFiles;
  speech: () => Sound;
  /** Is told what happens in a call. */
  note: (entry: Entry) => void;
  now: () => number;
  clock: () => number;
  signal: AbortSignal;
  durations: Durations;
}
export interface Durations {
  /** How long a call rings. */
  ringMs: number;
  /** Pauses between the attempts to deliver a callback event, and how long an answer to one may take. */
  callbackRetryMs: readonly number[];
  callbackTimeoutMs: number;
  /** How long an event that is to be overtaken waits for another. */
  overtakeMs: number;
  /** How long the app may take over an upgrade. */
  upgradeTimeoutMs: number;
  /** From one key to the next. */
  keyMs: number;
  /** How long the caller waits at the end for audio on its way. Younger frames aren't lost when a call is cut off. */
  graceMs: number;
  /** A tick: 20 ms of audio. */
  frameMs: number;
  /** How long tests wait for what is to happen. */
  waitMs: number;
}

export const defaultDurations: Durations = {
  ringMs: 30_000,
  callbackRetryMs: [1_000, 2_000, 4_000],
  callbackTimeoutMs: 10_000,
  overtakeMs: 1_000,
  upgradeTimeoutMs: 10_000,
  keyMs: 200,
  graceMs: 1_000,
  frameMs: 20,
  waitMs: 10_000,
};
