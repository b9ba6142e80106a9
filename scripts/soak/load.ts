import type { SimulatedCall } from '../../simulator/calls/handle.ts';
import type { Simulator } from '../../simulator/simulator.ts';
import { wait } from '../../simulator/wait.ts';
import { createTimes, type Percentiles } from '../times.ts';
import { type DrivenCall, driveCall } from './drive.ts';
import { isMischief } from './mischief.ts';
import type { CallPlan } from './plan.ts';
import { type AppSide, judge } from './verdict.ts';

/** What the calls came to. Frames are those of calls that behaved. */
export interface LoadFigures {
  kinds: Record<string, number>;
  endedBy: Record<string, number>;
  /** Frames of the callers, those of them that the handler sent back and that arrived, and what was heard besides. */
  frames: { sent: number; accepted: number; returned: number; played: number };
  /** Of calls that behaved. */
  roundTripMs: Percentiles;
}

export interface LoadOptions {
  simulator: Simulator;
  /** How many calls at a time. */
  calls: number;
  /** Aborts when all calls are to end. */
  signal: AbortSignal;
  /** Aborts when the app says no more. */
  gone: AbortSignal;
  /** Is told of each call that is placed. */
  onPlaced: (id: string, kind: CallPlan['kind']) => void;
  /** What the app has said of a call by now. */
  appSideOf: (id: string) => AppSide;
  /** Nothing more will be asked of this call. */
  onJudged: (id: string) => void;
  complain: (fault: string) => void;
}

/** Between two of the first calls, in milliseconds: setting one up costs as much as some seconds of its frames. */
const staggerMs = 40;

/** How long the app may be behind with what it says of a call that is over, in milliseconds. */
const accountMs = 15_000;

/** Places calls, as many at a time as asked for, and judges each when it is over. */
export function createLoad(options: LoadOptions) {
  const { simulator, signal, complain } = options;
  const trips = createTimes();
  const running = new Set<SimulatedCall>();
  const judging = new Set<Promise<void>>();
  const kinds: Record<string, number> = {};
  const endedBy: Record<string, number> = {};
  const frames = { sent: 0, accepted: 0, returned: 0, played: 0 };

  async function run(plan: CallPlan): Promise<DrivenCall> {
    let placed: SimulatedCall | undefined;
    try {
      return await driveCall(simulator, plan, {
        signal,
        onRoundTrip: trips.record,
        onPlaced(call) {
          placed = call;
          running.add(call);
          options.onPlaced(call.id, plan.kind);
        },
      });
    } finally {
      if (placed) running.delete(placed);
    }
  }

  /** What the app says comes by another way than what ACS saw, and later perhaps. */
  async function settle(call: DrivenCall): Promise<void> {
    const patience = AbortSignal.any([options.gone, AbortSignal.timeout(accountMs)]);
    let faults = judge(call, options.appSideOf(call.id));
    while (faults.length > 0 && !patience.aborted) {
      await wait(100, patience);
      faults = judge(call, options.appSideOf(call.id));
    }
    const { plan, report } = call;
    for (const fault of faults)
      complain(`call ${plan.nth} (${plan.kind}, ${plan.seconds} s, correlation id ${call.id}): ${fault}`);
    add(call, options.appSideOf(call.id));
    options.onJudged(report.id);
  }

  function add(
    { plan: { kind }, report: { outcome = 'still running', media } }: DrivenCall,
    { tally }: AppSide,
  ) {
    kinds[kind] = (kinds[kind] ?? 0) + 1;
    endedBy[outcome] = (endedBy[outcome] ?? 0) + 1;
    if (isMischief(kind) || !media) return;
    frames.sent += media.sent;
    frames.accepted += tally?.echoed ?? 0;
    frames.returned += media.returned;
    frames.played += media.received - media.returned;
  }

  return {
    /** The calls that run. */
    running: running as ReadonlySet<SimulatedCall>,
    /** Has one call after another in each place, until there is no next one. Resolves when the last is judged. */
    async keepUp(next: () => CallPlan | undefined): Promise<void> {
      async function holdPlace(place: number) {
        await wait(place * staggerMs, signal);
        for (let plan = next(); plan && !signal.aborted; plan = next()) {
          const judged = settle(await run(plan));
          judging.add(judged);
          judged.finally(() => judging.delete(judged));
        }
      }
      await Promise.all(Array.from({ length: options.calls }, (_, place) => holdPlace(place)));
      await Promise.all(judging);
    },
    /** Frames that have come back by now, on calls that behave. */
    get returned() {
      return trips.count;
    },
    /** What the calls that are over came to. */
    get figures(): LoadFigures {
      return { kinds, endedBy, frames: { ...frames }, roundTripMs: trips.read() };
    },
  };
}
