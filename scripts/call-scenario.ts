import { setTimeout } from 'node:timers/promises';
import type { ScenarioFile } from '../simulator/scenario.ts';
import type { ScenarioReport } from '../simulator/scenario-run.ts';
import type { ControlClient } from './call-client.ts';

/**
 * Has the simulator play a scenario, and tells each second what it waits for.
 *
 * @param options.app the incoming-call webhook, where it isn't the simulator's own
 * @param options.onCall is told the call's id
 */
export async function playScenario(
  client: ControlClient,
  { call, ...scenario }: ScenarioFile,
  options: { app?: string; progress: (line: string) => void; onCall: (id: string) => void },
): Promise<ScenarioReport> {
  const { app = call?.app, progress, onCall } = options;
  const playing = client.playScenario({ ...scenario, call: { ...call, app } });
  playing.catch(() => {}); // told below, unless the simulator has gone altogether
  for (let second = 0; ; second++) {
    const current = await client.scenario();
    const isOurs = current?.description === scenario.description;
    if (isOurs) onCall(current.callId);
    progress(`${String(second).padStart(3)} s  waiting for ${isOurs ? current.waitsFor : 'its turn'}`);
    const report = await Promise.race([playing, setTimeout(1_000, undefined, { ref: false })]);
    if (report) return report;
  }
}
