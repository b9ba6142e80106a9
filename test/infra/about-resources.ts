// What a deployment makes, evaluated offline for each variant: which resources, where, and who may do what with them.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { subscription } from './bicep.ts';
import { acsElsewhere, acsHere, type Evaluated, everyVariant, type Variant } from './variants.ts';

const groupOf = (id: string) => /\/resourceGroups\/([\w-]+)/.exec(id)?.[1] ?? '';
const subscriptionOf = (id: string) => /\/subscriptions\/([\w-]+)/.exec(id)?.[1] ?? '';

const always = [
  'Authorization/roleAssignments',
  'Authorization/roleAssignments',
  'Insights/components',
  'Insights/diagnosticSettings',
  'Insights/diagnosticSettings',
  'Insights/workbooks',
  'KeyVault/vaults',
  'KeyVault/vaults/secrets',
  'KeyVault/vaults/secrets',
  'ManagedIdentity/userAssignedIdentities',
  'OperationalInsights/workspaces',
  'Resources/resourceGroups',
  'Web/serverfarms',
  'Web/sites',
  'Web/sites/basicPublishingCredentialsPolicies',
  'Web/sites/basicPublishingCredentialsPolicies',
];
const acs = ['Communication/communicationServices', 'Insights/diagnosticSettings'];
const topic = ['EventGrid/systemTopics', 'Insights/diagnosticSettings'];
const role = ['Authorization/roleAssignments'];
const key = ['KeyVault/vaults/secrets'];
const announced = ['EventGrid/systemTopics/eventSubscriptions'];
const alerts = [
  'Insights/actionGroups',
  'Insights/metricAlerts',
  'Insights/scheduledQueryRules',
  'Insights/scheduledQueryRules',
  'Insights/scheduledQueryRules',
  'Insights/scheduledQueryRules',
];

/** Every resource of each variant beside those that are always there. */
const made: Record<Variant, string[]> = {
  first: [...acs, ...topic, ...role],
  ready: [...acs, ...topic, ...role, ...announced],
  existing: [...topic, ...role, ...announced],
  'existing with topic': [...role, ...announced],
  elsewhere: [...topic, ...role, ...announced, ...alerts],
  'elsewhere with topic': [...role, ...announced],
  key: [...acs, ...topic, ...key, ...announced],
  'existing with key': [...topic, ...key, ...announced],
  locked: [...acs, ...topic, ...role, ...announced],
  alerts: [...acs, ...topic, ...role, ...announced, ...alerts, 'Insights/metricAlerts'],
  premium: [...acs, ...topic, ...role, ...announced],
};

