import type { Goal, RowOptions } from './summary.ts';

/** The goals of a row, by what it is about. */
export type Goals = Readonly<Record<keyof typeof none, readonly Goal[]>>;

const none = {
  upgrades: [],
  upgradeCpu: [],
  refusals: [],
  refusalCpu: [],
  refusalPerUpgrade: [],
  frames: [],
  frameCpu: [],
  roundTripP99: [],
  gaps: [],
  idleMemory: [],
  speakingMemory: [],
};

/** What is told of servers, in order. */
export function rowsWith(goals: Partial<Goals>): RowOptions[] {
  const the: Goals = { ...none, ...goals };
  return [
    { label: 'upgrades/s', trial: 'upgrades', figure: 'perSecond', goals: the.upgrades },
    { label: '  CPU of one', trial: 'upgrades', figure: 'cpuMicroseconds', goals: the.upgradeCpu },
    { label: '  server busy', trial: 'upgrades', figure: 'busyPercent' },
    { label: 'refusals/s', trial: 'refusals', figure: 'perSecond', goals: the.refusals },
    { label: '  CPU of one', trial: 'refusals', figure: 'cpuMicroseconds', goals: the.refusalCpu },
    {
      label: "  CPU, to an upgrade's",
      trial: 'refusals',
      figure: 'cpuMicroseconds',
      perTrial: 'upgrades',
      goals: the.refusalPerUpgrade,
    },
    { label: 'frames/s', trial: 'frames', figure: 'perSecond', goals: the.frames },
    { label: '  CPU of one', trial: 'frames', figure: 'cpuMicroseconds', goals: the.frameCpu },
    { label: '  server busy', trial: 'frames', figure: 'busyPercent' },
    { label: 'calls, round trip p50', trial: 'calls', figure: 'roundTripP50Ms' },
    { label: '  p99', trial: 'calls', figure: 'roundTripP99Ms', goals: the.roundTripP99 },
    { label: '  CPU of a frame', trial: 'calls', figure: 'cpuMicroseconds' },
    { label: '  server busy', trial: 'calls', figure: 'busyPercent' },
    { label: 'calls played to, gaps', trial: 'played', figure: 'gaps', goals: the.gaps },
    { label: '  the worst', trial: 'played', figure: 'worstGapMs' },
    { label: '  frames/s', trial: 'played', figure: 'perSecond' },
    { label: '  CPU of a frame', trial: 'played', figure: 'cpuMicroseconds' },
    { label: 'memory of an idle call', trial: 'fresh', figure: 'idleRssKb', goals: the.idleMemory },
    { label: '  its objects', trial: 'fresh', figure: 'idleHeapKb' },
    {
      label: '  at 50 frames/s',
      trial: 'fresh',
      figure: 'speakingRssKb',
      goals: the.speakingMemory,
    },
    { label: '  its objects', trial: 'fresh', figure: 'speakingHeapKb' },
    { label: 'start to listening', trial: 'fresh', figure: 'listeningMs' },
    { label: '  to ready', trial: 'fresh', figure: 'readyMs' },
    { label: '  CPU to ready', trial: 'fresh', figure: 'startCpuMs' },
  ];
}
