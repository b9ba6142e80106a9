import type { CallReport, CallState } from '../simulator/calls/report.ts';
import type { ScenarioProgress, ScenarioReport } from '../simulator/control/scenario-run.ts';

/** Something that went wrong, in words for whoever typed the command. */
export class CallError extends Error {
  override name = 'CallError';
}

/** A call at a glance. */
export interface Glance {
  id: string;
  state: CallState;
  sent: number;
  received: number;
}

/** The control plane of a simulator. */
export interface ControlClient {
  readonly url: string;
  /** The incoming-call webhook that the simulator was started with. */
  readonly app: string | undefined;
  place(options: object): Promise<CallReport>;
  glance(): Promise<Glance[]>;
  ended(id: string): Promise<CallReport>;
  hangUp(id: string): Promise<void>;
  audio(id: string): Promise<Buffer>;
  /** Plays a scenario to its end. */
  playScenario(scenario: object): Promise<ScenarioReport>;
  /** Where the scenario is that runs. */
  scenario(): Promise<ScenarioProgress | undefined>;
}

/**
 * Finds a simulator.
 *
 * @returns nothing where nobody answers
 * @throws {CallError} if what answers is something else
 */
export async function findSimulator(url: string): Promise<ControlClient | undefined> {
  let response: Response;
  try {
    response = await fetch(new URL('/_simulator/', url), { signal: AbortSignal.timeout(2_000) });
  } catch {
    return undefined;
  }
  // Whatever it is: only the two fields that are looked at matter.
  const identity = (await response.json().catch(() => ({}))) as { name?: unknown; app?: string };
  if (identity.name !== 'callgate-simulator')
    throw new CallError(`What answers at ${url} is not the simulator.`);

  async function ask(method: string, path: string, body?: object): Promise<Buffer> {
    try {
      const answer = await fetch(new URL(`/_simulator/${path}`, url), {
        method,
        ...(body && { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
      });
      if (answer.ok) return Buffer.from(await answer.arrayBuffer());
      const { error } = (await answer.json()) as { error: { message: string } }; // the simulator's own shape
      throw new CallError(`The simulator refused: ${error.message}`);
    } catch (error) {
      // fetch's error for every connection that fails or breaks
      if (!(error instanceof TypeError)) throw error;
      throw new CallError(`The simulator at ${url} went away (has it been ended?).`);
    }
  }
  // The reports are made by the same code as their type.
  const json = async <T>(answer: Promise<Buffer>) => JSON.parse((await answer).toString()) as T;

  return {
    url,
    app: identity.app,
    place: (options) => json(ask('POST', 'calls', options)),
    glance: () => json(ask('GET', 'calls')),
    ended: (id) => json(ask('GET', `calls/${id}/ended`)),
    async hangUp(id) {
      await ask('DELETE', `calls/${id}`);
    },
    audio: (id) => ask('GET', `calls/${id}/audio`),
    playScenario: (scenario) => json(ask('POST', 'scenarios', scenario)),
    scenario: async () => (await json<{ current?: ScenarioProgress }>(ask('GET', 'scenarios'))).current,
  };
}

/**
 * Waits until the app takes calls: it may be restarting, or waiting for its first signing keys. An app without
 * `/readyz` is taken at its word.
 *
 * @param options.timeoutMs when to give up, in milliseconds
 * @param options.onWait is told once that it takes longer than a second
 * @param options.exited settles if the app ends instead
 * @throws {CallError} if the app does not get ready
 */
export async function whenReady(
  webhook: string,
  { timeoutMs, onWait, exited }: { timeoutMs: number; onWait?: () => void; exited?: Promise<number | null> },
): Promise<void> {
  const health = new URL('/readyz', webhook);
  const begun = Date.now();
  let code: number | null | undefined;
  exited?.then((value) => {
    code = value;
  });
  let status: number | undefined;
  let waiting = onWait;
  while (Date.now() < begun + timeoutMs) {
    if (code !== undefined) throw new CallError(`The app did not start: it ended with ${code}.`);
    status = await fetch(health, { signal: AbortSignal.timeout(2_000) }).then(
      (response) => response.status,
      () => undefined,
    );
    if (status !== undefined && status !== 503) return;
    if (Date.now() >= begun + 1_000) {
      waiting?.();
      waiting = undefined;
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new CallError(
    status === undefined
      ? `No app answers at ${health.origin} after ${timeoutMs / 1_000} s. The terminal it runs in may say why.`
      : `The app at ${health.origin} does not get ready (503).`,
  );
}
