import assert from 'node:assert/strict';
import { test } from 'node:test';
import { identifier, newcomer } from '../../../simulator/rest/fields.ts';

test('an identifier without a raw id gets the one that belongs to it', () => {
  const cases: [object, string][] = [
    [{ rawId: '8:acs:a', phoneNumber: { value: '+15550100' } }, '8:acs:a'],
    [{ phoneNumber: { value: '+15550100' } }, '4:+15550100'],
    [{ kind: 'communicationUser', communicationUser: { id: '8:acs:a_b' } }, '8:acs:a_b'],
    [{ rawId: null, microsoftTeamsUser: { userId: 'u' } }, '8:orgid:u'],
    [{ microsoftTeamsApp: { appId: 'a' } }, '28:orgid:a'],
  ];
  for (const [model, rawId] of cases) assert.equal(identifier.parse(model).rawId, rawId);
  for (const model of [{}, { rawId: 7 }, { phoneNumber: {} }, { phoneNumber: null }, 'someone', null]) {
    assert.equal(identifier.safeParse(model).success, false, JSON.stringify(model));
  }
});

test('who is new is known by the raw id', () => {
  assert.deepEqual(newcomer.parse({ phoneNumber: { value: '+15550100' } }), {
    kind: 'phoneNumber',
    rawId: '4:+15550100',
    phoneNumber: { value: '+15550100' },
  });
  assert.deepEqual(newcomer.parse({ microsoftTeamsUser: { userId: 'u' } }), {
    kind: 'microsoftTeamsUser',
    rawId: '8:orgid:u',
    microsoftTeamsUser: { userId: 'u', isAnonymous: false, cloud: 'public' },
  });
});
