import type { Percentiles } from '../times.ts';
import { mb } from './look.ts';
import type { SoakFigures } from './run.ts';

/** The figures for a person. */
export function tabulate(figures: SoakFigures): string {
  const { frames, processor, before, after, peaks, strangers, machine } = figures;
  const { waitedPercent } = processor;
  const rows = [
    [
      'ran',
      `${figures.calls} calls at a time, ${Math.round(figures.seconds)} s${figures.endedEarly ? ' (ended early)' : ''}, seed ${figures.seed}`,
    ],
    ['calls', list(figures.kinds)],
    ['ended', list(figures.endedBy)],
    [
      'frames',
      `${frames.sent} sent, ${frames.accepted} accepted by call.send, ${frames.returned} came back; ${frames.played} played by call.play`,
    ],
    ['keys', `rotated ${figures.rotations} times`],
    ['strangers', list(strangers.counts)],
    ['half-open', `${strangers.cutOff} handshakes cut off`],
    ['round trip', show(figures.roundTripMs)],
    ['event loop', `${show(figures.eventLoopDelayMs)} late`],
    ['callers', `${show(figures.callersLateMs)} late, which tells how busy this machine was`],
    [
      'processor',
      `${processor.percent.toFixed(0)} % of one; ${
        waitedPercent === undefined ? '' : `${waitedPercent.toFixed(1)} % of the time others had it`
      }`,
    ],
    [
      'memory',
      `heap ${mb(before.heapUsed)} before and ${mb(after.heapUsed)} after, buffers ${mb(before.external)} and ${mb(after.external)}, the whole process ${mb(before.rss)} and ${mb(after.rss)}, at most ${mb(peaks.first)} in the first half and ${mb(peaks.second)} in the second`,
    ],
    ['handles', `before: ${list(before.handles)}; after: ${list(after.handles)}`],
    ['log', list(figures.log)],
    ['machine', `Node ${machine.node}, ${machine.processors}`],
    ['faults', figures.faults.length === 0 ? 'none' : `${figures.faults.length}`],
  ];
  return rows.map(([name = '', value]) => `${name.padEnd(12)}${value}`).join('\n');
}

const list = (counts: Readonly<Record<string, number>>) =>
  Object.entries(counts)
    .map(([name, count]) => `${name} ${count}`)
    .join(', ');

const show = ({ p50, p99, max }: Percentiles) =>
  `p50 ${p50.toFixed(1)} ms, p99 ${p99.toFixed(1)} ms, max ${max.toFixed(1)} ms`;
