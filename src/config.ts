import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import {
  audienceHelp,
  audienceId,
  connectionString,
  httpsEndpoint,
  isLoopback,
  oneOf,
  origin,
  ratio,
  secretPair,
  serviceUrl,
  whole,
} from './config-values.ts';
import type { LevelWithSilent } from './log.ts';
import { parseConnectionString } from './telemetry/settings.ts';

/** Everything the app is told from outside, checked. Times are in milliseconds. */
export interface Config {
  port: number;
  /** Address to listen on; undefined for all of them. */
  host: string | undefined;
  /** Where ACS reaches this app: an origin without a path. */
  publicUrl: string | undefined;
  acs: AcsConfig | undefined;
  /** Undefined while part of it is an unresolved Key Vault reference: then no token can be verified. */
  token: TokenConfig | undefined;
  /** Undefined: no event is taken. */
  eventGridKeys: readonly string[] | undefined;
  /** Undefined while CALL_SIGNING_KEY is an unresolved Key Vault reference: then no call can be answered. */
  callSigningKeys: readonly string[] | undefined;
  callBinding: 'required' | 'optional';
  wsRefuse: 'http' | 'close';
  maxCalls: number;
  maxCallMs: number;
  idleCallMs: number;
  drainMs: number;
  telemetryAuth: 'key' | 'identity';
  telemetrySamplingRatio: number;
  logLevel: LevelWithSilent;
  /** What the log says at the start about settings that work but that somebody should know of. */
  warnings: readonly string[];
}

/** The ACS resource, and how the app signs in to it. */
export type AcsConfig = { endpoint: string } & (
  | { connectionString: string }
  | { managedIdentityClientId: string | undefined }
);

/** What a token must say, and where the keys are that prove it. */
export interface TokenConfig {
  audience: string;
  issuer: string;
  jwksUrl: string;
}

/** Every fault of the environment at once: the message has a line for each. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly faults: readonly string[];

  constructor(faults: readonly string[]) {
    super(`Callgate can't start with this configuration:\n${faults.map((fault) => `  ${fault}`).join('\n')}`);
    this.faults = faults;
  }
}

/**
 * Reads the configuration from environment variables; README.md has the table.
 *
 * @param env the environment; an empty variable counts as unset
 * @throws {ConfigError} with all faults, each with its variable, what is wrong and an example; never with a value
 */
export function loadConfig(env: Readonly<Record<string, string | undefined>>): Config {
  const reader = createReader(env);
  const { read, seconds, isMissing, isUnresolved, faults } = reader;
  const onAppService = Boolean(env.WEBSITE_SITE_NAME);
  const allowed = { loopback: !onAppService };
  const url = serviceUrl(allowed);

  const audience = read('ACS_AUDIENCE', audienceId);
  const issuer = read('ACS_ISSUER', url) ?? 'https://acscallautomation.communication.azure.com';
  const jwksUrl = read('ACS_JWKS_URL', url) ?? `${issuer.replace(/\/$/, '')}/calling/keys`;
  if (isMissing('ACS_AUDIENCE')) faults.push(`ACS_AUDIENCE is missing: it must be ${audienceHelp}`);

  const connection = read('ACS_CONNECTION_STRING', connectionString(origin(allowed)));
  const endpoint = read('ACS_ENDPOINT', httpsEndpoint(allowed));
  const managedIdentityClientId = read('AZURE_CLIENT_ID', z.string());
  if (connection && endpoint && new URL(connection.endpoint).host !== new URL(endpoint).host) {
    faults.push('ACS_ENDPOINT and ACS_CONNECTION_STRING name different resources: set one of them');
  }
  const acs = connection ?? (endpoint ? { endpoint, managedIdentityClientId } : undefined);

  const eventGridKeys = read('EVENT_GRID_KEY', secretPair);
  const callSigningKeys = read('CALL_SIGNING_KEY', secretPair);
  const publicUrl =
    read('PUBLIC_URL', origin(allowed)) ??
    (env.WEBSITE_HOSTNAME ? `https://${env.WEBSITE_HOSTNAME}` : undefined);
  if (acs && eventGridKeys && !publicUrl && isMissing('PUBLIC_URL')) {
    faults.push('PUBLIC_URL is missing: where ACS reaches this app, for example https://calls.example.com');
  }

  const config = {
    port: read('PORT', whole(0, 65_535, 8080)) ?? 8080,
    // Beside a local ACS nobody else has business here.
    host: acs && isLoopback(new URL(acs.endpoint)) ? '127.0.0.1' : undefined,
    publicUrl,
    acs,
    token:
      audience && !isUnresolved('ACS_ISSUER') && !isUnresolved('ACS_JWKS_URL')
        ? { audience, issuer, jwksUrl }
        : undefined,
    eventGridKeys,
    callSigningKeys: isMissing('CALL_SIGNING_KEY')
      ? [randomBytes(32).toString('base64url')]
      : callSigningKeys,
    callBinding: read('CALL_BINDING', oneOf('required', 'optional')) ?? 'required',
    wsRefuse: read('WS_REFUSE', oneOf('http', 'close')) ?? 'http',
    maxCalls: read('MAX_CALLS', whole(1, Number.MAX_SAFE_INTEGER, 500)) ?? 500,
    maxCallMs: seconds('MAX_CALL_SECONDS', 1, 7200),
    idleCallMs: seconds('IDLE_CALL_SECONDS', 1, 60),
    drainMs: seconds('DRAIN_SECONDS', 0, 100),
    telemetryAuth: read('TELEMETRY_AUTH', oneOf('key', 'identity')) ?? 'key',
    telemetrySamplingRatio: read('TELEMETRY_SAMPLING_RATIO', ratio) ?? 1,
    logLevel:
      read('LOG_LEVEL', oneOf('trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent')) ?? 'info',
  } as const;
  if (faults.length > 0) throw new ConfigError(faults);

  return { ...config, warnings: warningsOf(reader, env.APPLICATIONINSIGHTS_CONNECTION_STRING) };
}

