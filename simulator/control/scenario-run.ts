import type { SimulatedCall } from '../calls/handle.ts';
import type { CallReport } from '../calls/report.ts';
import { isOk } from '../calls/report.ts';
import { send } from '../http/post.ts';
import { RestError } from '../http/rest-error.ts';
import type { Simulator } from '../simulator.ts';
import { readCall } from './call-schema.ts';
import type { Scenario } from './scenario.ts';
import { differences } from './scenario-differences.ts';
import { createSpoils } from './scenario-spoils.ts';
import { takeSteps } from './scenario-steps.ts';

/** How a scenario went. */
export interface ScenarioReport {
  description: string;
  ok: boolean;
  /** What was not as expected, each in a sentence. */
  faults: string[];
  /** Undefined where the app was asked to call, and didn't. */
  call: CallReport | undefined;
}

/** Where a scenario is. */
export interface ScenarioProgress {
  description: string;
  callId: string | undefined;
  waitsFor: string;
}

export interface ScenarioRun {
  scenario: Scenario;
  simulator: Simulator;
  /** The app's webhook, where the scenario doesn't name it. */
  app: string | undefined;
  /** What a second of the call takes, in milliseconds. */
  secondMs: number;
  /** Fires when the simulator closes. */
  signal: AbortSignal;
  onProgress: (progress: ScenarioProgress) => void;
}

/**
 * Plays a call as a scenario has it, and compares how it went with what was expected. What it spoils for all calls is
 * as before once it is over.
 */
export async function runScenario(run: ScenarioRun): Promise<ScenarioReport> {
  const { scenario, simulator, onProgress } = run;
  const { description, next, dialed, expect, timeoutSeconds } = scenario;
  const deadline = performance.now() + timeoutSeconds * 1_000;
  const leftMs = () => Math.max(0, Math.ceil(deadline - performance.now()));
  const spoils = createSpoils(simulator);
  let call: SimulatedCall | undefined;
  const onWait = (waitsFor: string) => onProgress({ description, callId: call?.id, waitsFor });
  const conclude = (faults: string[]) => ({
    description,
    ok: faults.length === 0,
    faults,
    call: call?.report(),
  });
  try {
    for (const answer of next) spoils.next(answer);
    if (dialed) spoils.dialed(dialed);
    onWait('a call');
    const found = scenario.ask
      ? await askApp(run, leftMs())
      : simulator.placeCall(readCall(scenario.call ?? {}));
    if (typeof found === 'string') return conclude([found]);
    call = found;
    const stuck = await takeSteps({ ...run, call, spoils, leftMs, onWait });
    const report = call.report();
    return conclude(stuck === undefined ? differences(expect, report) : [stuck, report.problem ?? []].flat());
  } finally {
    call?.hangUp();
    spoils.takeBack();
  }
}

/** Asks the app to call somebody. Returns that call, or why there is none. */
async function askApp({ scenario, simulator, app, signal }: ScenarioRun, timeoutMs: number) {
  const { url = '', body = {} } = scenario.ask ?? {};
  const target = URL.parse(url, app);
  if (!target || !/^https?:$/.test(target.protocol))
    throw new RestError(400, 'BadRequest', 'ask.url: has to be a URL, or a path of an app that is known.');
  const known = new Set<string | undefined>(simulator.calls.map(({ id }) => id));
  const placed = simulator
    .until('placed', ({ callId }) => !known.has(callId), timeoutMs)
    .then(
      ({ callId }) => simulator.calls.find(({ id }) => id === callId),
      () => undefined,
    );
  const headers = { 'content-type': 'application/json' };
  const { status, error } = await send(target.href, {
    body: JSON.stringify(body),
    headers,
    timeoutMs,
    signal,
  });
  if (!isOk(status)) return `the app was asked to call, and said ${status ?? error}`;
  return (await placed) ?? `the app was asked to call, and did not within ${scenario.timeoutSeconds} s`;
}
