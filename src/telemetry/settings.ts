// What src/telemetry.ts is told from outside. No library here: this is read before it is known that one is wanted.

export interface TelemetrySettings {
  /** In the form that the SDK takes. */
  readonly connectionString: string;
  /** Whether the ingestion endpoint is on this machine, over plain http. */
  readonly isInsecure: boolean;
  readonly auth: 'key' | 'identity';
  /** Share of requests and dependencies that are kept, 0 to 1. Events and metrics always are. */
  readonly samplingRatio: number;
  /** Where this app is reached: requests are recorded under it, whatever host they ask for. */
  readonly publicUrl: URL | undefined;
}

/**
 * Reads the settings of telemetry.
 *
 * @returns undefined where there is no connection string, or none that works. config.ts reports it, and what is wrong
 *   with the others: then the app doesn't start.
 */
export function readTelemetrySettings(
  env: Readonly<Record<string, string | undefined>>,
): TelemetrySettings | undefined {
  const connection = parseConnectionString(env.APPLICATIONINSIGHTS_CONNECTION_STRING ?? '');
  if (!connection) return undefined;
  const ratio = Number(env.TELEMETRY_SAMPLING_RATIO?.trim() || 1);
  const publicUrl =
    env.PUBLIC_URL?.trim() || (env.WEBSITE_HOSTNAME && `https://${env.WEBSITE_HOSTNAME}`) || '';
  return {
    ...connection,
    auth: env.TELEMETRY_AUTH?.trim() === 'identity' ? 'identity' : 'key',
    samplingRatio: ratio >= 0 && ratio <= 1 ? ratio : 1,
    publicUrl: URL.parse(publicUrl) ?? undefined,
  };
}

const instrumentationKey = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/**
 * Reads a connection string of Application Insights.
 *
 * @returns undefined if the SDK wouldn't take it: it throws, or sends to nowhere
 */
export function parseConnectionString(text: string) {
  const fields = new Map<string, string>();
  for (const part of text.split(';').map((part) => part.trim())) {
    if (part === '') continue;
    const [name = '', value, ...rest] = part.split('=');
    if (!value || rest.length > 0) return undefined;
    fields.set(name.trim().toLowerCase(), value.trim());
  }
  // The SDK throws at upper case.
  const key = fields.get('instrumentationkey')?.toLowerCase() ?? '';
  if (!instrumentationKey.test(key)) return undefined;
  fields.set('instrumentationkey', key);

  const endpoint = fields.get('ingestionendpoint');
  const url = endpoint === undefined ? undefined : URL.parse(endpoint);
  if (url === null) return undefined;
  const isInsecure = url?.protocol === 'http:';
  if (isInsecure ? !isLoopback(url.hostname) : url && url.protocol !== 'https:') return undefined;
  // It makes https of http wherever that is in lower case.
  if (isInsecure) fields.set('ingestionendpoint', url.href.replace('http:', 'HTTP:'));
  return { connectionString: [...fields].map((field) => field.join('=')).join(';'), isInsecure };
}

const isLoopback = (host: string) => /^(localhost|127(\.\d+){3}|\[::1\])$/.test(host);
