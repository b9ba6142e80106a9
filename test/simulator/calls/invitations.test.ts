import assert from 'node:assert/strict';
import { test } from 'node:test';
import { answeredCall } from '../support/answered.ts';

const caller = { phoneNumber: '+15550100' };
const colleague = { phoneNumber: '+15550122' };
const invite = { targetParticipant: colleague, sourceCallIdNumber: { phoneNumber: '+15550199' } };

test('somebody is added, and removed again', async (t) => {
  const { connection, event } = await answeredCall(t);
  const added = await connection.addParticipant(invite, { operationContext: 'add' });
  assert.equal(added.operationContext, 'add');
  assert.match(added.invitationId ?? '', /^[\da-f-]{36}$/);
  const { participant, resultInformation } = await event('AddParticipantSucceeded', 'add');
  assert.deepEqual(participant, { ...colleague, rawId: '4:+15550122' });
  assert.equal(resultInformation?.code, 200);
  await connection.getParticipant(colleague);

  await connection.removeParticipant(colleague, { operationContext: 'remove' });
  const removed = await event('RemoveParticipantSucceeded', 'remove');
  assert.deepEqual(removed.participant, { ...colleague, rawId: '4:+15550122' });
  await assert.rejects(connection.getParticipant(colleague), { statusCode: 404 });
  await connection.removeParticipant(colleague, { operationContext: 'again' });
  assert.equal((await event('RemoveParticipantFailed', 'again')).resultInformation?.code, 404);
});

for (const [invited, code] of [
  ['declined', 603],
  ['busy', 486],
  ['unanswered', 408],
] as const) {
  test(`whoever is ${invited} is not added`, async (t) => {
    const { connection, event } = await answeredCall(t, { invited });
    await connection.addParticipant(invite, { operationContext: 'add', invitationTimeoutInSeconds: 1 });
    const { participant, resultInformation } = await event('AddParticipantFailed', 'add');
    assert.deepEqual(participant, { ...colleague, rawId: '4:+15550122' });
    assert.equal(resultInformation?.code, code);
    await assert.rejects(connection.getParticipant(colleague), { statusCode: 404 });
  });
}

test('an invitation can be taken back while it rings', async (t) => {
  const { connection, event, names } = await answeredCall(t, { invited: 'unanswered' });
  const { invitationId = '' } = await connection.addParticipant(invite);
  await connection.cancelAddParticipantOperation(invitationId, { operationContext: 'cancel' });
  const canceled = await event('CancelAddParticipantSucceeded', 'cancel');
  assert.equal(canceled.invitationId, invitationId);
  await connection.cancelAddParticipantOperation(invitationId, { operationContext: 'late' });
  assert.equal((await event('CancelAddParticipantFailed', 'late')).invitationId, invitationId);
  assert.deepEqual(names(), ['CancelAddParticipantSucceeded', 'CancelAddParticipantFailed']);
});

test('a call without a caller is over', async (t) => {
  const { call, connection } = await answeredCall(t);
  await connection.removeParticipant(caller);
  assert.equal((await call.until('ended')).outcome, 'everyone was removed');
});
