import { createMarkReader } from './marks.ts';

/** What came back of the audio that a caller sent. */
export interface Echo {
  /** Frames of the caller that came back. */
  returned: number;
  /** Frames that didn't, though there was time. Undefined where nothing came back: then the handler is no echo. */
  lost: number | undefined;
  /** Frames that came back more than once. */
  repeated: number;
  /** Frames of other calls. Always a grave fault. */
  foreign: number;
  /** From sending a frame to receiving it, in milliseconds. Undefined where nothing came back. */
  roundTripMs: { p50: number; p99: number; max: number } | undefined;
}

/** Tells what became of each frame by the marks in them. */
export interface Meter {
  /** @param at when, by the meter's clock */
  sent(sequence: number, at: number): void;
  received(pcm: Buffer): void;
  /**
   * The media has ended, until the next frame is sent.
   *
   * @param cut whether the simulator cut it: the app isn't to blame for what was on its way then
   */
  end(cut?: boolean): void;
  /** Frames that haven't come back. */
  readonly outstanding: number;
  report(): Echo;
}

/**
 * @param options.call the number in this call's marks
 * @param options.graceMs frames younger than this when the media ended aren't lost but on their way, in milliseconds
 * @param options.clock monotonic clock in milliseconds
 * @param options.onRoundTrip is told how long each frame took to come back, in milliseconds
 */
export function createMeter({
  call,
  graceMs = 1_000,
  clock = () => performance.now(),
  onRoundTrip,
}: {
  call: number;
  graceMs?: number;
  clock?: () => number;
  onRoundTrip?: ((ms: number) => void) | undefined;
}): Meter {
  const read = createMarkReader();
  const sentAt: number[] = [];
  const trips: number[] = [];
  const cutOff = new Set<number>();
  let count = 0;
  let repeated = 0;
  let foreign = 0;
  let endedAt: number | undefined;

  return {
    sent(sequence, at) {
      sentAt[sequence] = at;
      count += 1;
      endedAt = undefined;
    },
    received(pcm) {
      const now = clock();
      for (const mark of read(pcm)) {
        const sent = mark.call === call ? sentAt[mark.sequence] : undefined;
        if (sent === undefined) foreign += 1;
        else if (Number.isNaN(sent)) repeated += 1;
        else {
          trips.push(now - sent);
          onRoundTrip?.(now - sent);
          sentAt[mark.sequence] = Number.NaN;
        }
      }
    },
    end(cut = false) {
      endedAt ??= clock();
      if (!cut) return;
      const old = endedAt - graceMs;
      sentAt.forEach((sent, sequence) => {
        if (sent > old) cutOff.add(sequence);
      });
    },
    get outstanding() {
      return count - trips.length;
    },
    report() {
      const returned = trips.length;
      const old = (endedAt ?? clock()) - graceMs;
      const sorted = Float64Array.from(trips).sort();
      const at = (share: number) =>
        sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
      return {
        returned,
        lost: returned === 0 ? undefined : sentAt.filter((sent, at) => sent <= old && !cutOff.has(at)).length,
        repeated,
        foreign,
        roundTripMs: returned === 0 ? undefined : { p50: at(0.5), p99: at(0.99), max: at(1) },
      };
    },
  };
}
