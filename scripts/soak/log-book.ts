import { attempts } from './attempts.ts';
import { isMischief, misconduct } from './mischief.ts';
import type { CallPlan } from './plan.ts';

/** A line of the app's log, as far as it is looked at. */
interface Line {
  level: string;
  msg: string;
  event?: string;
  reason?: string;
  type?: string;
  correlationId?: string;
  suppressed?: number;
}

type Kind = CallPlan['kind'];

const always = () => true;
/** Of a call that the load placed, or those of them that are of these kinds. */
const of =
  (...kinds: Kind[]) =>
  (_line: Line, kind: Kind | undefined) =>
    kind !== undefined && (kinds.length === 0 || kinds.includes(kind));

/** What strangers are refused for. */
const strangersReasons = new Set<string>(Object.values(attempts).map(({ reason }) => reason));

/**
 * The lines that this load explains, by their event, else by their message: what is at the start and the end of the
 * app, what each call has, and what those that misbehave and strangers bring about. Nothing else is to be in the log.
 */
const explanations: Readonly<Record<string, (line: Line, kind: Kind | undefined) => boolean>> = {
  'callgate.started': always,
  'callgate.ready': always,
  'callgate.stopping': always,
  'callgate.stopped': always,
  'keys.fetched': always,
  'the handshake of an Event Grid subscription was answered': always,
  'call.announced': of(),
  'call.answered': of(),
  'call.media_connected': of(),
  'call.first_frame_in': of(),
  'call.first_audio_out': of(),
  'call.media_disconnected': of(),
  'call.hung_up': of(),
  'call.acs_event': ({ type = '' }, kind) =>
    kind !== undefined && ['CallConnected', 'CallDisconnected', 'MediaStreamingStarted'].includes(type),
  'call.barge_in': of('barge-in'),
  'call.ended': ({ reason }, kind) =>
    kind !== undefined &&
    (isMischief(kind)
      ? reason === misconduct[kind].reason || reason === 'CallDisconnected'
      : reason === 'CallDisconnected' || (kind === 'echo' && reason === 'the handler hung up')),
  'malformed message on the media socket': of('garbage'),
  'asked for media again': of('reset', 'drops, is asked back', 'drops, comes back'),
  'request.refused': ({ reason = '' }) => strangersReasons.has(reason),
};

/** What the log has said of one call so far. */
export interface CallLines {
  counts: ReadonlyMap<string, number>;
  /** Why it ended. */
  reason: string | undefined;
}

export type LogBook = ReturnType<typeof createLogBook>;

/**
 * Reads the app's log: counts its lines, and complains of those that nothing explains.
 *
 * @param options.kindOf which kind of call the load placed under that correlation id
 */
export function createLogBook(options: {
  kindOf: (correlationId: string) => Kind | undefined;
  onUnexplained: (line: string) => void;
}) {
  const counts = new Map<string, number>();
  const refusals = new Map<string, number>();
  const calls = new Map<string, { counts: Map<string, number>; reason: string | undefined }>();

  function take(text: string): void {
    const line = parse(text);
    const name = line?.event ?? line?.msg ?? 'not JSON';
    count(counts, name);
    const { correlationId = '', reason = '', suppressed = 0 } = line ?? {};
    if (name === 'request.refused') count(refusals, reason, 1 + suppressed);
    const kind = options.kindOf(correlationId);
    if (line && kind !== undefined) note(correlationId, name, line);
    if (!line || !isExplained(name, line, kind)) options.onUnexplained(text);
  }

  function note(correlationId: string, name: string, { reason }: Line) {
    const call = calls.get(correlationId) ?? { counts: new Map<string, number>(), reason: undefined };
    calls.set(correlationId, call);
    count(call.counts, name);
    if (name === 'call.ended') call.reason = reason;
  }

  return {
    take,
    /** How many lines there were of each kind, and of refusals for each reason, those held back included. */
    counts: counts as ReadonlyMap<string, number>,
    refusals: refusals as ReadonlyMap<string, number>,
    of: (correlationId: string): CallLines | undefined => calls.get(correlationId),
    forget: (correlationId: string) => void calls.delete(correlationId),
  };
}

function parse(text: string): Line | undefined {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isExplained(name: string, line: Line, kind: Kind | undefined): boolean {
  if (line.level === 'error' || line.level === 'fatal') return false;
  return Object.hasOwn(explanations, name) && explanations[name]?.(line, kind) === true;
}

function count(counts: Map<string, number>, name: string, by = 1): void {
  counts.set(name, (counts.get(name) ?? 0) + by);
}
