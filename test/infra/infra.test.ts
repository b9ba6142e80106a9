// infra/ without Azure: compiled, evaluated once for each variant, then looked at from all sides.

import { after, before, describe } from 'node:test';
import { aboutMonitoring } from './about-monitoring.ts';
import { aboutResources } from './about-resources.ts';
import { aboutSecrets } from './about-secrets.ts';
import { aboutSite } from './about-site.ts';
import { aboutSource } from './about-source.ts';
import { type Bicep, bicepMissing, startBicep } from './bicep.ts';
import { type Evaluated, evaluate } from './variants.ts';

describe('infra', { skip: bicepMissing() }, () => {
  let bicep: Bicep;

  before(() => {
    bicep = startBicep();
  });
  after(() => bicep.close());

  describe('source', () => aboutSource(() => bicep));

  describe('deployed', () => {
    let deployed: Evaluated;

    before(async () => {
      deployed = await evaluate(bicep);
    });

    describe('resources', () => aboutResources(() => deployed));
    describe('secrets', () => aboutSecrets(() => deployed));
    describe('monitoring', () => aboutMonitoring(() => deployed));
    describe('site', () => aboutSite(() => deployed));
  });
});
