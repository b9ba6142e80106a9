import type { Simulator } from '../simulator.ts';
import type { ScenarioFile } from './scenario.ts';
import { parseScenario } from './scenario.ts';
import type { ScenarioProgress, ScenarioReport } from './scenario-run.ts';
import { runScenario } from './scenario-run.ts';

/** Scenarios, one at a time: what one of them spoils, it spoils for all calls. */
export interface ScenarioQueue {
  /** The one that runs. */
  readonly current: ScenarioProgress | undefined;
  /** @throws {ScenarioError} with every fault of a scenario that is none */
  run(scenario: ScenarioFile): Promise<ScenarioReport>;
}

/**
 * @param options.app the app's webhook, where a scenario doesn't name it
 * @param options.secondMs what a second of a call takes, in milliseconds
 */
export function createScenarioQueue(place: {
  simulator: Simulator;
  app: string | undefined;
  secondMs: number;
  signal: AbortSignal;
}): ScenarioQueue {
  let last: Promise<unknown> = Promise.resolve();
  let current: ScenarioProgress | undefined;
  const onProgress = (progress: ScenarioProgress | undefined) => {
    current = progress;
  };
  return {
    get current() {
      return current;
    },
    async run(file) {
      const scenario = parseScenario(file);
      const turn = last.then(() => runScenario({ ...place, scenario, onProgress }));
      last = turn.catch(() => {}).then(() => onProgress(undefined));
      return turn;
    },
  };
}
