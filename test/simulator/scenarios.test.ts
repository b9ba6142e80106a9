import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import type { TestContext } from 'node:test';
import { describe, it } from 'node:test';
import type { ScenarioFile } from '../../simulator/scenario.ts';
import type { Simulator } from '../../simulator/simulator.ts';
import { handler } from '../../src/handler.ts';
import { startApp } from '../support/app.ts';
import { simulatorWithApp } from './support/readme-app.ts';

const folder = new URL('../../simulator/scenarios/', import.meta.url);

/** What the scenarios of a folder are played against. */
const places: Record<string, (t: TestContext) => Promise<Simulator>> = {
  menu: async (t) => (await simulatorWithApp(t)).simulator,
  media: async (t) => (await startApp(t, { handler, simulator: { frameMs: 5, graceMs: 200 } })).simulator,
};

async function scenariosOf(place: string): Promise<Map<string, ScenarioFile>> {
  const files = await readdir(new URL(`${place}/`, folder));
  const read = files.map(
    async (name) => [name, JSON.parse(await readFile(new URL(`${place}/${name}`, folder), 'utf8'))] as const,
  );
  return new Map(await Promise.all(read));
}

it('each folder of scenarios has an app to play them against', async () => {
  assert.deepEqual(await readdir(folder), Object.keys(places).sort());
});

for (const [place, start] of Object.entries(places)) {
  describe(`a scenario in ${place}`, async () => {
    for (const [name, scenario] of await scenariosOf(place)) {
      it(name, async (t) => {
        const simulator = await start(t);
        const report = await simulator.runScenario(scenario);
        assert.deepEqual(report.faults, [], JSON.stringify(report, undefined, 2));
        assert.equal(report.ok, true);
      });
    }
  });
}
