// What can be told from the environment: who signs, for whom, and whether one can sign in to ACS.

import { fetchKeySet } from '../../src/auth/key-set.ts';
import { createAcsClient } from '../../src/calls/acs-client.ts';
import type { AcsConfig } from '../../src/config.ts';
import { audienceId, connectionString, httpsEndpoint, origin, serviceUrl } from '../../src/config-values.ts';
import { pick, reasonOf } from './ask.ts';
import { type Finding, ok, type Patient, type Settings, unchecked, wrong } from './check.ts';

const anyUrl = serviceUrl({ loopback: true });
const logAdvice = 'its log says at the start whether the app has signed in: azd monitor --logs';

/** From here, with the app's own eyes; `/readyz` tells whether the app got them as well. */
export async function checkKeys({ settings, patienceMs }: Patient): Promise<Finding> {
  const issuer = settings.ACS_ISSUER ?? 'https://acscallautomation.communication.azure.com';
  const jwksUrl = settings.ACS_JWKS_URL ?? `${issuer}/calling/keys`;
  if (!anyUrl.safeParse(jwksUrl).success) {
    return wrong(
      'ACS_ISSUER or ACS_JWKS_URL is no https URL',
      'leave both out, unless the issuer is a local ACS',
    );
  }
  const { host } = new URL(jwksUrl);
  try {
    const signal = AbortSignal.timeout(patienceMs);
    const { keys } = await fetchKeySet({ jwksUrl, maxBytes: 256 * 1024, signal });
    return ok(`${host} has ${keys.size === 1 ? 'a usable key' : `${keys.size} usable keys`}`);
  } catch (error) {
    // Where it isn't the network, the message is key-set.ts's own.
    const reason =
      error instanceof Error && error.message.startsWith('the ') ? error.message : reasonOf(error);
    return wrong(
      `no signing keys from ${host}: ${reason}`,
      'see that this network, and that of the app, lets https out to it',
    );
  }
}

export function checkAudience({ settings: { ACS_AUDIENCE: audience } }: Patient): Finding {
  if (audience === undefined) {
    return unchecked(
      'ACS_AUDIENCE is not set here',
      'run this where the app is configured, or with --env-file',
    );
  }
  if (audienceId.safeParse(audience).success) return ok('ACS_AUDIENCE is a GUID');
  const what = audience.startsWith('/subscriptions/') ? 'the ARM id of the resource' : 'no GUID';
  return wrong(
    `ACS_AUDIENCE is ${what}`,
    'set it to the immutable id: az communication show --name NAME --resource-group GROUP --query immutableResourceId',
  );
}

/** Signs in as the app would here, then asks for a call that doesn't exist: it takes a role, or the right key, to hear 404. */
export async function checkSignIn({ settings, patienceMs }: Patient): Promise<Finding> {
  const { ACS_CONNECTION_STRING, ACS_ENDPOINT } = settings;
  if (!ACS_CONNECTION_STRING && !ACS_ENDPOINT) {
    return unchecked('neither ACS_ENDPOINT nor ACS_CONNECTION_STRING is set here', logAdvice);
  }
  const config = readAcs(settings);
  if (!config)
    return wrong(
      'ACS_ENDPOINT or ACS_CONNECTION_STRING is malformed',
      'npm start says what it must look like',
    );

  const client = createAcsClient(config);
  const how = 'connectionString' in config ? 'the access key' : 'the identity';
  const signal = AbortSignal.timeout(patienceMs);
  try {
    await client.signIn(signal);
  } catch {
    return wrong(
      'the identity gets no token for ACS',
      'sign in with azd auth login or az login, or use ACS_CONNECTION_STRING',
    );
  }
  try {
    await client.connection('callgate-doctor').getCallConnectionProperties({ abortSignal: signal });
    return unchecked('ACS knows a call that does not exist', logAdvice);
  } catch (error) {
    const status = pick(error, 'statusCode');
    if (status === 404 || status === 400) return ok(`ACS accepts ${how}`);
    if (status === 401)
      return wrong(`ACS refuses ${how} (401)`, 'see that the key, or the token, is of this resource');
    if (status === 403)
      return wrong(
        `ACS refuses ${how} (403)`,
        'give it the role Communication and Email Service Owner on the resource',
      );
    return unchecked(
      `ACS gave no clear answer (${typeof status === 'number' ? status : reasonOf(error)})`,
      'try again',
    );
  }
}

function readAcs({ ACS_CONNECTION_STRING, ACS_ENDPOINT, AZURE_CLIENT_ID }: Settings): AcsConfig | undefined {
  if (ACS_CONNECTION_STRING)
    return connectionString(origin({ loopback: true })).safeParse(ACS_CONNECTION_STRING).data;
  const endpoint = httpsEndpoint({ loopback: true }).safeParse(ACS_ENDPOINT).data;
  return endpoint === undefined ? undefined : { endpoint, managedIdentityClientId: AZURE_CLIENT_ID };
}