/** What works and somebody should know of all the same. */
function warningsOf(
  { isMissing, unresolved }: ReturnType<typeof createReader>,
  telemetry: string | undefined,
): string[] {
  const warnings = unresolved.map(
    (name) =>
      `${name} is a Key Vault reference that App Service could not resolve: what needs it answers 503. ` +
      'See that the secret exists and that the identity of the site may read it',
  );
  if (telemetry?.trim() && !parseConnectionString(telemetry)) {
    warnings.push(
      'APPLICATIONINSIGHTS_CONNECTION_STRING is not a connection string of Application Insights: no telemetry is sent',
    );
  }
  if (isMissing('CALL_SIGNING_KEY')) {
    warnings.push('CALL_SIGNING_KEY is missing: a random one serves until this process ends');
  }
  const noAcs = isMissing('ACS_ENDPOINT') && isMissing('ACS_CONNECTION_STRING');
  if (noAcs || isMissing('EVENT_GRID_KEY')) {
    const missing = noAcs
      ? 'Neither ACS_ENDPOINT nor ACS_CONNECTION_STRING is set'
      : 'EVENT_GRID_KEY is missing';
    warnings.push(`${missing}: calls are let in, but none is answered here`);
  }
  return warnings;
}

// What App Service hands over for a secret that it could not read, in any spelling, alone or as one of two: a text
// that anyone can guess, so never a value.
const unresolvedReference = /@microsoft\.keyvault\(/i;

/** Reads one variable after the other and collects what is wrong with them. */
function createReader(env: Readonly<Record<string, string | undefined>>) {
  const faults: string[] = [];
  const unresolved: string[] = [];
  const isMissing = (name: string) => !env[name]?.trim();
  const isUnresolved = (name: string) => unresolvedReference.test(env[name] ?? '');

  function read<T>(name: string, schema: z.ZodType<T, string>): T | undefined {
    if (isMissing(name)) return undefined;
    if (isUnresolved(name)) {
      unresolved.push(name);
      return undefined;
    }
    const result = schema.safeParse(env[name]?.trim());
    if (!result.success) faults.push(`${name} ${result.error.issues[0]?.message}`);
    return result.data;
  }

  const seconds = (name: string, least: number, standard: number) =>
    (read(name, whole(least, Number.MAX_SAFE_INTEGER / 1000, standard)) ?? standard) * 1000;

  return { read, seconds, isMissing, isUnresolved, faults, unresolved };
}
