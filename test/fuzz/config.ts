import assert from 'node:assert/strict';
import { parseConnectionString } from '@azure/communication-common';
import fc from 'fast-check';
import { createAcsClient } from '../../src/calls/acs-client.ts';
import { type Config, ConfigError, loadConfig } from '../../src/config.ts';
import { readTelemetrySettings } from '../../src/telemetry/settings.ts';
import { anyText } from './arbitraries.ts';

const audience = '8d0f5c3e-4a53-4c1b-9c8e-0f1a2b3c4d5e';

const host = fc.oneof(
  fc.domain(),
  fc.ipV4(),
  fc.ipV6().map((address) => `[${address}]`),
  fc.constantFrom('localhost', '127.0.0.1', '127.1', '[::1]', 'LOCALHOST', '0.0.0.0', 'localhost.'),
);
const url = fc
  .tuple(
    fc.constantFrom('https://', 'https://', 'http://', 'http://', 'HTTPS://', 'wss://', ''),
    fc.constantFrom('', '', '', '', 'user:pass@', ':pass@'),
    host,
    fc.constantFrom('', '', ':8443', ':65536'),
    fc.constantFrom('', '', '/', '/path', '?query', '#hash', '/../'),
  )
  .map((parts) => parts.join(''));
const secret = fc
  .array(fc.string({ unit: fc.constantFrom(...'abcXYZ019+/=-_'), minLength: 30, maxLength: 34 }), {
    minLength: 1,
    maxLength: 3,
  })
  .map((parts) => parts.join(', '));
const base64 = fc
  .uint8Array({ minLength: 1, maxLength: 64 })
  .map((bytes) => Buffer.from(bytes).toString('base64'));
const whole = fc.oneof(
  fc.integer().map(String),
  fc.constantFrom(
    '0',
    '00',
    '1',
    '65535',
    '65536',
    '9007199254740991',
    '9007199254740993',
    '1e3',
    '0x10',
    '٣',
  ),
);

/** Parts of a connection string in any order, with what may go wrong between them. */
const connectionString = fc
  .tuple(
    fc.shuffledSubarray(['endpoint', 'accesskey', 'more'], { minLength: 1 }),
    url,
    base64,
    fc.constantFrom('=', ' = ', '= '),
    fc.constantFrom(';', '; ', ';;'),
    fc.constantFrom('', ';'),
    fc.boolean(),
  )
  .map(([names, endpoint, accesskey, equals, between, last, isUpper]) => {
    const values: Record<string, string> = { endpoint, accesskey, more: 'value' };
    const parts = names.map((name) => (isUpper ? name.toUpperCase() : name) + equals + values[name]);
    return parts.join(between) + last;
  });

const likely: Record<string, fc.Arbitrary<string>> = {
  PORT: whole,
  PUBLIC_URL: url,
  ACS_ENDPOINT: url,
  ACS_CONNECTION_STRING: connectionString,
  ACS_AUDIENCE: fc.uuid(),
  ACS_ISSUER: url,
  ACS_JWKS_URL: url,
  EVENT_GRID_KEY: secret,
  CALL_SIGNING_KEY: secret,
  CALL_BINDING: fc.constantFrom('required', 'optional'),
  WS_REFUSE: fc.constantFrom('http', 'close'),
  MAX_CALLS: whole,
  MAX_CALL_SECONDS: whole,
  IDLE_CALL_SECONDS: whole,
  DRAIN_SECONDS: whole,
  APPLICATIONINSIGHTS_CONNECTION_STRING: fc
    .tuple(fc.uuid(), url)
    .map(([key, endpoint]) => `InstrumentationKey=${key};IngestionEndpoint=${endpoint}`),
  TELEMETRY_AUTH: fc.constantFrom('key', 'identity'),
  TELEMETRY_SAMPLING_RATIO: fc.double({ min: 0, max: 1, noNaN: true }).map(String),
  AZURE_CLIENT_ID: fc.uuid(),
  LOG_LEVEL: fc.constantFrom('trace', 'info', 'silent'),
};
const names = Object.keys(likely);
const addresses = names.filter((name) => likely[name] === url);

/** What a process may have around it. */
type Environment = Readonly<Record<string, string | undefined>>;

/** An environment of which most is as it should be, or nearly. */
const environment: fc.Arbitrary<Environment> = fc.record(
  {
    ...Object.fromEntries(
      Object.entries(likely).map(([name, value]) => [
        name,
        fc.oneof(
          { weight: 8, arbitrary: value },
          { weight: 2, arbitrary: value.map((text) => ` ${text}\n`) },
          { weight: 1, arbitrary: fc.constantFrom('', ' ', '@Microsoft.KeyVault(SecretUri=https://kv)') },
          { weight: 1, arbitrary: anyText },
        ),
      ]),
    ),
    WEBSITE_SITE_NAME: fc.constant('app'),
    WEBSITE_HOSTNAME: fc.constant('app.azurewebsites.net'),
  },
  { requiredKeys: [] },
);
/** One in which nothing is. */
const nonsense = fc.dictionary(fc.constantFrom(...names), anyText);
/** One in which a single setting is not as it is known to be good: most of these are taken. */
const nearlyGood: fc.Arbitrary<Environment> = fc
  .tuple(
    fc
      .constantFrom(...names, ...addresses, ...addresses)
      .chain((name) => fc.record({ [name]: likely[name] ?? anyText })),
    fc.constantFrom({}, { WEBSITE_SITE_NAME: 'app' }),
  )
  .map(([setting, site]) => ({ ACS_AUDIENCE: audience, ...site, ...setting }));

