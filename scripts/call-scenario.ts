import { setTimeout } from 'node:timers/promises';
import type { ScenarioFile } from '../simulator/control/scenario.ts';
import type { ScenarioReport } from '../simulator/control/scenario-run.ts';
import type { ControlClient } from './call-client.ts';

/**
 * Has the simulator play a scenario, and tells each second what it waits for.
 *
 * @param options.app the incoming-call webhook, where it isn't the simulator's own
 * @param options.onCall is told the call's id
 */
export async function playScenario(
  client: ControlClient,
  scenario: ScenarioFile,
  { app, progress, onCall }: { app?: string; progress: (line: string) => void; onCall: (id: string) => void },
): Promise<ScenarioReport> {
  const playing = client.playScenario(app === undefined ? scenario : at(app, scenario));
  playing.catch(() => {}); // told below, unless the simulator has gone altogether
  for (let second = 0; ; second++) {
    // A moment at first, in which it begins.
    const report = await Promise.race([
      playing,
      setTimeout(second === 0 ? 100 : 1_000, undefined, { ref: false }),
    ]);
    if (report) return report;
    const current = await client.scenario();
    const isOurs = current?.description === scenario.description;
    if (isOurs && current.callId !== undefined) onCall(current.callId);
    progress(`${String(second).padStart(3)} s  waiting for ${isOurs ? current.waitsFor : 'its turn'}`);
  }
}

/** The scenario with another app. */
function at(app: string, { call, ask, ...rest }: ScenarioFile): ScenarioFile {
  if (ask) return { ...rest, ask: { ...ask, url: new URL(ask.url, app).href } };
  return { ...rest, call: { ...call, app } };
}
