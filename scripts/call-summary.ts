import type { CallReport } from '../simulator/calls/report.ts';

/**
 * What was wrong with a call, in a line.
 *
 * @param expectEcho whether the handler has to send everything back
 */
export function faultOf({ problem, media }: CallReport, expectEcho: boolean): string | undefined {
  if (problem !== undefined) return problem;
  if (!media) return expectEcho ? 'the app answered without media streaming' : undefined;
  if (media.sent === 0) return expectEcho ? 'the call ended before the caller said anything' : undefined;
  if (media.lost === undefined) return expectEcho ? 'the handler does not echo' : undefined;
  return media.lost > 0 ? `${media.lost} of ${media.sent} frames were lost` : undefined;
}

/**
 * The summary for a person: one line for each thing that one wants to know.
 *
 * @param log where the app's log is to be read, if it isn't in sight
 */
export function summarize(reports: readonly CallReport[], log: string | undefined): string {
  const media = reports.flatMap((report) => report.media ?? []);
  const rows: [string, string][] = [];
  const answered = reports.flatMap(({ answeredAfterMs }) => answeredAfterMs ?? []);
  if (reports.length > 1) rows.push(['calls', `${reports.length}, ${answered.length} answered`]);
  if (answered.length > 0) rows.push(['time to answer', spread(answered)]);
  const sockets = reports.flatMap(({ mediaAfterMs }) => mediaAfterMs ?? []);
  if (sockets.length > 0) rows.push(['media after', spread(sockets)]);
  if (media.length > 0) rows.push(['frames', frames(media)]);
  if (media.some(({ sent }) => sent > 0)) rows.push(['round trip', roundTrip(media)]);
  const keys = reports.flatMap((report) => report.keys ?? []);
  const wanted = total(keys, (one) => one.wanted);
  if (wanted > 0) rows.push(['keys', `${total(keys, (one) => one.pressed)} of ${wanted} pressed`]);
  const unheard = media.flatMap((one) => Object.entries(one.unheard));
  for (const [why, count] of unheard) rows.push(['not heard', `${count} packets: ${why}`]);
  rows.push(['events', tally(reports.flatMap(({ events }) => events))]);
  rows.push(['ended', endings(reports, log)]);
  return rows.map(([name, value]) => `${name.padEnd(16)}${value}`).join('\n');
}

type Media = NonNullable<CallReport['media']>;

/** What the kinds of frames in the summary are: those that went wrong on the way to the app, and back. */
const KINDS = {
  late: 'late (20 ms or more behind time: this machine is busy)',
  unsent: 'unsent (the app reads too slowly)',
  withheld: 'withheld by the faults',
  repeated: 'heard again',
  foreign: 'of another call',
} as const;

function frames(media: readonly Media[]): string {
  const sum = (of: (one: Media) => number) => total(media, of);
  const parts = [`${sum((one) => one.sent)} sent`, `${sum((one) => one.received)} received`];
  if (media.some(({ lost }) => lost !== undefined)) parts.push(`${sum(({ lost }) => lost ?? 0)} lost`);
  if (media.some(({ sent, lost }) => sent > 0 && lost === undefined)) {
    parts.push('handler does not echo: loss not measured');
  }
  for (const kind of ['late', 'unsent', 'withheld', 'repeated', 'foreign'] as const) {
    const count = sum((one) => one[kind]);
    if (count > 0) parts.push(`${count} ${KINDS[kind]}`);
  }
  return parts.join(', ');
}

function roundTrip(media: readonly Media[]): string {
  const trips = media.flatMap(({ roundTripMs }) => roundTripMs ?? []);
  if (trips.length === 0) return 'not measured';
  const several = trips.length > 1;
  const p50 = median(trips.map((trip) => trip.p50));
  const p99 = Math.max(...trips.map((trip) => trip.p99));
  return `p50 ${ms(p50)}${several ? ' (median call)' : ''}, p99 ${ms(p99)}${several ? ' (worst call)' : ''}`;
}

/** Who ended the calls. Where it was the app, it knows better why. */
function endings(reports: readonly CallReport[], log: string | undefined): string {
  const outcomes = tally(reports.map(({ outcome }) => outcome ?? 'still running'));
  const ended = reports.filter(({ outcome }) => outcome === 'the app hung up');
  if (ended.length === 0) return outcomes;
  const lasted = ended[0]?.lastedMs ?? 0;
  const time = lasted < 1_000 ? ms(lasted) : `${(lasted / 1_000).toFixed(1)} s`;
  const after = reports.length === 1 ? ` after ${time}` : '';
  return `${outcomes}${after}${log === undefined ? '' : `: its log says why (${log})`}`;
}

function total<T>(all: readonly T[], of: (one: T) => number): number {
  return all.reduce((sum, one) => sum + of(one), 0);
}

function spread(values: readonly number[]): string {
  return values.length === 1
    ? ms(values[0] ?? 0)
    : `${ms(median(values))} (median), ${ms(Math.max(...values))} (worst)`;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0;
}

function ms(value: number): string {
  return `${value < 10 ? value.toFixed(1) : Math.round(value)} ms`;
}

/** Each name once, with how often it came where that is more than once. */
function tally(names: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return [...counts].map(([name, count]) => (count === 1 ? name : `${name} ×${count}`)).join(', ') || 'none';
}