/** What comes of an environment. Whatever else is thrown is a fault. */
function load(env: Environment): { config?: Config; faults: readonly string[] } {
  try {
    return { config: loadConfig(env), faults: [] };
  } catch (error) {
    assert.ok(error instanceof ConfigError, String(error));
    assert.ok(error.faults.length > 0);
    return { faults: error.faults };
  }
}

function assertTrusted(text: string, isLocalAllowed: boolean) {
  const { protocol, hostname, username, password, hash } = new URL(text);
  const isLocal = /^(localhost|127(\.\d+){3}|\[::1\])$/.test(hostname);
  assert.ok(protocol === 'https:' || (protocol === 'http:' && isLocal), text);
  assert.ok(isLocalAllowed || !isLocal, text);
  assert.deepEqual([username, password, hash], ['', '', ''], text);
}

export const configProperties = {
  'any environment is a configuration, or a list of its faults': fc.property(
    fc.oneof(environment, nonsense),
    (env) => {
      for (const fault of load(env).faults) {
        assert.match(fault, /^[A-Z_]{4,} /);
        assert.match(fault, /for example|set one of them/);
      }
    },
  ),

  'no fault and no warning repeats a value': fc.property(
    fc.dictionary(fc.constantFrom(...names, 'WEBSITE_SITE_NAME'), fc.string({ minLength: 12 })),
    (env) => {
      const { config, faults } = load(env);
      const text = [...faults, ...(config?.warnings ?? [])].join('\n');
      for (const value of Object.values(env).map((each) => each.trim())) {
        assert.ok(value.length < 12 || !text.includes(value), value);
      }
    },
  ),

  'what is taken is in its bounds, and trusts no one that it should not': fc.property(
    fc.oneof({ weight: 9, arbitrary: nearlyGood }, environment),
    (env: Environment) => {
      const { config } = load(env);
      if (!config) return;
      assert.ok(config.port >= 0 && config.port <= 65_535);
      for (const ms of [config.maxCallMs, config.idleCallMs])
        assert.ok(Number.isSafeInteger(ms) && ms >= 1000);
      assert.ok(Number.isSafeInteger(config.drainMs) && Number.isSafeInteger(config.maxCalls));
      assert.ok(config.drainMs >= 0 && config.maxCalls >= 1);
      assert.ok(config.telemetrySamplingRatio >= 0 && config.telemetrySamplingRatio <= 1);
      for (const keys of [config.eventGridKeys ?? [], config.callSigningKeys ?? []]) {
        assert.ok(keys.length <= 2);
        for (const key of keys) assert.match(key, /^[\x21-\x7e]{32,}$/);
      }
      const isLocalAllowed = !env.WEBSITE_SITE_NAME;
      for (const each of [
        config.publicUrl,
        config.token?.issuer,
        config.token?.jwksUrl,
        config.acs?.endpoint,
      ]) {
        if (each !== undefined) assertTrusted(each, isLocalAllowed);
      }
      if (config.publicUrl !== undefined) assert.equal(new URL(config.publicUrl).origin, config.publicUrl);
      if (config.acs)
        assert.equal(new URL(config.acs.endpoint).href, `${new URL(config.acs.endpoint).origin}/`);
      if (config.acs && !('connectionString' in config.acs)) assert.match(config.acs.endpoint, /^https:/i);
    },
  ),

  'a connection string that is taken is one for the SDK too, of the same endpoint': fc.property(
    connectionString,
    (text) => {
      const { config } = load({
        ACS_AUDIENCE: audience,
        ACS_CONNECTION_STRING: text,
      });
      if (!config?.acs || !('connectionString' in config.acs)) return;
      createAcsClient(config.acs);
      const { endpoint, credential } = parseConnectionString(config.acs.connectionString);
      assert.equal(endpoint, config.acs.endpoint);
      assert.ok(text.includes(credential.key));
    },
  ),

  'any settings of telemetry are some that work, or none': fc.property(environment, (env) => {
    const settings = readTelemetrySettings(env);
    if (!settings) return;
    assert.ok(settings.samplingRatio >= 0 && settings.samplingRatio <= 1);
    const again = readTelemetrySettings({
      ...env,
      APPLICATIONINSIGHTS_CONNECTION_STRING: settings.connectionString,
    });
    assert.equal(again?.connectionString, settings.connectionString);
  }),
};
