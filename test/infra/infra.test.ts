// infra/ without Azure: compiled once, evaluated once for each variant, then looked at from four sides.

import { after, before, describe } from 'node:test';
import { aboutResources } from './about-resources.ts';
import { aboutSecrets } from './about-secrets.ts';
import { aboutSite } from './about-site.ts';
import { aboutSource } from './about-source.ts';
import { type Bicep, bicepMissing, startBicep } from './bicep.ts';
import { type Evaluated, evaluate } from './variants.ts';

describe('infra', { skip: bicepMissing() }, () => {
  let bicep: Bicep;
  let deployed: Evaluated;

  before(async () => {
    bicep = startBicep();
    deployed = await evaluate(bicep);
  });
  after(() => bicep.close());

  describe('source', () => aboutSource(() => bicep));
  describe('resources', () => aboutResources(() => deployed));
  describe('secrets', () => aboutSecrets(() => deployed));
  describe('site', () => aboutSite(() => deployed));
});
