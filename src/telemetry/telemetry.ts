// What the app tells telemetry, and what it is told through where there is none. The log is the rest: its lines with
// an `event` are events (names.ts).

/** By what the records of a call are found. Read whenever a record is made: ids that come later count from then on. */
export interface CallTags {
  /** This app's id of the call, 32 hex digits: also the id of the trace of what is recorded of it here. */
  readonly call: string;
  /** ACS's, as soon as they are known. */
  readonly callConnectionId?: string | undefined;
  readonly correlationId?: string | undefined;
}

/** What became of a request to open a WebSocket, told as soon as it is decided. */
export interface UpgradeFacts {
  readonly route: '/ws' | '/ws/:binding';
  readonly outcome: 'accepted' | 'refused';
  /** The HTTP status, or 101 where the socket was opened (only to be closed, with WS_REFUSE=close). */
  readonly status: number;
  /** Why it was refused: of a closed list, never input. */
  readonly reason?: string | undefined;
  /** How long the check took, in milliseconds. */
  readonly checkMs: number;
  /** The id of the call that the socket is let in for, where its address names one. */
  readonly call?: string | undefined;
  /** ACS's id of that call, where it is known already. */
  readonly correlationId?: string | undefined;
  /** The request's header of that name (W3C Trace Context), as it came. */
  readonly traceparent?: string | undefined;
}

/** Numbers of the app. Those under `totals` count from the start of the process. */
export interface Stats {
  readonly calls: number;
  readonly maxCalls: number;
  /** Upgrades whose token waits for a key. */
  readonly upgradesWaiting: number;
  /** What waits in the sockets of all calls. */
  readonly bufferedBytes: number;
  /** How old the issuer's keys are, in milliseconds; undefined before the first. */
  readonly keysAgeMs: number | undefined;
  readonly totals: {
    readonly framesIn: number;
    readonly framesOut: number;
    readonly bytesIn: number;
    readonly bytesOut: number;
    readonly malformed: number;
    readonly refused: number;
    readonly keysFetched: number;
    readonly keysFailed: number;
    /** ACS's events by type, and those that came twice. The types are a closed list, or `other`. */
    readonly events: Readonly<Record<string, number>>;
    readonly duplicates: number;
  };
}

export interface Telemetry {
  /** Where lines of the log go besides stdout, at info and above; undefined: nowhere. */
  readonly records: { write(line: string): void } | undefined;
  /** Says whether it works, in the log, as soon as that is known. */
  report(log: TelemetryLog): void;
  /** Records an upgrade: a span, and a count. */
  upgrade(facts: UpgradeFacts): void;
  /** @param stats read once for each report of the metrics, and never on the way of audio */
  watch(stats: () => Stats): void;
  /** Runs something for a call: spans that begin in it (requests to ACS) carry the call's ids. */
  within<T>(tags: CallTags, run: () => T): T;
  /** Adds a call's ids to the request that is being handled. */
  tag(tags: CallTags): void;
  /** Sends what was gathered. Resolves when it is out, or given up: after `timeoutMs` at the latest. */
  flush(timeoutMs: number): Promise<void>;
}

export interface TelemetryLog {
  info(message: string): void;
  warn(facts: object, message: string): void;
}

/** Telemetry that is off. */
export const noTelemetry: Telemetry = {
  records: undefined,
  report: () => {},
  upgrade: () => {},
  watch: () => {},
  within: (_tags, run) => run(),
  tag: () => {},
  flush: async () => {},
};
