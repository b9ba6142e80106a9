import type { DrivenCall } from './drive.ts';
import type { CallLines } from './log-book.ts';
import { menu, playMs, type Tally } from './menu.ts';
import { isMischief, misconduct } from './mischief.ts';

/** What the app has said of a call. */
export interface AppSide {
  lines: CallLines | undefined;
  /** Undefined: its handler never ended, or never began. */
  tally: Tally | undefined;
}

/** What was wrong with a call, each thing in words. */
export function judge(call: DrivenCall, app: AppSide): string[] {
  const isBad = isMischief(call.plan.kind);
  return [
    ...call.complaints,
    ...judgeEnd(call, app),
    ...judgeHangUps(call, app),
    ...(isBad ? judgeBad(call) : judgeFrames(call, app)),
  ];
}

/** Who had to end it. Somebody who pressed Ctrl-C may have been first. */
function enderOf({ plan: { kind, endedBy }, cutShort, report }: DrivenCall): 'caller' | 'app' {
  if (cutShort) return report.outcome === 'the app hung up' ? 'app' : 'caller';
  return isMischief(kind) ? misconduct[kind].endedBy : endedBy;
}

function judgeEnd(call: DrivenCall, { lines, tally }: AppSide): string[] {
  const { report, plan } = call;
  const faults: string[] = [];
  const ender = enderOf(call);
  if (!isMischief(plan.kind) && report.problem !== undefined) faults.push(report.problem);
  if (report.outcome !== `the ${ender} hung up`)
    faults.push(`its end was: ${report.outcome}, and the ${ender} was to hang up`);
  const reason =
    ender === 'caller'
      ? 'CallDisconnected'
      : isMischief(plan.kind)
        ? misconduct[plan.kind].reason
        : 'the handler hung up';
  if (lines?.reason !== reason)
    faults.push(`the log says that it ended since: ${lines?.reason}, not: ${reason}`);
  if (!tally) faults.push('the handler did not see its end');
  return faults;
}

/** Once, by one of the two: as ACS saw it, and as the log has it. */
function judgeHangUps(call: DrivenCall, { lines }: AppSide): string[] {
  const { report, entries } = call;
  const byApp = enderOf(call) === 'app' ? 1 : 0;
  const expected: [what: string, wanted: number, is: number][] = [
    ['ends', 1, entries.filter(({ type }) => type === 'ended').length],
    ['CallDisconnected taken', 1, report.events.filter((event) => event === 'CallDisconnected').length],
    ['hang-ups by the app', byApp, report.operations.filter((one) => /^(terminate|hangUp)/.test(one)).length],
    [
      'hang-ups by the app that ACS took',
      byApp,
      report.operations.filter((one) => one === 'terminate').length,
    ],
    ['lines of its announcement', 1, lines?.counts.get('call.announced') ?? 0],
    ['lines of its answer', 1, lines?.counts.get('call.answered') ?? 0],
    ['lines of its end', 1, lines?.counts.get('call.ended') ?? 0],
    ['lines of a hang-up', byApp, lines?.counts.get('call.hung_up') ?? 0],
  ];
  return expected
    .filter(([, wanted, is]) => wanted !== is)
    .map(([what, wanted, is]) => `${what}: ${is}, not ${wanted}`);
}

function judgeBad({ report: { media } }: DrivenCall): string[] {
  return media && media.foreign > 0 ? [`it heard ${media.foreign} frames of other calls`] : [];
}

/** What the app accepted, all of it, once, and nothing else. */
function judgeFrames(
  { report: { media }, plan, numbered, cutShort }: DrivenCall,
  { tally }: AppSide,
): string[] {
  if (!media || !tally) return ['it had no media'];
  const faults = [...numbered.gaps];
  const check = (what: string, is: unknown, wanted: unknown) => {
    if (is !== wanted) faults.push(`${what}: ${is}, not ${wanted}`);
  };
  check('frames that came back', media.returned, tally.echoed);
  check('frames that the call refused', tally.refused, 0);
  check('frames that came back again', media.repeated, 0);
  check('frames of other calls', media.foreign, 0);
  check('frames that the app left no room for', media.unsent, 0);
  check('milliseconds that did not fit', tally.unplayedMs, 0);
  if (plan.endedBy === 'caller' && !cutShort)
    check('frames that the handler had', tally.echoed + tally.withheld, media.sent);
  const played = numbered.heard.reduce((sum, frames) => sum + frames, 0);
  check('frames besides the echo', media.received - media.returned, played);
  if (!cutShort) faults.push(...judgePlaybacks(plan, numbered.heard, tally, media.stops));
  return faults;
}

function judgePlaybacks(
  { kind, listensMs }: DrivenCall['plan'],
  heard: readonly number[],
  { played }: Tally,
  stops: number,
): string[] {
  const turns = kind === 'barge-in' ? listensMs.length : 0;
  const wanted = kind === 'playback' ? ['played'] : Array<string>(turns).fill('stopped');
  const faults: string[] = [];
  if (played.join() !== wanted.join()) faults.push(`playbacks: ${played.join()}, not ${wanted.join()}`);
  if (stops !== turns) faults.push(`StopAudio: ${stops}, not ${turns}`);
  if (heard.length !== wanted.length) faults.push(`playbacks heard: ${heard.length}, not ${wanted.length}`);
  const long = playMs[menu.playLong] / 20;
  if (kind === 'playback' && heard[0] !== long) faults.push(`frames played: ${heard[0]}, not ${long}`);
  return faults;
}
