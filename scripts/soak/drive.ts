import type { SimulatedCall } from '../../simulator/calls/handle.ts';
import type { CallReport } from '../../simulator/calls/report.ts';
import type { Entry } from '../../simulator/journal.ts';
import type { Simulator } from '../../simulator/simulator.ts';
import { wait } from '../../simulator/wait.ts';
import { createNumberedEar, menu, playMs } from './menu.ts';
import { isMischief, type Mischief, misconduct } from './mischief.ts';
import { betweenMs, type CallPlan } from './plan.ts';

/** A call that is over, as its caller has it. */
export interface DrivenCall {
  id: string;
  plan: CallPlan;
  report: CallReport;
  entries: readonly Entry[];
  /** What was heard of what the app played. */
  numbered: Pick<ReturnType<typeof createNumberedEar>, 'heard' | 'gaps'>;
  /** Whether it ended before its time: somebody pressed Ctrl-C. */
  cutShort: boolean;
  /** What its caller had to complain about. */
  complaints: string[];
}

export interface DriveOptions {
  /** Aborts when all calls are to end. */
  signal: AbortSignal;
  /** Is told each time that a frame comes back on a call that behaves, in milliseconds. */
  onRoundTrip: (ms: number) => void;
  onPlaced: (call: SimulatedCall) => void;
}

/** How long a call may go on after it should have ended, in milliseconds. */
const patienceMs = 30_000;

/** Places a call, and does in it what is planned. */
export async function driveCall(
  simulator: Simulator,
  plan: CallPlan,
  { signal, onRoundTrip, onPlaced }: DriveOptions,
): Promise<DrivenCall> {
  const { kind, seconds, order, schema, endedBy } = plan;
  const isBad = isMischief(kind);
  const numbered = createNumberedEar();
  const complaints: string[] = [];
  const call = simulator.placeCall({
    ...{ order, schema, keepSeconds: 0 },
    from: `+1555${String(plan.nth % 10_000_000).padStart(7, '0')}`,
    ...(isBad || endedBy === 'app' ? {} : { seconds }),
    ...(isBad && misconduct[kind].faults && { faults: misconduct[kind].faults }),
    ...(!isBad && { onRoundTrip }),
    onFrame: (frame) => void (frame.kind === 'audio' && numbered.take(frame.pcm)),
  });
  onPlaced(call);
  const over = new AbortController();
  call.ended.then(() => over.abort());
  const anyEnd = AbortSignal.any([signal, over.signal]);
  // One that still rings is answered first: who hangs up before that has the app's answer fail.
  const hangUp = () => isUp(call).then(() => call.hangUp());
  signal.addEventListener('abort', hangUp);
  const pause = (ms: number) => wait(ms, anyEnd);
  try {
    if (await isUp(call)) {
      if (isBad) await misbehave(kind, simulator, call, pause, complaints);
      else await behave(plan, call, pause);
    }
    const lateMs = (isBad || endedBy === 'app' ? 0 : seconds * 1_000) + patienceMs;
    await wait(lateMs, over.signal);
    if (!over.signal.aborted) {
      complaints.push(`it did not end within ${patienceMs / 1_000} s of its time`);
      call.hangUp();
    }
    const report = await call.ended;
    call.stream?.socket?.drop(); // one that never reads doesn't see either that it was closed
    const { id, journal } = call;
    return { id, plan, report, entries: journal.entries, numbered, cutShort: signal.aborted, complaints };
  } finally {
    signal.removeEventListener('abort', hangUp);
  }
}

/** Whether it has come up. One that doesn't says why in its report. */
const isUp = (call: SimulatedCall) =>
  call
    .until('upgrade', ({ status }) => status === 101)
    .then(
      () => true,
      () => false,
    );

async function behave(
  { kind, seconds, endedBy, listensMs }: CallPlan,
  call: SimulatedCall,
  pause: (ms: number) => Promise<void>,
): Promise<void> {
  const press = (key: string) => call.state === 'connected' && call.press(key);
  if (kind === 'barge-in') {
    for (const ms of listensMs) {
      await pause(betweenMs);
      await press(menu.playShort);
      await pause(ms);
      await press(menu.stop);
    }
  } else if (kind === 'playback') {
    await pause(betweenMs);
    await press(menu.playLong);
    await pause(playMs[menu.playLong]);
  } else if (endedBy === 'app') {
    await pause(seconds * 1_000);
    await press(menu.hangUp);
  }
}

async function misbehave(
  kind: Mischief,
  simulator: Simulator,
  call: SimulatedCall,
  pause: (ms: number) => Promise<void>,
  complaints: string[],
): Promise<void> {
  const untilMedia = async () => {
    for (let waited = 0; waited < 50 && !call.stream?.live && call.state === 'connected'; waited++) {
      await pause(100);
    }
  };
  await pause(betweenMs); // and the answer is through, where the media came first
  const address = mediaAddressOf(call);
  if (!address) return;
  await misconduct[kind].act({ call, address, pause, untilMedia, token: () => simulator.token() });
  if (misconduct[kind].endedBy === 'app') return;
  const { returned } = call.report().media ?? { returned: 0 };
  await pause(2_000);
  if (call.state === 'connected' && (call.report().media?.returned ?? 0) === returned)
    complaints.push('no frame came back any more');
  call.hangUp();
}

/** Where a call's media goes: what `answerCall` asked for. */
export function mediaAddressOf(call: SimulatedCall): URL | undefined {
  const entry = call.journal.entries.find(
    (one): one is Entry<'request'> => one.type === 'request' && one.operation === 'answerCall',
  );
  // The body is the app's; what isn't there is undefined.
  const body = entry?.body as { mediaStreamingOptions?: { transportUrl?: string } } | undefined;
  return URL.parse(body?.mediaStreamingOptions?.transportUrl ?? '') ?? undefined;
}
