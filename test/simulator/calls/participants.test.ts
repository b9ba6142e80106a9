import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CallAutomationClient } from '@azure/communication-call-automation';
import { createSimulator } from '../../../simulator/simulator.ts';
import { answeredCall } from '../support/answered.ts';
import { signed } from '../support/signed.ts';

const caller = { phoneNumber: '+15550100' };
const stranger = { phoneNumber: '+15550111' };

test('a participant is held and taken back', async (t) => {
  const { connection } = await answeredCall(t);
  const media = connection.getCallMedia();
  const isOnHold = async () => (await connection.getParticipant(caller)).isOnHold;
  await media.hold(caller, { operationContext: 'hold' });
  assert.equal(await isOnHold(), true);
  await media.unhold(caller);
  assert.equal(await isOnHold(), false);
  await assert.rejects(media.hold(stranger), { statusCode: 404 });
  await assert.rejects(media.unhold(stranger), { statusCode: 404 });
});

test('a path may name a participant with bare colons, as the SDK for Java sends them', async (t) => {
  const { simulator, call } = await answeredCall(t);
  const of = (rawId: string) =>
    `/calling/callConnections/${call.callConnectionId}/participants/${rawId}?api-version=2026-03-12`;
  for (const rawId of ['4:+15550100', '4%3A%2B15550100', call.to.rawId]) {
    assert.equal((await signed(simulator, of(rawId), { method: 'GET' })).status, 200, rawId);
  }
  assert.equal((await signed(simulator, of(':mute'))).status, 501);
});

test('a user of Teams calls, whom the SDK knows again', async (t) => {
  const teamsUser = { microsoftTeamsUserId: '00000000-0000-0000-0000-000000000001' };
  const { connection, event } = await answeredCall(t, { from: `8:orgid:${teamsUser.microsoftTeamsUserId}` });
  const expected = { ...teamsUser, cloud: 'public', isAnonymous: false };
  const { values = [] } = await connection.listParticipants();
  const { participants = [] } = await event('ParticipantsUpdated');
  for (const [first] of [values, participants]) {
    assert.ok(first);
    assert.partialDeepStrictEqual(first.identifier, expected);
  }
});

test('holding may fail', async (t) => {
  const { connection, event } = await answeredCall(t, { fails: ['hold'] });
  await connection.getCallMedia().hold(caller, { operationContext: 'hold' });
  assert.equal((await event('HoldFailed', 'hold')).resultInformation?.code, 500);
  assert.equal((await connection.getParticipant(caller)).isOnHold, false);
});

test('a participant is muted, and everyone is told', async (t) => {
  const { app, call, connection } = await answeredCall(t);
  const { operationContext } = await connection.muteParticipant(caller, { operationContext: 'hush' });
  assert.equal(operationContext, 'hush');
  const { values = [] } = await connection.listParticipants();
  assert.deepEqual(
    values.map(({ isMuted }) => isMuted),
    [true, false],
  );
  await assert.rejects(connection.muteParticipant(stranger), { statusCode: 404 });
  call.hangUp();
  await call.ended;
  const updates = app.deliveries.flatMap(({ body }) => (Array.isArray(body) ? body : []));
  const muted = updates.filter(({ data }) => data.participants?.[0].isMuted === true);
  assert.deepEqual(
    muted.map(({ data }) => data.sequenceNumber),
    [2],
  );
});

test('a call that is redirected is over here', async (t) => {
  const simulator = await createSimulator();
  t.after(() => simulator.close());
  const client = new CallAutomationClient(simulator.connectionString, { allowInsecureConnection: true });
  const call = simulator.placeCall({ announce: false });
  await client.redirectCall(call.incomingCallContext, { targetParticipant: stranger });
  const { outcome, problem } = await call.ended;
  assert.deepEqual({ outcome, problem }, { outcome: 'redirected', problem: undefined });
  await assert.rejects(client.redirectCall(call.incomingCallContext, { targetParticipant: stranger }), {
    statusCode: 404,
  });
});
