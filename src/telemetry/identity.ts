import { DefaultAzureCredential } from '@azure/identity';
import type { TelemetryLog } from './telemetry.ts';

/** The scope of ingestion, for which the exporter asks too. */
const scope = 'https://monitor.azure.com/.default';

/** Sign-in with the managed identity: the user-assigned one that AZURE_CLIENT_ID names, else that of the site. */
export function createSignIn() {
  const credential = new DefaultAzureCredential();
  return {
    credential,
    /** Tries it once, and logs the result: where it fails later, all telemetry is lost in silence. */
    async report(log: TelemetryLog): Promise<void> {
      try {
        await credential.getToken(scope, { abortSignal: AbortSignal.timeout(30_000) });
        log.info('signed in to Application Insights with the managed identity');
      } catch (error) {
        // The name alone: the SDK's messages repeat what was tried, over many lines.
        const why = error instanceof Error ? error.name : 'not an error';
        const help =
          'Check AZURE_CLIENT_ID, and that the identity has the role Monitoring Metrics Publisher; or TELEMETRY_AUTH=key';
        log.warn({ why, help }, 'cannot sign in to Application Insights: no telemetry arrives');
      }
    },
  };
}
