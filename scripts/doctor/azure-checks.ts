// What the resources behind the app say, read with the user's own Azure sign-in.

import { pick } from './ask.ts';
import { type Azure, AzureError } from './azure.ts';
import { type Finding, ok, type Patient, unchecked, wrong } from './check.ts';

const versions = {
  communication: '2026-03-18',
  eventGrid: '2025-02-15',
  identities: '2024-11-30',
  roles: '2022-04-01',
} as const;

/** Communication and Email Service Owner, which infra/communication-access.bicep assigns. */
const answersCalls = '09976791-48a7-449e-bb21-39d1a415f350';

const incomingCall = 'Microsoft.Communication.IncomingCall';
const unknown = unchecked(
  'which ACS resource it is, is not known here',
  'run this in the folder that azd up was run in, or set ACS_RESOURCE_ID',
);

/** Whether tokens of the resource name the audience that the app asks for: the commonest mistake of all. */
export function checkResource(patient: Patient): Promise<Finding> {
  return reading('the ACS resource', async () => {
    const { azure, settings } = patient;
    const id = await findAcs(patient);
    if (id === undefined) return unknown;
    const audience = pick(await azure.get(id, versions.communication), 'properties', 'immutableResourceId');
    if (typeof audience !== 'string')
      return unchecked('Azure names no immutable id of the resource', 'look in the portal');
    if (settings.ACS_AUDIENCE === undefined)
      return unchecked('ACS_AUDIENCE is not set here', `it has to be ${audience}`);
    return settings.ACS_AUDIENCE.toLowerCase() === audience.toLowerCase()
      ? ok("ACS_AUDIENCE is the resource's immutable id")
      : wrong("ACS_AUDIENCE is not this resource's immutable id", `set it to ${audience}`);
  });
}

/** Whether the identity that azd made for the app may answer calls; that it gets tokens only the app's log can tell. */
export function checkRole(patient: Patient): Promise<Finding> {
  const { azure, settings } = patient;
  const { ACS_AUTH, AZURE_RESOURCE_GROUP: group, AZURE_SUBSCRIPTION_ID: subscription } = settings;
  if (ACS_AUTH === 'key') return Promise.resolve(ok('none is needed: the app uses the access key'));
  return reading("the app's identity", async () => {
    const acs = await findAcs(patient);
    if (acs === undefined || !group || !subscription) {
      return unchecked(
        "the app's identity is not known here",
        "the app's log says at the start whether it has signed in to ACS",
      );
    }
    const inGroup = `/subscriptions/${subscription}/resourceGroups/${group}/providers`;
    const identities = `${inGroup}/Microsoft.ManagedIdentity/userAssignedIdentities`;
    const assignments = `${acs}/providers/Microsoft.Authorization/roleAssignments`;
    const principals = (await list(azure, identities, versions.identities)).map((one) =>
      pick(one, 'properties', 'principalId'),
    );
    const holders = (await list(azure, assignments, versions.roles))
      .filter((one) => String(pick(one, 'properties', 'roleDefinitionId')).endsWith(answersCalls))
      .map((one) => pick(one, 'properties', 'principalId'));
    return principals.some((principal) => holders.includes(principal))
      ? ok("the app's identity may answer calls")
      : wrong(
          "the app's identity may not answer calls",
          'give it the role Communication and Email Service Owner on the ACS resource: azd up does',
        );
  });
}

async function list(azure: Azure, id: string, version: string): Promise<unknown[]> {
  const value = pick(await azure.get(id, version), 'value');
  return Array.isArray(value) ? value : [];
}

/** Whether calls are announced, and here. */
export function checkSubscription(patient: Patient): Promise<Finding> {
  const { azure, settings, url } = patient;
  if (settings.INCOMING_CALLS_READY?.toLowerCase() === 'false') {
    return Promise.resolve(wrong('no event subscription was made yet', 'run azd up'));
  }
  return reading('the event subscription', async () => {
    const { EVENT_SUBSCRIPTION_ID: id, ACS_RESOURCE_ID: acs } = settings;
    if (id !== undefined) return judge(await azure.get(id, versions.eventGrid), url);
    if (acs === undefined) return unknown;
    const all = await list(
      azure,
      `${acs}/providers/Microsoft.EventGrid/eventSubscriptions`,
      versions.eventGrid,
    );
    const findings = all.map((one) => judge(one, url));
    return (
      findings.find(({ verdict }) => verdict === 'ok') ??
      wrong(
        findings.length === 0
          ? 'the ACS resource has no event subscription'
          : 'no event subscription points here',
        'make one while the app runs (README: A real ACS resource on your laptop)',
      )
    );
  });
}

/** The resource whose events the subscription passes on, unless it is named. */
async function findAcs({ azure, settings }: Patient): Promise<string | undefined> {
  const { ACS_RESOURCE_ID, EVENT_SUBSCRIPTION_ID } = settings;
  if (ACS_RESOURCE_ID !== undefined) return ACS_RESOURCE_ID;
  const topic = /^.+\/systemTopics\/[^/]+(?=\/)/i.exec(EVENT_SUBSCRIPTION_ID ?? '')?.[0];
  if (topic === undefined) return undefined;
  const source = pick(await azure.get(topic, versions.eventGrid), 'properties', 'source');
  return typeof source === 'string' ? source : undefined;
}

/** @param subscription as Azure shows it: without the query of its URL, and without secrets */
function judge(subscription: unknown, url: URL): Finding {
  const endpoint = pick(subscription, 'properties', 'destination', 'properties', 'endpointBaseUrl');
  const webhook = new URL('/api/incoming-call', url).href;
  if (typeof endpoint !== 'string' || URL.parse(endpoint)?.href !== webhook) {
    const host = typeof endpoint === 'string' ? URL.parse(endpoint)?.host : undefined;
    return wrong(
      `the event subscription points to ${host ?? 'something else'}`,
      `let it point to ${webhook}: azd up makes it anew`,
    );
  }
  const types = pick(subscription, 'properties', 'filter', 'includedEventTypes');
  if (Array.isArray(types) && !types.includes(incomingCall)) {
    return wrong(
      'the event subscription leaves out incoming calls',
      `let it include ${incomingCall}: azd up does`,
    );
  }
  const state = pick(subscription, 'properties', 'provisioningState');
  return state === 'Succeeded'
    ? ok('calls are announced here')
    : wrong(
        `the event subscription is ${String(state)}`,
        'run azd up, and see that the app answers the handshake',
      );
}

/** Tells what isn't right from what can't be seen. */
async function reading(what: string, look: () => Promise<Finding>): Promise<Finding> {
  try {
    return await look();
  } catch (error) {
    if (!(error instanceof AzureError)) throw error;
    switch (error.why) {
      case 'no sign-in':
        return unchecked('there is no Azure sign-in here', 'azd auth login, or az login; then again');
      case 'no permission':
        return unchecked(`this sign-in may not read ${what}`, 'ask for the role Reader on it');
      case 'not there':
        return wrong(`${what} does not exist`, 'run azd up');
      case 'failed':
        return unchecked(`Azure does not show ${what}: ${error.message}`, 'try again later');
    }
  }
}
