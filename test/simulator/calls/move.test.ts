import assert from 'node:assert/strict';
import { test } from 'node:test';
import { answeredCall, eventsOf } from '../support/answered.ts';

const caller = { phoneNumber: '+15550100' };
const second = { phoneNumber: '+15550101' };

test('somebody is moved from one call to another, and a call without anyone is over', async (t) => {
  const { simulator, app, connection, event } = await answeredCall(t);
  const other = simulator.placeCall({ app: app.webhook, from: second.phoneNumber });
  await eventsOf(app, other).event('ParticipantsUpdated');
  const moved = await connection.moveParticipants([second], other.callConnectionId, {
    operationContext: 'move',
  });
  assert.equal(moved.fromCall, other.callConnectionId);
  assert.deepEqual(moved.participants?.[0]?.identifier, { ...second, rawId: '4:+15550101' });
  const told = await event('MoveParticipantSucceeded', 'move');
  assert.deepEqual(told.participant, { ...second, rawId: '4:+15550101' });
  assert.equal(told.fromCall, other.callConnectionId);
  await connection.getParticipant(second);
  assert.equal((await other.ended).outcome, 'everyone was moved');
  assert.ok(other.report().events.includes('CallDisconnected'));
});

test('those who stay keep their call', async (t) => {
  const { simulator, app, call, connection, event } = await answeredCall(t);
  const other = simulator.placeCall({ app: app.webhook, from: second.phoneNumber });
  await eventsOf(app, other).event('ParticipantsUpdated');
  const colleague = { phoneNumber: '+15550122' };
  const from = app.client.getCallConnection(other.callConnectionId);
  await from.addParticipant({
    targetParticipant: colleague,
    sourceCallIdNumber: { phoneNumber: '+15550199' },
  });
  await eventsOf(app, other).event('AddParticipantSucceeded');
  await connection.moveParticipants([colleague, { phoneNumber: '+15550111' }], other.callConnectionId, {
    operationContext: 'move',
  });
  await event('MoveParticipantSucceeded', 'move');
  const failed = await event('MoveParticipantFailed', 'move');
  assert.equal(failed.resultInformation?.code, 404);
  await assert.rejects(from.getParticipant(colleague), { statusCode: 404 });
  await from.getParticipant(second);
  await connection.getParticipant(colleague);
  await connection.getParticipant(caller);
  assert.equal(call.state, 'connected');
});

test('from a call that is not there, or the same, nobody is moved', async (t) => {
  const { call, connection } = await answeredCall(t);
  await assert.rejects(connection.moveParticipants([caller], 'nowhere'), { statusCode: 404 });
  await assert.rejects(connection.moveParticipants([caller], call.callConnectionId), { statusCode: 400 });
});
