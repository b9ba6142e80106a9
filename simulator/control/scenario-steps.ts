import type { SimulatedCall } from '../calls/handle.ts';
import { isOk } from '../calls/report.ts';
import { definedOf } from '../defined.ts';
import type { Entry, Journal } from '../journal.ts';
import type { Simulator } from '../simulator.ts';
import { wait } from '../wait.ts';
import type { Action, Condition, Scenario } from './scenario.ts';
import { nameOf } from './scenario.ts';
import type { Spoils } from './scenario-spoils.ts';

/**
 * Takes the steps of a scenario one after another, then waits for the call's end.
 *
 * @param options.secondMs what a second of the call takes, in milliseconds
 * @param options.leftMs how long all of it may take from now on, in milliseconds
 * @param options.onWait is told what is waited for
 * @returns what kept it from being taken, in a sentence
 */
export async function takeSteps({
  scenario: { steps, timeoutSeconds },
  simulator,
  call,
  spoils,
  secondMs,
  leftMs,
  onWait,
}: {
  scenario: Scenario;
  simulator: Simulator;
  call: SimulatedCall;
  spoils: Spoils;
  secondMs: number;
  leftMs: () => number;
  onWait: (what: string) => void;
}): Promise<string | undefined> {
  const over = new AbortController();
  const ended = call.ended.then(() => over.abort());
  const taken = new Set<Entry>();

  /** @returns whether it came before the call was over, and in time */
  async function comes(condition: Condition): Promise<boolean> {
    const came = happens(call.journal, condition, taken, leftMs()).then(
      (entry) => taken.add(entry).size > 0,
      () => false,
    );
    return Promise.race([came, ended.then(() => false)]);
  }

  async function act({ press, say, hangUp, drop, rotateKeys, next, faults }: Action) {
    if (press) await call.press(press);
    if (say) call.say(say);
    if (hangUp) call.hangUp();
    if (drop) call.stream?.socket?.drop();
    if (rotateKeys) await simulator.rotateKeys();
    if (next) spoils.next(next);
    if (faults) spoils.faults(definedOf(faults));
  }

  for (const [at, { on, after = 0, do: action }] of steps.entries()) {
    const name = `step ${at + 1} of ${steps.length}${on ? ` (${nameOf(on)})` : ''}`;
    onWait(name);
    if (on && !(await comes(on))) {
      const when = over.signal.aborted ? 'before the call was over' : `within ${timeoutSeconds} s`;
      return `${name} did not come ${when}`;
    }
    if (after > 0) await wait(Math.min(after * secondMs, leftMs()), over.signal);
    if (action) await act(action);
  }
  onWait('the end of the call');
  await wait(leftMs(), over.signal);
  return over.signal.aborted ? undefined : `the call was not over within ${timeoutSeconds} s`;
}

/** The next entry that was not taken yet. */
async function happens(journal: Journal, on: Condition, taken: Set<Entry>, ms: number): Promise<Entry> {
  const isNew = (entry: Entry) => !taken.has(entry);
  if (on.event !== undefined) {
    const { event } = on;
    return journal.until('event', (entry) => isNew(entry) && entry.event === event && isOk(entry.status), ms);
  }
  if (on.operation !== undefined)
    return journal.until('request', (entry) => isNew(entry) && entry.operation === on.operation, ms);
  if (on.media === 'open')
    return journal.until('upgrade', (entry) => isNew(entry) && entry.status === 101, ms);
  if (on.media === 'closed') return journal.until('media-closed', isNew, ms);
  return journal.until('answered', isNew, ms);
}
