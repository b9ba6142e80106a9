import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseConnectionString, readTelemetrySettings } from '../../src/telemetry/settings.ts';

const key = 'InstrumentationKey=0a1b2c3d-0a1b-0a1b-0a1b-0a1b2c3d4e5f';

describe('a connection string', () => {
  it('is taken as Azure writes it', () => {
    const text = `${key};IngestionEndpoint=https://westeurope-5.in.applicationinsights.azure.com/;LiveEndpoint=https://westeurope.livediagnostics.monitor.azure.com/;ApplicationId=0a1b2c3d-0a1b-0a1b-0a1b-0a1b2c3d4e5f`;
    assert.deepEqual(parseConnectionString(`${text} ; `), {
      connectionString: text
        .replace('InstrumentationKey', 'instrumentationkey')
        .replace('IngestionEndpoint', 'ingestionendpoint')
        .replace('LiveEndpoint', 'liveendpoint')
        .replace('ApplicationId', 'applicationid'),
      isInsecure: false,
    });
  });

  it('may have its key in upper case, at which the SDK would throw', () => {
    assert.equal(
      parseConnectionString(key.toUpperCase())?.connectionString,
      key.replace('Key', 'key').replace('I', 'i'),
    );
  });

  it('may name an endpoint without TLS on this machine alone', () => {
    const local = parseConnectionString(`${key};IngestionEndpoint=http://127.0.0.1:9999`);
    assert.equal(local?.isInsecure, true);
    assert.match(
      local.connectionString,
      /=HTTP:\/\/127\.0\.0\.1:9999\/$/,
      'in lower case the SDK makes https of it',
    );
    assert.equal(parseConnectionString(`${key};IngestionEndpoint=http://example.net/`), undefined);
    assert.equal(parseConnectionString(`${key};IngestionEndpoint=http://127.0.0.1.example.net/`), undefined);
  });

  for (const text of [
    '',
    'nonsense',
    '@Microsoft.KeyVault(SecretUri=https://vault.example.net/secrets/a)',
    'InstrumentationKey=',
    'InstrumentationKey=0a1b2c3d',
    'IngestionEndpoint=https://example.net/',
    `${key};IngestionEndpoint=example.net`,
    `${key};IngestionEndpoint=ftp://example.net/`,
    `${key};Authorization`,
    `${key};IngestionEndpoint=https://example.net/?a=b`,
  ]) {
    it(`is none: ${text}`, () => assert.equal(parseConnectionString(text), undefined));
  }
});

describe('the settings of telemetry', () => {
  it('are none without a connection string, or with one that the SDK would not take', () => {
    assert.equal(readTelemetrySettings({ TELEMETRY_AUTH: 'identity' }), undefined);
    assert.equal(readTelemetrySettings({ APPLICATIONINSIGHTS_CONNECTION_STRING: 'nonsense' }), undefined);
  });

  it('have defaults', () => {
    const { auth, samplingRatio, publicUrl } =
      readTelemetrySettings({ APPLICATIONINSIGHTS_CONNECTION_STRING: key }) ?? {};
    assert.deepEqual([auth, samplingRatio, publicUrl], ['key', 1, undefined]);
  });

  it('are read', () => {
    const { auth, samplingRatio, publicUrl } =
      readTelemetrySettings({
        APPLICATIONINSIGHTS_CONNECTION_STRING: key,
        TELEMETRY_AUTH: 'identity',
        TELEMETRY_SAMPLING_RATIO: '0',
        WEBSITE_HOSTNAME: 'app.example.net',
      }) ?? {};
    assert.deepEqual([auth, samplingRatio], ['identity', 0]);
    assert.equal(publicUrl?.href, 'https://app.example.net/');
  });
});
