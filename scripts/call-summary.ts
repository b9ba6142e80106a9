import type { CallReport } from '../simulator/report.ts';

/**
 * What was wrong with a call, in a line.
 *
 * @param expectEcho whether the handler has to send everything back
 */
export function faultOf({ problem, media }: CallReport, expectEcho: boolean): string | undefined {
  if (problem !== undefined) return problem;
  if (!media) return 'the app answered without media streaming';
  if (media.lost === undefined) return expectEcho ? 'the handler does not echo' : undefined;
  return media.lost > 0 ? `${media.lost} of ${media.sent} frames were lost` : undefined;
}

/** The summary for a person: one line for each thing that one wants to know. */
export function summarize(reports: readonly CallReport[]): string {
  const media = reports.flatMap((report) => report.media ?? []);
  const rows: [string, string][] = [];
  const answered = reports.flatMap(({ answeredAfterMs }) => answeredAfterMs ?? []);
  if (reports.length > 1) rows.push(['calls', `${reports.length}, ${answered.length} answered`]);
  if (answered.length > 0) rows.push(['time to answer', spread(answered)]);
  const sockets = reports.flatMap(({ mediaAfterMs }) => mediaAfterMs ?? []);
  if (sockets.length > 0) rows.push(['media after', spread(sockets)]);
  if (media.length > 0) rows.push(['frames', frames(media)], ['round trip', roundTrip(media)]);
  const unheard = media.flatMap((one) => Object.entries(one.unheard));
  for (const [why, count] of unheard) rows.push(['not heard', `${count} packets: ${why}`]);
  rows.push(['events', tally(reports.flatMap(({ events }) => events))]);
  rows.push(['ended', tally(reports.map(({ outcome }) => outcome ?? 'still running'))]);
  return rows.map(([name, value]) => `${name.padEnd(16)}${value}`).join('\n');
}

type Media = NonNullable<CallReport['media']>;

function frames(media: readonly Media[]): string {
  const sum = (of: (one: Media) => number) => media.reduce((total, one) => total + of(one), 0);
  const parts = [`${sum((one) => one.sent)} sent`, `${sum((one) => one.received)} received`];
  const measured = media.filter(({ lost }) => lost !== undefined);
  if (measured.length > 0) parts.push(`${sum(({ lost }) => lost ?? 0)} lost`);
  if (measured.length < media.length) parts.push('handler does not echo: loss not measured');
  for (const kind of ['late', 'unsent', 'repeated', 'foreign'] as const) {
    const count = sum((one) => one[kind]);
    if (count > 0) parts.push(`${count} ${kind}`);
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
