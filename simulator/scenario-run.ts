import { readCall } from './call-schema.ts';
import { definedOf } from './defined.ts';
import type { FaultChanges } from './faults.ts';
import type { Entry, Journal } from './journal.ts';
import { rest } from './post.ts';
import type { CallReport } from './report.ts';
import { isOk } from './report.ts';
import type { Action, Condition, NextAnswer, Scenario } from './scenario.ts';
import { nameOf } from './scenario.ts';
import { differences } from './scenario-differences.ts';
import type { Simulator } from './simulator.ts';

/** How a scenario went. */
export interface ScenarioReport {
  description: string;
  ok: boolean;
  /** What was not as expected, each in a sentence. */
  faults: string[];
  call: CallReport;
}

/** Where a scenario is. */
export interface ScenarioProgress {
  description: string;
  callId: string;
  waitsFor: string;
}

/**
 * Plays a call as a scenario has it, and compares how it went with what was expected. What it spoils for all calls is
 * as before once it is over.
 *
 * @param options.secondMs what a second of the call takes, in milliseconds
 * @param options.onProgress is told what is waited for
 */
export async function runScenario({
  scenario: { description, call: options, next, steps, expect, timeoutSeconds },
  simulator,
  secondMs,
  onProgress,
}: {
  scenario: Scenario;
  simulator: Simulator;
  secondMs: number;
  onProgress: (progress: ScenarioProgress) => void;
}): Promise<ScenarioReport> {
  const takeBack: (() => void)[] = [];
  const deadline = performance.now() + timeoutSeconds * 1_000;
  const leftMs = () => Math.max(0, deadline - performance.now());
  const call = simulator.placeCall(readCall(options));
  const over = new AbortController();
  const ended = call.ended.then(() => over.abort());
  const taken = new Set<Entry>();

  function spoil({ operation, ...fault }: NextAnswer) {
    takeBack.push(simulator.failNext(operation, fault));
  }

  function change(faults: FaultChanges) {
    const before = Object.entries(simulator.faults).filter(([name]) => name in faults);
    takeBack.push(() => simulator.setFaults(Object.fromEntries(before)));
    simulator.setFaults(faults);
  }

  /** @returns whether it came before the call was over, and in time */
  async function comes(condition: Condition): Promise<boolean> {
    const came = wait(call.journal, condition, taken, leftMs()).then(
      (entry) => taken.add(entry).size > 0,
      () => false,
    );
    return Promise.race([came, ended.then(() => false)]);
  }

  async function act({ press, say, hangUp, drop, rotateKeys, next: answer, faults }: Action) {
    if (press) await call.press(press);
    if (say) call.say(say);
    if (hangUp) call.hangUp();
    if (drop) call.stream?.socket?.drop();
    if (rotateKeys) await simulator.rotateKeys();
    if (answer) spoil(answer);
    if (faults) change(definedOf(faults));
  }

  /** @returns what kept the steps from being taken, in a sentence */
  async function takeAll(): Promise<string | undefined> {
    for (const [at, { on, after = 0, do: action }] of steps.entries()) {
      const name = `step ${at + 1} of ${steps.length}${on ? ` (${nameOf(on)})` : ''}`;
      onProgress({ description, callId: call.id, waitsFor: name });
      if (on && !(await comes(on))) {
        return `${name} did not come ${over.signal.aborted ? 'before the call was over' : `within ${timeoutSeconds} s`}`;
      }
      if (after > 0) await rest(Math.min(after * secondMs, leftMs()), over.signal);
      if (action) await act(action);
    }
    onProgress({ description, callId: call.id, waitsFor: 'the end of the call' });
    await rest(leftMs(), over.signal);
    return over.signal.aborted ? undefined : `the call was not over within ${timeoutSeconds} s`;
  }

  for (const answer of next) spoil(answer);
  try {
    const stuck = await takeAll();
    const report = call.report();
    const faults = stuck === undefined ? differences(expect, report) : [stuck, report.problem ?? []].flat();
    return { description, ok: faults.length === 0, faults, call: report };
  } finally {
    call.hangUp();
    for (const undo of takeBack.reverse()) undo();
  }
}

/** The next entry that was not taken yet. */
async function wait(journal: Journal, on: Condition, taken: Set<Entry>, ms: number): Promise<Entry> {
  const isNew = (entry: Entry) => !taken.has(entry);
  if (on.event !== undefined)
    return journal.until(
      'event',
      (entry) => isNew(entry) && entry.event === on.event && isOk(entry.status),
      ms,
    );
  if (on.operation !== undefined)
    return journal.until('request', (entry) => isNew(entry) && entry.operation === on.operation, ms);
  if (on.media === 'open')
    return journal.until('upgrade', (entry) => isNew(entry) && entry.status === 101, ms);
  if (on.media === 'closed') return journal.until('media-closed', isNew, ms);
  return journal.until('answered', isNew, ms);
}
