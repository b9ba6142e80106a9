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

/** Who had to end it, and the reason that the app gives for that. Undefined: Ctrl-C came between. */
function endOf({ plan: { kind, endedBy }, cutShort }: DrivenCall) {
  if (cutShort) return undefined;
  if (isMischief(kind)) return misconduct[kind];
  return { endedBy, reason: endedBy === 'app' ? 'the handler hung up' : 'CallDisconnected' };
}

function judgeEnd(call: DrivenCall, { lines, tally }: AppSide): string[] {
  const { report, plan } = call;
  const faults: string[] = [];
  const end = endOf(call);
  if (!isMischief(plan.kind) && report.problem !== undefined) faults.push(report.problem);
  if (end && report.outcome !== `the ${end.endedBy} hung up`)
    faults.push(`its end was: ${report.outcome}, and the ${end.endedBy} was to hang up`);
  if (end && lines?.reason !== end.reason)
    faults.push(`it ended in the log since: ${lines?.reason}, not: ${end.reason}`);
  if (!tally) faults.push('its handler did not see the end');
  return faults;
}

/** Once, by one of the two: as ACS saw it, and as the log has it. */
function judgeHangUps(call: DrivenCall, { lines }: AppSide): string[] {
  const { report, entries } = call;
  const end = endOf(call);
  const hangUps = report.operations.filter((one) => /^(terminate|hangUp)/.test(one));
  const inLog = (name: string) => lines?.counts.get(name) ?? 0;
  const expected: [what: string, is: number, wanted: number][] = [
    ['ends', entries.filter(({ type }) => type === 'ended').length, 1],
    ['CallDisconnected taken', report.events.filter((event) => event === 'CallDisconnected').length, 1],
    ['lines of its announcement', inLog('call.announced'), 1],
    ['lines of its answer', inLog('call.answered'), 1],
    ['lines of its end', inLog('call.ended'), 1],
  ];
  if (end) {
    const byApp = end.endedBy === 'app' ? 1 : 0;
    expected.push(
      ['hang-ups by the app', hangUps.length, byApp],
      ['hang-ups that ACS took', hangUps.filter((one) => one === 'terminate').length, byApp],
      ['lines of a hang-up', inLog('call.hung_up'), byApp],
    );
  }
  return expected
    .filter(([, is, wanted]) => is !== wanted)
    .map(([what, is, wanted]) => `${what}: ${is}, not ${wanted}`);
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
