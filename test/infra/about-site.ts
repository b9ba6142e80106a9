// The site, evaluated offline: how it is started, reached and probed, and whether the app takes its settings.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadConfig } from '../../src/config.ts';
import { type Evaluated, everyVariant, type Variant } from './variants.ts';

type Settings = Record<string, string>;

/** Settings that something else than config.ts reads. */
const platform: Settings = {
  APPLICATIONINSIGHTS_CONNECTION_STRING: 'telemetry.ts',
  NODE_ENV: 'npm and Express',
  NPM_CONFIG_OMIT: 'npm',
  NPM_CONFIG_PRODUCTION: 'npm',
  OTEL_SERVICE_NAME: 'OpenTelemetry',
  SCM_DO_BUILD_DURING_DEPLOYMENT: 'App Service',
  WEBSITES_CONTAINER_STOP_TIME_LIMIT: 'App Service',
};

/** What App Service adds. */
const added = { WEBSITE_SITE_NAME: 'app', WEBSITE_HOSTNAME: 'app.example.net', PORT: '8080' };

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
    'InstrumentationKey=0;IngestionEndpoint=https://example.net/',
  ],
  [/^@Microsoft\.KeyVault\(VaultName=kv-\w+;SecretName=(event-grid|call-signing)-key\)$/, 'k'.repeat(64)],
  [
    /^@Microsoft\.KeyVault\(VaultName=kv-\w+;SecretName=acs-connection-string\)$/,
    'endpoint=https://acs.communication.azure.com/;accesskey=a2V5',
  ],
];

