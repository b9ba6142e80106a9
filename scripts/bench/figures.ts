interface FigureKind {
  unit: string;
  digits: number;
  /** Whether it tells of others rather than of the server, where they had the processor meanwhile. */
  isDisturbed?: true;
}

/** What can be measured, how it is written in a table, and in what unit. */
export const figures = {
  count: { unit: '', digits: 0 },
  perSecond: { unit: '', digits: 0, isDisturbed: true },
  /** Of processors, by the server's whole process, what it did later because of it included. */
  cpuMicroseconds: { unit: ' µs', digits: 1 },
  /** How much of one processor the server used meanwhile. Well below 100, it is the load that couldn't do more. */
  busyPercent: { unit: ' %', digits: 0 },
  /** The same of the load's process. */
  loadBusyPercent: { unit: ' %', digits: 0 },
  /** For how much of the time others had the processor that the server, or the load, was ready to use: Linux tells. */
  waitedPercent: { unit: ' %', digits: 0 },
  loadWaitedPercent: { unit: ' %', digits: 0 },
  /** What a server told of itself, for each of what was done. */
  recordsEach: { unit: '', digits: 1 },
  /** From when a frame is sent until it is back. */
  roundTripP50Ms: { unit: ' ms', digits: 2, isDisturbed: true },
  roundTripP99Ms: { unit: ' ms', digits: 2, isDisturbed: true },
  /** How long after its time the load sent 99 of 100 frames, at most. */
  sentLateP99Ms: { unit: ' ms', digits: 1, isDisturbed: true },
  /** How often audio came later than it was to be heard, and by how much at the most. */
  gaps: { unit: '', digits: 0, isDisturbed: true },
  worstGapMs: { unit: ' ms', digits: 0, isDisturbed: true },
  /** What each call added to the process when the garbage was gone: to what the system gave it, and to its objects. */
  idleRssKb: { unit: ' KB', digits: 0 },
  idleHeapKb: { unit: ' KB', digits: 0 },
  speakingRssKb: { unit: ' KB', digits: 0 },
  speakingHeapKb: { unit: ' KB', digits: 0 },
  /** From when the process is made until it takes a connection, and until GET /readyz is 200. */
  listeningMs: { unit: ' ms', digits: 0, isDisturbed: true },
  readyMs: { unit: ' ms', digits: 0, isDisturbed: true },
  /** Of processors, until it was ready. */
  startCpuMs: { unit: ' ms', digits: 0 },
} as const satisfies Record<string, FigureKind>;

export type Figure = keyof typeof figures;

/** What one measurement gave. */
export type Figures = Readonly<Partial<Record<Figure, number>>>;
