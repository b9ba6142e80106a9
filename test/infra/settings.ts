// The settings that the template gives the app, and what Azure would put in place of their expressions.

import assert from 'node:assert/strict';
import type { Evaluated, Variant } from './variants.ts';

export type Settings = Record<string, string>;

/** Settings that something else than config.ts reads. */
export const platform: Settings = {
  NODE_ENV: 'npm and Express',
  NPM_CONFIG_OMIT: 'npm',
  NPM_CONFIG_PRODUCTION: 'npm',
  OTEL_SERVICE_NAME: 'OpenTelemetry',
  SCM_DO_BUILD_DURING_DEPLOYMENT: 'App Service',
  WEBSITES_CONTAINER_STOP_TIME_LIMIT: 'App Service',
};

/** What App Service adds. */
export const added = { WEBSITE_SITE_NAME: 'app', WEBSITE_HOSTNAME: 'app.example.net', PORT: '8080' };

/** What an expression that only Azure can evaluate might give there. */
const samples: [RegExp, string][] = [
  [
    /^\[reference\('[^']+\/communicationServices\/[^']+', '[\d-]+'\)\.immutableResourceId\]$/,
    '8d0f5c3e-4a53-4c1b-9c8e-0f1a2b3c4d5e',
  ],
  [
    /^\[format\('https:\/\/\{0\}', reference\('[^']+\/communicationServices\/[^']+', '[\d-]+'\)\.hostName\)\]$/,
    'https://acs.communication.azure.com',
  ],
  [
    /^\[reference\('[^']+\/userAssignedIdentities\/[^']+', '[\d-]+'\)\.clientId\]$/,
    '4b1c9d2e-7f60-4a8b-b3c5-d6e7f8091a2b',
  ],
  [
    /^\[reference\('[^']+\/components\/[^']+', '[\d-]+'\)\.ConnectionString\]$/,
    'InstrumentationKey=00000000-0000-4000-8000-000000000000;IngestionEndpoint=https://ingestion.invalid/',
  ],
  [/^@Microsoft\.KeyVault\(VaultName=kv-\w+;SecretName=(event-grid|call-signing)-key\)$/, 'k'.repeat(64)],
  [
    /^@Microsoft\.KeyVault\(VaultName=kv-\w+;SecretName=acs-connection-string\)$/,
    'endpoint=https://acs.communication.azure.com/;accesskey=a2V5',
  ],
];

/** How the site is set up, but for what Azure itself adds. */
export function siteConfigOf(deployed: Evaluated, variant: Variant): Record<string, unknown> {
  return Object(deployed.one(variant, 'Web/sites').properties?.siteConfig);
}

/** The app's settings by name, expressions and references as they are. */
export function appSettings(deployed: Evaluated, variant: Variant): Settings {
  // The shape is Microsoft.Web/sites': a list of names and values.
  const list = siteConfigOf(deployed, variant).appSettings as { name: string; value: string }[];
  return Object.fromEntries(list.map(({ name, value }) => [name, value]));
}

/** The settings as the app gets them: a sample for each expression and each reference. */
export function resolveAll(settings: Settings): Settings {
  return Object.fromEntries(Object.entries(settings).map(([name, value]) => [name, resolve(value)]));
}

function resolve(value: string): string {
  const sample = samples.find(([pattern]) => pattern.test(value));
  assert.ok(sample || !/^[[@]/.test(value), `a sample for ${value}`);
  return sample?.[1] ?? value;
}