export function aboutResources(deployed: () => Evaluated) {
  for (const variant of everyVariant) {
    test(`${variant}: exactly these, in the one group but for what belongs to an existing resource`, () => {
      const { predictedResources, diagnostics } = deployed().snapshot(variant);
      assert.deepEqual(diagnostics, []);
      const types = predictedResources.map(({ type }) => type.replace('Microsoft.', ''));
      assert.deepEqual(types.sort(), [...always, ...made[variant]].sort());
      const beside = predictedResources.filter(({ id }) => groupOf(id) !== 'rg-callgate-test');
      for (const { type } of beside) assert.match(type, /roleAssignments|EventGrid|diagnosticSettings/);
    });
  }

  test('a role for each thing that the app does, on that thing alone, and no other', () => {
    const roles: Record<string, string> = {
      '09976791-48a7-449e-bb21-39d1a415f350': 'answer calls',
      '3913510d-42f4-4e42-8a64-420c390055eb': 'send telemetry',
      '4633458b-17de-408a-b874-0445c86b69e6': 'read secrets',
    };
    const granted = (variant: Variant) =>
      deployed()
        .all(variant, 'Authorization/roleAssignments')
        .map(({ id, name, properties }) => {
          const [, scope = ''] = /^\[extensionResourceId\('([^']+)'/.exec(id) ?? [];
          const principal = String(properties?.principalId);
          assert.match(
            principal,
            /^\[reference\('[^']+\/userAssignedIdentities\/id-\w+', '[\d-]+'\)\.principalId\]$/,
          );
          assert.ok(name.includes(principal.slice(1, -1)), 'a later identity gets an assignment of its own');
          const what = roles[String(properties?.roleDefinitionId).split('/').at(-1) ?? ''];
          return `${what} on ${scope
            .split('/')
            .slice(-2)
            .join('/')
            .replace(/-\w{13}$/, '')} in ${groupOf(scope)} of ${subscriptionOf(scope)}`;
        });
    const ours = [
      `send telemetry on components/appi in rg-callgate-test of ${subscription}`,
      `read secrets on vaults/kv in rg-callgate-test of ${subscription}`,
    ];
    const answer = (name: string, group: string, id: string) =>
      `answer calls on communicationServices/${name} in ${group} of ${id}`;
    const expected: Record<Variant, string[]> = {
      first: [...ours, answer('acs', 'rg-callgate-test', subscription)],
      ready: [...ours, answer('acs', 'rg-callgate-test', subscription)],
      existing: [...ours, answer('acs-phone', 'rg-phone', subscription)],
      'existing with topic': [...ours, answer('acs-phone', 'rg-phone', subscription)],
      elsewhere: [...ours, answer('acs-phone', 'rg-phone', subscriptionOf(acsElsewhere))],
      'elsewhere with topic': [...ours, answer('acs-phone', 'rg-phone', subscriptionOf(acsElsewhere))],
      key: [...ours],
      'existing with key': [...ours],
      locked: [...ours, answer('acs', 'rg-callgate-test', subscription)],
      alerts: [...ours, answer('acs', 'rg-callgate-test', subscription)],
      premium: [...ours, answer('acs', 'rg-callgate-test', subscription)],
    };
    for (const variant of everyVariant) {
      assert.deepEqual(granted(variant).sort(), expected[variant].sort(), variant);
    }
  });

  test('the system topic is ours where it may be, beside the resource where it must be, theirs where there is one', () => {
    const where = (variant: Variant) => {
      const { id } = deployed().one(variant, 'EventGrid/systemTopics/eventSubscriptions');
      return `${subscriptionOf(id)} ${groupOf(id)} ${/systemTopics\/([a-z]+(?:-topic)?)/.exec(id)?.[1]}`;
    };
    const elsewhere = subscriptionOf(acsElsewhere);
    assert.equal(where('ready'), `${subscription} rg-callgate-test evgt`);
    assert.equal(where('existing'), `${subscription} rg-callgate-test evgt`);
    assert.equal(where('existing with topic'), `${subscription} rg-phone phone-topic`);
    assert.equal(where('elsewhere'), `${elsewhere} rg-phone evgt`);
    assert.equal(where('elsewhere with topic'), `${elsewhere} rg-phone phone-topic`);
    for (const variant of ['existing', 'elsewhere', 'existing with key'] as const) {
      const { id, properties } = deployed().one(variant, 'EventGrid/systemTopics');
      assert.equal(properties?.source, variant === 'existing' ? acsHere : acsElsewhere);
      assert.equal(subscriptionOf(id), subscriptionOf(String(properties?.source)));
    }
  });

  test('alerts watch the site, and the topic where it is ours', () => {
    const watched = (variant: Variant) =>
      deployed()
        .all(variant, 'Insights/metricAlerts')
        .map(({ properties }) => String(properties?.scopes).split('/').at(-2));
    assert.deepEqual(watched('alerts'), ['sites', 'systemTopics']);
    assert.deepEqual(watched('elsewhere'), ['sites']);
  });

  test('one instance, always', () => {
    for (const variant of ['first', 'premium'] as const) {
      assert.partialDeepStrictEqual(deployed().one(variant, 'Web/serverfarms'), {
        sku: { name: variant === 'first' ? 'B1' : 'P1v3', capacity: 1 },
        properties: { reserved: true, elasticScaleEnabled: false, zoneRedundant: false },
      });
    }
  });

  test('the outputs say what azd, a person and the checks need', () => {
    assert.partialDeepStrictEqual(deployed().snapshot('first').outputs, {
      AZURE_RESOURCE_GROUP: 'rg-callgate-test',
      INCOMING_CALLS_READY: false,
      EVENT_SUBSCRIPTION_ID: '',
      NEXT_STEP: 'Calls are not announced to the app yet: run azd up.',
    });
    const { outputs } = deployed().snapshot('existing');
    assert.equal(
      outputs.EVENT_SUBSCRIPTION_ID,
      deployed().one('existing', 'EventGrid/systemTopics/eventSubscriptions').id,
    );
    assert.match(String(outputs.NEXT_STEP), /acs-phone.*phone number/);
    assert.match(String(outputs.ACS_AUDIENCE), /\/acs-phone', '[\d-]+'\)\.immutableResourceId\]$/);
    assert.match(String(outputs.APP_URL), /^\[format\('https:\/\/\{0\}', reference\('[^']+\/sites\/app-/);
  });
}
