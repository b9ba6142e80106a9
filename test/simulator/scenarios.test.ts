import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import type { TestContext } from 'node:test';
import { describe, it } from 'node:test';
import { parseScenario, type ScenarioFile } from '../../simulator/control/scenario.ts';
import { differences } from '../../simulator/control/scenario-differences.ts';
import type { Simulator } from '../../simulator/simulator.ts';
import { handler } from '../../src/handler.ts';
import { startApp } from '../support/app.ts';
import { simulatorWithApp } from './support/readme-app.ts';

const folder = new URL('../../simulator/scenarios/', import.meta.url);

/** What the scenarios of a folder are played against: the app of the simulator's README, and this project's. */
const places: Record<string, (t: TestContext) => Promise<Simulator>> = {
  async media(t) {
    const fast = { frameMs: 5, graceMs: 200, callbackRetryMs: [20, 20, 20] };
    const { simulator } = await startApp(t, { handler, simulator: fast, signingKeys: { pauseMs: 10 } });
    return simulator;
  },
  async menu(t) {
    const { simulator } = await simulatorWithApp(t);
    return simulator;
  },
};

async function read(place: string, name: string): Promise<ScenarioFile> {
  return JSON.parse(await readFile(new URL(`${place}/${name}`, folder), 'utf8'));
}

it('each folder of scenarios has an app', async () => {
  assert.deepEqual((await readdir(folder)).sort(), Object.keys(places));
});

for (const [place, start] of Object.entries(places)) {
  describe(`a scenario in ${place}`, async () => {
    for (const name of await readdir(new URL(`${place}/`, folder))) {
      it(name, async (t) => {
        const simulator = await start(t);
        const scenario = await read(place, name);
        const { faults, call } = await simulator.runScenario(scenario);
        assert.deepEqual(faults, [], JSON.stringify(call));
        assert.ok(call);
        const [first] = differences({ ...parseScenario(scenario).expect, outcome: 'the line was cut' }, call);
        assert.equal(first, `the outcome was not 'the line was cut': ${call.outcome}`);
      });
    }
  });
}
