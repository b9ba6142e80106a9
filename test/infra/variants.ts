// The deployments that the tests look at: the template's parameters, by a name for what is special about each.

import assert from 'node:assert/strict';
import { type Bicep, type Resource, type Snapshot, subscription } from './bicep.ts';

const other = '22222222-2222-2222-2222-222222222222';
const phone = (subscriptionId: string) =>
  `/subscriptions/${subscriptionId}/resourceGroups/rg-phone/providers/Microsoft.Communication/communicationServices/acs-phone`;

/** A Communication Services resource that was there before, in the deployment's subscription and in another. */
export const acsHere = phone(subscription);
export const acsElsewhere = phone(other);

export const variants = {
  first: {},
  ready: { incomingCallsReady: true },
  existing: { incomingCallsReady: true, acsResourceId: acsHere },
  'existing with topic': {
    incomingCallsReady: true,
    acsResourceId: acsHere,
    eventGridTopicName: 'phone-topic',
  },
  elsewhere: { incomingCallsReady: true, acsResourceId: acsElsewhere, alertEmail: 'ops@example.com' },
  'elsewhere with topic': {
    incomingCallsReady: true,
    acsResourceId: acsElsewhere,
    eventGridTopicName: 'phone-topic',
  },
  key: { incomingCallsReady: true, acsAuth: 'key' },
  'existing with key': { incomingCallsReady: true, acsAuth: 'key', acsResourceId: acsElsewhere },
  locked: { incomingCallsReady: true, restrictAccess: true },
  alerts: { incomingCallsReady: true, alertEmail: 'ops@example.com' },
  premium: { incomingCallsReady: true, appServiceSku: 'P1v3' },
} as const;

export type Variant = keyof typeof variants;
// Object.keys knows strings only.
export const everyVariant = Object.keys(variants) as Variant[];

/** Variants evaluated, and the resources in them; types are written without their leading `Microsoft.`. */
export interface Evaluated {
  snapshot(variant: Variant): Snapshot;
  all(variant: Variant, type: string): Resource[];
  /** @throws {AssertionError} if there isn't exactly one */
  one(variant: Variant, type: string): Resource;
}

/** Evaluates the template once for each variant. */
export async function evaluate(bicep: Bicep): Promise<Evaluated> {
  const snapshots = new Map<Variant, Snapshot>();
  for (const name of everyVariant) snapshots.set(name, await bicep.evaluate(variants[name]));

  const snapshot = (variant: Variant) => snapshots.get(variant) ?? assert.fail(`${variant} isn't evaluated`);
  const all = (variant: Variant, type: string) =>
    snapshot(variant).predictedResources.filter((resource) => resource.type === `Microsoft.${type}`);
  const one = (variant: Variant, type: string) => {
    const [resource, ...more] = all(variant, type);
    assert.ok(resource && more.length === 0, `one ${type} in ${variant}`);
    return resource;
  };
  return { snapshot, all, one };
}
