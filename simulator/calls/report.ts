import type { Entry } from '../journal.ts';
import type { StreamReport } from '../media/stream.ts';
import type { KeyCount } from '../prompts/keypad.ts';

export type CallState = 'ringing' | 'connected' | 'ended';

/** How the app came to a call: it was called, it called, or it joined one that was there. */
export type CallDirection = 'incoming' | 'outgoing' | 'joined';

/** How a call went, or goes. */
export interface CallReport {
  id: string;
  direction: CallDirection;
  callConnectionId: string;
  correlationId: string;
  state: CallState;
  /**
   * How it ended: `the caller hung up`, `the app hung up`, `rejected: busy`, `not answered`, `redirected`,
   * `transferred`; where the app called, `the callee` did it, who also `declined`, `was busy` or `did not answer`.
   */
  outcome: string | undefined;
  /** What went wrong first, in words for whoever placed the call. */
  problem: string | undefined;
  /** From the announcement, or the app's call, to the answer, and from the answer to the media WebSocket, in milliseconds. */
  answeredAfterMs: number | undefined;
  mediaAfterMs: number | undefined;
  /** From the answer to the end, in milliseconds. */
  lastedMs: number | undefined;
  media: StreamReport | undefined;
  keys: KeyCount | undefined;
  /** Callback events as they were delivered, and operations as they were answered. */
  events: string[];
  operations: string[];
}

/** What a report is made of. */
export interface CallFacts {
  id: string;
  direction: CallDirection;
  callConnectionId: string;
  correlationId: string;
  state: CallState;
  entries: readonly Entry[];
  media: StreamReport | undefined;
  keys: KeyCount | undefined;
}

/** Sums up a call by what its journal says. */
export function reportCall({
  id,
  direction,
  callConnectionId,
  correlationId,
  state,
  entries,
  media,
  keys,
}: CallFacts): CallReport {
  const all = <T extends Entry['type']>(type: T) =>
    entries.filter((entry): entry is Entry<T> => entry.type === type); // narrowed by type
  const placed = all('placed')[0]?.at ?? 0;
  const answered = all('answered')[0]?.at;
  const ended = all('ended')[0];
  const media101 = all('upgrade').find((entry) => entry.status === 101)?.at;
  return {
    id,
    direction,
    callConnectionId,
    correlationId,
    state,
    outcome: ended?.outcome,
    problem: findProblem(all, direction, media),
    answeredAfterMs: answered === undefined ? undefined : answered - placed,
    mediaAfterMs: answered === undefined || media101 === undefined ? undefined : media101 - answered,
    lastedMs: answered === undefined || ended === undefined ? undefined : ended.at - answered,
    media,
    keys: keys && { ...keys },
    events: all('event').map(({ event, status, error }) =>
      isOk(status) ? event : `${event} (${status ?? error})`,
    ),
    operations: all('request').map(({ operation, status }) =>
      isOk(status) ? operation : `${operation} (${status ?? 'cut'})`,
    ),
  };
}

/** Whether an answer says that it was taken. No status: there was none. */
export const isOk = (status: number | undefined) => status !== undefined && status >= 200 && status < 300;

/** A normal end, one without a code, and a cut (RFC 6455, 7.4.1): after a hang-up none of them tells of a failure. */
const HARMLESS = [1000, 1005, 1006];

type All = <T extends Entry['type']>(type: T) => Entry<T>[];

/** The first thing that went wrong, in the order in which a call meets them. */
function findProblem(
  all: All,
  direction: CallDirection,
  media: StreamReport | undefined,
): string | undefined {
  const lastTry = all('announced').at(-1);
  const rejected = all('rejected')[0];
  const ended = all('ended')[0];
  if (rejected) return `the app rejected the call: ${rejected.reason}`;
  if (ended?.outcome === 'redirected') return undefined;
  const answered = all('answered').length > 0;
  if (ended && !answered && direction !== 'incoming')
    return ended.outcome === 'the app hung up' ? undefined : ended.outcome;
  if (ended && !answered) {
    const validated = lastTry?.what === 'validation' && isOk(lastTry.status) && !lastTry.error;
    if (!lastTry || validated) return 'the call was never announced';
    const said = lastTry.status === undefined ? `no answer (${lastTry.error})` : `status ${lastTry.status}`;
    if (isOk(lastTry.status) && !lastTry.error)
      return 'the webhook took the call, but the app did not answer it';
    const what = lastTry.what === 'validation' ? "Event Grid's validation" : 'the call';
    return `nobody answered: the webhook's reply to ${what} was ${said}${hint(lastTry.status)}`;
  }
  const refused = all('upgrade').find((entry) => entry.status !== 101);
  if (refused) return `the app refused the media WebSocket: ${refused.status ?? refused.error}`;
  const unwritten = all('transcription-upgrade').find((entry) => entry.status !== 101);
  if (unwritten) return `the app refused the transcription WebSocket: ${unwritten.status ?? unwritten.error}`;
  const undelivered = all('event').find(({ id, status }, at, events) => {
    const tookIt = events.slice(at).some((later) => later.id === id && isOk(later.status));
    return !isOk(status) && !tookIt;
  });
  if (undelivered && ended) {
    return `the app did not take ${undelivered.event}: ${undelivered.status ?? undelivered.error}`;
  }
  const hungUp = ended?.outcome === 'the app hung up';
  const meant = (code: number) => code === 1000 && (hungUp || ended === undefined);
  const closed = all('media-closed').find(({ by, expected, code }, at, { length }) => {
    if (by !== 'app') return false;
    // A hang-up may overtake the end of the last WebSocket, whose code says how the app came to it.
    return expected ? hungUp && at === length - 1 && !HARMLESS.includes(code) : !meant(code);
  });
  if (closed) return `the app closed the media WebSocket: ${closed.code} ${closed.reason}`.trimEnd();
  if (media && media.foreign > 0) return `the caller heard ${media.foreign} frames of another call`;
  const [why] = Object.keys(media?.unheard ?? {});
  if (why !== undefined) return `the caller did not hear what the app said: ${why}`;
  return undefined;
}

function hint(status: number | undefined): string {
  if (status === 401 || status === 403) return ' (is EVENT_GRID_KEY the one of the simulator?)';
  if (status === 404) return ' (is this the path of the webhook?)';
  return '';
}