function resolved(value: string): string {
  const sample = samples.find(([pattern]) => pattern.test(value));
  assert.ok(sample || !/^[[@]/.test(value), `a sample for ${value}`);
  return sample?.[1] ?? value;
}

export function aboutSite(deployed: () => Evaluated) {
  const site = (variant: Variant) => deployed().one(variant, 'Web/sites');
  const siteConfig = (variant: Variant): Record<string, unknown> =>
    Object(site(variant).properties?.siteConfig);
  const settings = (variant: Variant): Settings => {
    // The shape is Microsoft.Web/sites': a list of names and values.
    const list = siteConfig(variant).appSettings as { name: string; value: string }[];
    return Object.fromEntries(list.map(({ name, value }) => [name, value]));
  };
  const sampled = (variant: Variant): Settings =>
    Object.fromEntries(Object.entries(settings(variant)).map(([name, value]) => [name, resolved(value)]));

  test('every setting is read by config.ts, or known to be read by something else', () => {
    const read = new Set(Object.keys(platform));
    const recorder = new Proxy<Settings>(
      { ...added, ...sampled('first') },
      {
        get(target, name: string) {
          read.add(name);
          return target[name];
        },
      },
    );
    loadConfig(recorder);
    for (const variant of everyVariant) {
      assert.deepEqual(
        Object.keys(settings(variant)).filter((name) => !read.has(name)),
        [],
        variant,
      );
    }
  });

  test('the app takes every value, warns of nothing, and answers calls', () => {
    for (const variant of everyVariant) {
      const config = loadConfig({ ...added, ...sampled(variant) });
      assert.deepEqual(config.warnings, [], variant);
      assert.ok(config.acs && config.token && config.eventGridKeys && config.callSigningKeys, variant);
      assert.equal(config.telemetryAuth, 'identity');
      assert.equal(config.callBinding, 'required');
      assert.equal(config.publicUrl, 'https://app.example.net');
      assert.equal(config.maxCalls, variant === 'premium' ? 500 : 300, 'Basic takes 350 WebSockets');
      const key = variant.endsWith('key');
      assert.equal('connectionString' in config.acs, key, variant);
      assert.equal('managedIdentityClientId' in config.acs, !key, variant);
    }
  });

  test('a reference that App Service could not resolve is never taken for a key', () => {
    const { acs, eventGridKeys, callSigningKeys } = loadConfig({
      ...sampled('key'),
      ...Object.fromEntries(Object.entries(settings('key')).filter(([, value]) => value.startsWith('@'))),
      ...added,
    });
    assert.deepEqual([acs, eventGridKeys, callSigningKeys], [undefined, undefined, undefined]);
  });

  test('the audience is the immutable id of the resource that answers, new or existing', () => {
    assert.match(settings('first').ACS_AUDIENCE ?? '', /\/acs-\w{13}', '[\d-]+'\)\.immutableResourceId\]$/);
    assert.match(
      settings('elsewhere').ACS_AUDIENCE ?? '',
      /\/rg-phone\/.*\/acs-phone', '[\d-]+'\)\.immutableResourceId\]$/,
    );
  });

  test('node itself is started, gets SIGTERM, and has the time to let calls end', () => {
    assert.equal(siteConfig('first').linuxFxVersion, 'NODE|24-lts');
    assert.equal(siteConfig('first').appCommandLine, 'exec node --import ./src/telemetry.ts src/main.ts');
    const { DRAIN_SECONDS, WEBSITES_CONTAINER_STOP_TIME_LIMIT } = settings('first');
    const hangUpAndFlush = 5 + 3;
    assert.ok(Number(DRAIN_SECONDS) + hangUpAndFlush < Number(WEBSITES_CONTAINER_STOP_TIME_LIMIT));
  });

  test('azd finds the site, waits for it, and its upload is built there', () => {
    assert.partialDeepStrictEqual(site('first'), {
      kind: 'app,linux',
      tags: { 'azd-service-name': 'app', 'azd-env-name': 'test' },
    });
    assert.partialDeepStrictEqual(settings('first'), {
      SCM_DO_BUILD_DURING_DEPLOYMENT: 'true',
      NODE_ENV: 'production',
      NPM_CONFIG_OMIT: 'optional',
      NPM_CONFIG_PRODUCTION: 'true',
    });
  });

  test('https only, by its own identity, always on, and probed for life rather than readiness', () => {
    const [identity] = deployed().all('first', 'ManagedIdentity/userAssignedIdentities');
    assert.ok(identity);
    assert.partialDeepStrictEqual(site('first'), {
      identity: { type: 'UserAssigned', userAssignedIdentities: { [identity.id]: {} } },
      properties: {
        keyVaultReferenceIdentity: identity.id,
        httpsOnly: true,
        clientAffinityEnabled: false,
        autoGeneratedDomainNameLabelScope: 'TenantReuse',
        siteConfig: {
          alwaysOn: true,
          webSocketsEnabled: true,
          ftpsState: 'Disabled',
          minTlsVersion: '1.2',
          scmMinTlsVersion: '1.2',
          healthCheckPath: '/healthz',
        },
      },
    });
  });

  test('locked: the published addresses only, eight to a rule, and azd still gets in', () => {
    const { ipSecurityRestrictions, ...rest } = siteConfig('locked');
    assert.partialDeepStrictEqual(rest, {
      ipSecurityRestrictionsDefaultAction: 'Deny',
      scmIpSecurityRestrictionsUseMain: false,
      scmIpSecurityRestrictionsDefaultAction: 'Allow',
    });
    // The shape is Microsoft.Web/sites': ranges, or a tag, with commas between.
    const rules = ipSecurityRestrictions as { action: string; ipAddress: string; tag?: string }[];
    for (const { action, ipAddress } of rules) {
      assert.equal(action, 'Allow');
      assert.ok(ipAddress.split(',').length <= 8);
    }
    const ranges = rules.flatMap(({ ipAddress }) => ipAddress.split(','));
    assert.equal(ranges.length, 10);
    assert.ok(ranges.includes('52.112.0.0/14') && ranges.includes('AzureEventGrid'));
    assert.equal(siteConfig('first').ipSecurityRestrictionsDefaultAction, 'Allow');
    assert.deepEqual(siteConfig('first').ipSecurityRestrictions, []);
  });
}
