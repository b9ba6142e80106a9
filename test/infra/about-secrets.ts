// Where secrets are and where they aren't, evaluated offline: settings, outputs, logs and the subscription's header.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Evaluated, everyVariant, type Variant } from './variants.ts';

export function aboutSecrets(deployed: () => Evaluated) {
  test('secrets are in the vault and in the header of the subscription; nothing else holds or makes one', () => {
    for (const variant of everyVariant) {
      const { predictedResources, outputs } = deployed().snapshot(variant);
      const holders = predictedResources.filter(({ type }) =>
        /vaults\/secrets$|eventSubscriptions$/.test(type),
      );
      const others = predictedResources.filter((resource) => !holders.includes(resource));
      assert.doesNotMatch(
        JSON.stringify([others, outputs]),
        /newGuid|listKeys|getKeyVaultSecret|AccountKey/i,
        variant,
      );
    }
    const [connection] = deployed()
      .all('key', 'KeyVault/vaults/secrets')
      .filter(({ name }) => name.includes('acs-'));
    assert.match(
      String(connection?.properties?.value),
      /^\[listKeys\('[^']+\/acs-\w+', '[\d-]+'\)\.primaryConnectionString\]$/,
    );
    assert.partialDeepStrictEqual(deployed().one('first', 'KeyVault/vaults').properties, {
      enableRbacAuthorization: true,
      enabledForTemplateDeployment: true,
    });
  });

  test('what needs no key has none: Communication Services, telemetry, deployment', () => {
    const acsOf = (variant: Variant) =>
      deployed().one(variant, 'Communication/communicationServices').properties;
    assert.equal(acsOf('ready')?.disableLocalAuth, true);
    assert.equal(acsOf('key')?.disableLocalAuth, false);
    assert.equal(deployed().one('ready', 'Insights/components').properties?.DisableLocalAuth, true);
    for (const { properties } of deployed().all('ready', 'Web/sites/basicPublishingCredentialsPolicies')) {
      assert.deepEqual(properties, { allow: false });
    }
  });

  test('calls are announced to the app, with the secret, and not after they have stopped ringing', () => {
    const { properties } = deployed().one('ready', 'EventGrid/systemTopics/eventSubscriptions');
    assert.partialDeepStrictEqual(properties, {
      eventDeliverySchema: 'EventGridSchema',
      filter: { includedEventTypes: ['Microsoft.Communication.IncomingCall'] },
      retryPolicy: { maxDeliveryAttempts: 2, eventTimeToLiveInMinutes: 1 },
      destination: {
        endpointType: 'WebHook',
        properties: {
          maxEventsPerBatch: 1,
          minimumTlsVersionAllowed: '1.2',
          deliveryAttributeMappings: [
            { name: 'x-event-grid-key', type: 'Static', properties: { isSecret: true } },
          ],
        },
      },
    });
    const text = JSON.stringify(properties);
    assert.match(
      text,
      /"endpointUrl":"\[format\('https:\/\/\{0\}\/api\/incoming-call', reference\('[^']+\/sites\/app-/,
    );
    assert.match(
      text,
      /"value":"\[first\(split\(getKeyVaultSecret\('[^']+\/vaults\/kv-\w+', 'event-grid-key'\), ','\)\)\]","isSecret":true/,
      'of two secrets, during a rotation, the first',
    );
  });

  test('no log holds a URL, which would hold a binding, or a number', () => {
    const logged = deployed()
      .all('ready', 'Insights/diagnosticSettings')
      .flatMap(({ id, properties }) =>
        [...JSON.stringify(properties).matchAll(/"category(?:Group)?":"(\w+)"/g)].map(
          ([, category]) => `${/\/(\w+)\/[\w-]+\/providers\/Microsoft.Insights/.exec(id)?.[1]} ${category}`,
        ),
      );
    assert.deepEqual(logged.sort(), [
      'communicationServices AuthOperational',
      'communicationServices CallAutomationMediaSummary',
      'communicationServices CallAutomationOperational',
      'sites AppServiceAuditLogs',
      'sites AppServiceConsoleLogs',
      'sites AppServiceIPSecAuditLogs',
      'sites AppServicePlatformLogs',
      'systemTopics allLogs',
      'vaults audit',
    ]);
  });
}
