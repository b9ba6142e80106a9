// What telemetry is called: each event, its keys, and each metric, with what it means. Queries and alerts in infra/
// use these names. Nothing here is personal or secret, and nothing else is sent.

/** What an event says: texts that one filters by, and numbers that one reckons with. */
interface EventShape {
  readonly properties: readonly string[];
  readonly measurements: readonly string[];
}

/**
 * The events: lines of the log whose field `event` is one of these names. Times are in milliseconds. Those of a call
 * have its ids too ({@link callKeys}).
 */
export const events = {
  /** The process listens; what it runs with. */
  'callgate.started': {
    properties: ['version', 'nodeVersion', 'callBinding', 'wsRefuse'],
    measurements: ['maxCalls', 'maxCallSeconds', 'idleCallSeconds', 'drainSeconds'],
  },
  /** Tokens can be verified from now on. */
  'callgate.ready': { properties: [], measurements: ['readyMs'] },
  /** A signal asked the process to end: it drains. */
  'callgate.stopping': { properties: ['signal'], measurements: ['calls'] },
  'callgate.stopped': { properties: [], measurements: ['stoppingMs'] },
  /** An error that nobody handled ends the process: its class and code. */
  'callgate.crashed': { properties: ['type', 'code'], measurements: [] },

  /** The issuer's keys came, or didn't: whether the last ones still serve. Limited to some a minute. */
  'keys.fetched': { properties: [], measurements: ['keys', 'ignored', 'fetchMs', 'suppressed'] },
  'keys.failed': { properties: ['cause', 'serving'], measurements: ['suppressed'] },

  /**
   * Somebody was turned away: from what (`media`, `events`, `incoming-call`), and why (auth/refusals.ts has the
   * list). Limited to some of a reason in five minutes, with the number of those held back; of upgrades a metric counts
   * each.
   */
  'request.refused': {
    properties: ['purpose', 'reason', 'status'],
    measurements: ['checkMs', 'suppressed'],
  },

  /** Event Grid announced the call. */
  'call.announced': { properties: [], measurements: [] },
  /** It is to announce it again: this process drains (`draining`), or has no keys to let a socket in (`no_keys`). */
  'call.postponed': { properties: ['reason'], measurements: [] },
  /** `answerCall` succeeded, in so long. */
  'call.answered': { properties: [], measurements: ['answerMs'] },
  /** It didn't: ACS's status and code, what to do, and whether Event Grid is asked to announce the call again. */
  'call.answer_failed': {
    properties: ['status', 'code', 'timedOut', 'retry', 'help'],
    measurements: ['answerMs'],
  },
  /** Rejected as busy: MAX_CALLS are running (`at_capacity`). */
  'call.rejected': { properties: ['reason'], measurements: [] },
  /** The call's WebSocket was let in after a check of so long, so long after the answer. */
  'call.media_connected': { properties: [], measurements: ['checkMs', 'sinceAnsweredMs'] },
  /** The first audio of the caller, and the first of the app, so long after the WebSocket opened. */
  'call.first_frame_in': { properties: [], measurements: ['sinceConnectedMs'] },
  'call.first_audio_out': { properties: [], measurements: ['sinceConnectedMs'] },
  /** What ACS says of the call: the event's type, the codes of its result, and what they mean. */
  'call.acs_event': { properties: ['type', 'code', 'subCode', 'help'], measurements: [] },
  /** The WebSocket ended: its close code, and whether this side closed it. */
  'call.media_disconnected': { properties: ['code', 'ours', 'reason'], measurements: [] },
  /** The handler silenced the app, which had so much left to say. Limited to some a minute. */
  'call.barge_in': { properties: [], measurements: ['unheardMs', 'suppressed'] },
  /** The handler threw or rejected: the class and code of its error. */
  'call.handler_failed': { properties: ['type', 'code'], measurements: [] },
  /**
   * The end of a call: why (calls/endings.ts has the list), and what it came to. `playbackBehindMs`: gaps within what
   * was played, since this process was late; `playbackRefusedMs`: what didn't fit.
   */
  'call.ended': {
    properties: ['reason'],
    measurements: [
      'lastedMs',
      'framesIn',
      'framesOut',
      'bytesIn',
      'bytesOut',
      'malformed',
      'refused',
      'maxBufferedBytes',
      'playbackBehindMs',
      'playbackRefusedMs',
      'duplicates',
    ],
  },
  /** ACS was told to end the call, or couldn't be: then it may go on, and cost. */
  'call.hung_up': { properties: [], measurements: ['hangUpMs'] },
  'call.hang_up_failed': { properties: ['status', 'code'], measurements: ['hangUpMs'] },
} as const satisfies Record<string, EventShape>;

export type EventName = keyof typeof events;

/** By these the records of a call are found: this app's id of it, and ACS's two. */
export const callKeys = ['call', 'callConnectionId', 'correlationId'] as const;

/** What a warning or an error may say that is no event. */
export const traceKeys = ['reason', 'status', 'code', 'help', 'type', 'why', 'purpose', 'cause'] as const;

/** The metrics: what they are now, or how many since the last report. */
export const metrics = {
  /** Calls that hold a slot, and how many may. */
  calls: 'callgate.calls',
  callsMax: 'callgate.calls.max',
  /** Upgrades and callbacks whose token waits for a key. */
  upgradesWaiting: 'callgate.upgrades.waiting',
  /** Bytes that wait in the sockets of all calls. */
  bufferedBytes: 'callgate.buffered_bytes',
  /** How late the event loop was, in milliseconds: 99 % of the time by no more than this. */
  eventLoopDelay: 'callgate.event_loop.delay_p99_ms',
  memory: 'callgate.memory.rss_bytes',
  /** Of one core. */
  cpu: 'callgate.cpu_percent',
  /** Since the issuer's keys were last fetched, in seconds. */
  keysAge: 'callgate.keys.age_seconds',
  upgrades: 'callgate.upgrades',
  frames: 'callgate.frames',
  bytes: 'callgate.bytes',
  malformed: 'callgate.frames.malformed',
  refused: 'callgate.frames.refused',
  keyFetches: 'callgate.keys.fetches',
  /** ACS's events, and those that came twice. */
  events: 'callgate.events',
  duplicates: 'callgate.events.duplicate',
  /** Requests, dependencies and events of calls that weren't sent, since there were too many: budget.ts. */
  suppressed: 'callgate.records.suppressed',
} as const;

type MetricName = (typeof metrics)[keyof typeof metrics];

/** By what metrics are counted apart; those that aren't here have one number. */
export const metricAttributes: { readonly [Name in MetricName]?: readonly string[] } = {
  'callgate.upgrades': ['outcome', 'reason'],
  'callgate.frames': ['direction'],
  'callgate.bytes': ['direction'],
  'callgate.keys.fetches': ['result'],
  'callgate.events': ['type'],
  'callgate.records.suppressed': ['outcome'],
};

/** Properties and attributes with a closed list of values. That of `reason` is in auth/refusals.ts. */
export const closedLists = {
  purpose: ['media', 'events', 'incoming-call'],
  outcome: ['accepted', 'refused'],
  direction: ['in', 'out'],
  result: ['ok', 'failed'],
} as const;
