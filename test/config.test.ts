import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ConfigError, loadConfig } from '../src/config.ts';

const audience = '8d0f5c3e-4a53-4c1b-9c8e-0f1a2b3c4d5e';
const secret = 'a'.repeat(32);
const key = Buffer.from('key').toString('base64');
const complete = {
  ACS_AUDIENCE: audience,
  ACS_CONNECTION_STRING: `endpoint=https://x.communication.azure.com/;accesskey=${key}`,
  EVENT_GRID_KEY: secret,
  CALL_SIGNING_KEY: secret,
  PUBLIC_URL: 'https://calls.example.com',
};

function faultsOf(env: Record<string, string>): readonly string[] {
  try {
    loadConfig(env);
  } catch (error) {
    assert.ok(error instanceof ConfigError);
    return error.faults;
  }
  return [];
}

describe('the configuration', () => {
  it('has the documented defaults', () => {
    const { callSigningKeys, warnings, ...config } = loadConfig({ ACS_AUDIENCE: audience });
    assert.deepEqual(config, {
      port: 8080,
      host: undefined,
      publicUrl: undefined,
      acs: undefined,
      token: {
        audience,
        issuer: 'https://acscallautomation.communication.azure.com',
        jwksUrl: 'https://acscallautomation.communication.azure.com/calling/keys',
      },
      eventGridKeys: undefined,
      callBinding: 'required',
      wsRefuse: 'http',
      maxCalls: 500,
      maxCallMs: 7_200_000,
      idleCallMs: 60_000,
      drainMs: 100_000,
      telemetryAuth: 'key',
      telemetrySamplingRatio: 1,
      logLevel: 'info',
    });
    assert.equal(callSigningKeys?.length, 1);
    assert.equal(warnings.length, 2);
    assert.match(warnings.join(), /CALL_SIGNING_KEY is missing: a random one/);
  });

  it('makes another random signing key in each process, of 32 characters or more', () => {
    const [first, second] = [1, 2].map(() => loadConfig({ ACS_AUDIENCE: audience }).callSigningKeys?.[0]);
    assert.ok(first && first.length >= 32);
    assert.notEqual(first, second);
  });

  it('reports every fault at once, each with its variable, what is wrong and an example', () => {
    const faults = faultsOf({
      ACS_AUDIENCE: '/subscriptions/x/resourceGroups/y',
      ACS_ISSUER: 'http://issuer.example.com',
      ACS_CONNECTION_STRING: 'endpoint=http://acs.example.com/;accesskey=aaaa',
      EVENT_GRID_KEY: 'short',
      CALL_SIGNING_KEY: `${secret},${secret},${secret}`,
      PUBLIC_URL: 'https://calls.example.com/path',
      PORT: '80a',
      MAX_CALLS: '0',
      MAX_CALL_SECONDS: '-1',
      IDLE_CALL_SECONDS: '1.5',
      DRAIN_SECONDS: 'soon',
      CALL_BINDING: 'no',
      WS_REFUSE: '401',
      LOG_LEVEL: 'loud',
      TELEMETRY_AUTH: 'none',
      TELEMETRY_SAMPLING_RATIO: '2',
    });
    const names = faults.map((fault) => fault.split(' ', 1)[0]);
    assert.deepEqual(new Set(names).size, 16);
    assert.equal(faults.length, 16);
    for (const fault of faults) assert.match(fault, /for example/);
  });

  it('never repeats a value in a fault', () => {
    const value = 'short-but-secret';
    const env = { ACS_AUDIENCE: value, EVENT_GRID_KEY: value, ACS_CONNECTION_STRING: value, PORT: value };
    assert.equal(faultsOf(env).length, 4);
    assert.ok(!faultsOf(env).join().includes(value));
  });

  it('takes an empty variable for a missing one', () => {
    assert.match(faultsOf({ ACS_AUDIENCE: ' ' }).join(), /^ACS_AUDIENCE is missing/);
    assert.equal(loadConfig({ ...complete, PORT: '', EVENT_GRID_KEY: '' }).port, 8080);
  });

  it('starts with any Application Insights string, and says what comes of it', () => {
    const { warnings } = loadConfig({ ...complete, APPLICATIONINSIGHTS_CONNECTION_STRING: 'nonsense' });
    assert.match(warnings.join(), /^APPLICATIONINSIGHTS_CONNECTION_STRING .* no telemetry/);
  });

  it('takes any positive whole number as a limit, and 0 for DRAIN_SECONDS', () => {
    const config = loadConfig({
      ...complete,
      MAX_CALLS: '1',
      MAX_CALL_SECONDS: '10000000',
      IDLE_CALL_SECONDS: '1',
      DRAIN_SECONDS: '0',
    });
    assert.deepEqual(
      [config.maxCalls, config.maxCallMs, config.idleCallMs, config.drainMs],
      [1, 10_000_000_000, 1000, 0],
    );
  });

  it('needs PUBLIC_URL to answer calls, and takes the host name of App Service for it', () => {
    const { PUBLIC_URL, ...rest } = complete;
    assert.match(faultsOf(rest).join(), /^PUBLIC_URL is missing/);
    const config = loadConfig({ ...rest, WEBSITE_HOSTNAME: 'app-x.azurewebsites.net' });
    assert.equal(config.publicUrl, 'https://app-x.azurewebsites.net');
    assert.equal(loadConfig({ ACS_AUDIENCE: audience, EVENT_GRID_KEY: secret }).publicUrl, undefined);
  });

  it('signs in with the managed identity, or with a key', () => {
    const identity = loadConfig({
      ACS_AUDIENCE: audience,
      ACS_ENDPOINT: 'https://x.communication.azure.com',
      AZURE_CLIENT_ID: 'id',
    });
    assert.deepEqual(identity.acs, {
      endpoint: 'https://x.communication.azure.com',
      managedIdentityClientId: 'id',
    });
    assert.deepEqual(loadConfig(complete).acs, {
      endpoint: 'https://x.communication.azure.com',
      connectionString: `endpoint=https://x.communication.azure.com;accesskey=${key}`,
    });
    assert.match(
      faultsOf({ ...complete, ACS_ENDPOINT: 'https://other.communication.azure.com' }).join(),
      /different resources/,
    );
  });

  it('takes a connection string in any order and spelling, and hands it to the SDK in the one that it reads', () => {
    const strings = [
      `accesskey=${key};endpoint=https://x.communication.azure.com/`,
      `Endpoint = https://x.communication.azure.com ; AccessKey = ${key}`,
      `endpoint=https://x.communication.azure.com/;more=7;accesskey=${key};`,
    ];
    for (const ACS_CONNECTION_STRING of strings) {
      const { acs } = loadConfig({ ...complete, ACS_CONNECTION_STRING });
      assert.ok(acs && 'connectionString' in acs);
      assert.equal(acs.connectionString, `endpoint=https://x.communication.azure.com;accesskey=${key}`);
    }
  });

  it('refuses an ACS endpoint with more than a host, at which the SDK throws', () => {
    for (const endpoint of [
      'https://x.communication.azure.com/path',
      'https://x.communication.azure.com/?a',
    ]) {
      const ACS_CONNECTION_STRING = `endpoint=${endpoint};accesskey=${key}`;
      assert.match(faultsOf({ ...complete, ACS_CONNECTION_STRING }).join(), /^ACS_CONNECTION_STRING must/);
      assert.match(faultsOf({ ACS_AUDIENCE: audience, ACS_ENDPOINT: endpoint }).join(), /^ACS_ENDPOINT must/);
    }
  });

  it('finds the keys of an issuer that ends in a slash', () => {
    const { token } = loadConfig({ ...complete, ACS_ISSUER: 'https://issuer.example.com/' });
    assert.equal(token?.jwksUrl, 'https://issuer.example.com/calling/keys');
  });

  it('takes two keys during a rotation', () => {
    const { callSigningKeys } = loadConfig({ ...complete, CALL_SIGNING_KEY: `${secret}, ${'b'.repeat(32)}` });
    assert.deepEqual(callSigningKeys, [secret, 'b'.repeat(32)]);
  });

  describe('plain http and loopback', () => {
    const local = {
      ACS_AUDIENCE: audience,
      ACS_ISSUER: 'http://127.0.0.1:9000',
      PUBLIC_URL: 'http://localhost:8080',
    };

    it('are for loopback hosts alone', () => {
      assert.equal(loadConfig(local).token?.jwksUrl, 'http://127.0.0.1:9000/calling/keys');
      for (const host of ['127.0.0.1.example.com', 'localhost.example.com', '10.0.0.1', '0.0.0.0']) {
        assert.equal(faultsOf({ ...local, ACS_ISSUER: `http://${host}` }).length, 1, host);
      }
    });

    it('are refused on App Service, https or not', () => {
      const env = { ...local, ACS_JWKS_URL: 'https://[::1]/keys', WEBSITE_SITE_NAME: 'app' };
      const names = faultsOf(env).map((fault) => fault.split(' ', 1)[0]);
      assert.deepEqual(names, ['ACS_ISSUER', 'ACS_JWKS_URL', 'PUBLIC_URL']);
    });

    it('are refused there in every spelling, for ACS itself too', () => {
      const app = { ACS_AUDIENCE: audience, WEBSITE_SITE_NAME: 'app' };
      const hosts = [
        'localhost',
        'localhost.',
        'x.localhost',
        '127.1',
        '0.0.0.0',
        '[::1]',
        '[::ffff:127.0.0.1]',
      ];
      for (const host of [...hosts, '[::]', '0x7f000001']) {
        for (const name of ['ACS_ISSUER', 'ACS_JWKS_URL', 'ACS_ENDPOINT']) {
          assert.equal(faultsOf({ ...app, [name]: `https://${host}` }).length, 1, `${name} ${host}`);
        }
      }
    });

    it('never carry a token of the managed identity', () => {
      assert.match(
        faultsOf({ ACS_AUDIENCE: audience, ACS_ENDPOINT: 'http://127.0.0.1:9000' }).join(),
        /https/,
      );
    });

    it('bind the app to 127.0.0.1 if that is where ACS is', () => {
      const ACS_CONNECTION_STRING = `endpoint=http://127.0.0.1:9000/;accesskey=${key}`;
      assert.equal(loadConfig({ ...complete, ACS_CONNECTION_STRING }).host, '127.0.0.1');
      assert.equal(loadConfig(complete).host, undefined);
    });
  });

  describe('a Key Vault reference that was not resolved', () => {
    const reference = '@Microsoft.KeyVault(SecretUri=https://kv.vault.azure.net/secrets/x)';

    for (const name of ['EVENT_GRID_KEY', 'CALL_SIGNING_KEY', 'ACS_CONNECTION_STRING', 'ACS_AUDIENCE']) {
      it(`in ${name} starts, is told of, and never becomes a value`, () => {
        const config = loadConfig({ ...complete, [name]: reference });
        assert.match(config.warnings.join(), new RegExp(`^${name} is a Key Vault reference`));
        assert.ok(!JSON.stringify(config).includes('Microsoft.KeyVault'));
      });
    }

    for (const value of [reference.toLowerCase(), `"${reference}"`, `${secret},${reference}`]) {
      it(`is one in any spelling, and as one of two: ${value.slice(0, 24)}…`, () => {
        const config = loadConfig({ ...complete, CALL_SIGNING_KEY: value, EVENT_GRID_KEY: value });
        assert.deepEqual([config.callSigningKeys, config.eventGridKeys], [undefined, undefined]);
      });
    }

    it('in CALL_SIGNING_KEY is not replaced by a random key', () => {
      assert.equal(loadConfig({ ...complete, CALL_SIGNING_KEY: reference }).callSigningKeys, undefined);
    });

    it('in ACS_ISSUER leaves nothing to verify with, rather than the public issuer', () => {
      assert.equal(loadConfig({ ...complete, ACS_ISSUER: reference }).token, undefined);
    });
  });
});
