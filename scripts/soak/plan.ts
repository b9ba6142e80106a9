import { createRandom } from '../../simulator/faults/random.ts';
import { type Mischief, mischiefs } from './mischief.ts';

/** How one call goes, decided before it is placed. */
export interface CallPlan {
  /** Which one it is, from 0. */
  nth: number;
  kind: 'echo' | 'barge-in' | 'playback' | Mischief;
  /** How long it lasts, unless it misbehaves. */
  seconds: number;
  /** Who ends it, unless it misbehaves. */
  endedBy: 'caller' | 'app';
  /** Of a barge-in: how long the caller listens each time, in milliseconds. */
  listensMs: number[];
  order: 'together' | 'media-first' | 'events-first' | 'media-before-answer';
  schema: 'event-grid' | 'cloud-events';
}

/** How long what can't be hurried takes, in seconds; that much of the run has to be left for it. */
const needs = { playback: 70, mischief: 25, least: 5 };

/** How far beyond the end of the run a long playback may go, in seconds: in a minute's run there'd be none. */
const overtime = 30;

/** How long the caller talks before each of the app's turns, in milliseconds. */
export const betweenMs = 1_500;

/**
 * Deals out calls: the same ones in the same order for the same seed, whenever they are asked for. Only what no longer
 * fits into the run turns into a short call.
 *
 * @param options.oneIn of so many calls one misbehaves, and at least one has a long playback
 */
export function createPlan({ seed, oneIn }: { seed: number; oneIn: number }) {
  const random = createRandom(seed, 'soak');
  let hand: CallPlan['kind'][] = [];
  let tricks: Mischief[] = [];
  let nth = 0;

  function pick<T>(what: string, from: readonly [T, ...T[]]): T {
    return from[random.upTo(what, from.length - 1)] ?? from[0];
  }

  function shuffle<T>(what: string, cards: readonly T[]): T[] {
    const left = [...cards];
    return cards.flatMap(() => left.splice(random.upTo(what, left.length - 1), 1));
  }

  function dealKind(): CallPlan['kind'] {
    if (tricks.length === 0) tricks = shuffle('tricks', mischiefs);
    if (hand.length === 0) {
      const [playbacks, bargeIns] = [Math.ceil(oneIn / 20), Math.ceil(oneIn / 7)];
      const echoes = oneIn - 1 - playbacks - bargeIns;
      const kinds = [
        ...Array<'playback'>(playbacks).fill('playback'),
        ...Array<'barge-in'>(bargeIns).fill('barge-in'),
        ...Array<'echo'>(echoes).fill('echo'),
      ];
      hand = shuffle('kinds', [...kinds, ...tricks.splice(0, 1)]);
    }
    return hand.shift() ?? 'echo';
  }

  function deal(): CallPlan {
    const kind = dealKind();
    const seconds = needs.least + random.upTo('seconds', 55);
    return {
      nth: nth++,
      kind,
      seconds: kind === 'playback' ? needs.playback : seconds,
      endedBy: kind === 'echo' ? pick('end', ['caller', 'caller', 'app']) : 'caller',
      listensMs: Array.from(
        { length: Math.max(1, Math.floor(seconds / 8)) },
        () => 500 + random.upTo('listen', 2_500),
      ),
      order: pick('order', ['together', 'together', 'media-first', 'events-first', 'media-before-answer']),
      schema: pick('schema', ['event-grid', 'cloud-events']),
    };
  }

  return {
    /** @param left how much of the run is left, in seconds. Undefined: too little for another call. */
    next(left: number): CallPlan | undefined {
      if (left < needs.least) return undefined;
      const plan = deal();
      const { kind } = plan;
      if (kind === 'playback') return left + overtime >= needs.playback ? plan : shorten(plan, left);
      if (kind !== 'echo' && kind !== 'barge-in') return left >= needs.mischief ? plan : shorten(plan, left);
      return left >= plan.seconds ? plan : shorten(plan, left);
    },
  };
}

function shorten(plan: CallPlan, left: number): CallPlan {
  return { ...plan, kind: 'echo', seconds: Math.max(needs.least, Math.min(plan.seconds, Math.floor(left))) };
}

/** A call that the caller ends, and that has nothing to it. */
export function plainCall(nth: number, seconds: number): CallPlan {
  return {
    ...{ nth, seconds, kind: 'echo', endedBy: 'caller', listensMs: [] },
    ...{ order: 'together', schema: 'event-grid' },
  };
}
