import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CallAutomationClient } from '@azure/communication-call-automation';
import { eventsOf } from '../support/answered.ts';
import { callee, dialingApp, invite } from '../support/dialing.ts';

test('the app calls somebody, who is heard and hears', async (t) => {
  const { simulator, dial, media } = await dialingApp(t, { dialed: { outcome: 'accepted', seconds: 1 } });
  const { call, properties, event } = await dial(invite, {
    operationContext: 'dial',
    mediaStreamingOptions: media,
  });
  assert.equal(properties.callConnectionState, 'connecting');
  assert.deepEqual(properties.targetParticipants, [{ ...callee, rawId: '4:+15550122' }]);
  assert.deepEqual(properties.sourceCallerIdNumber, { phoneNumber: '+15550199' });
  assert.equal((await event('CallConnected', 'dial')).serverCallId, call.serverCallId);
  const { participants = [] } = await event('ParticipantsUpdated');
  assert.deepEqual(participants[1]?.identifier, { ...callee, rawId: '4:+15550122' });

  const report = await call.ended;
  assert.deepEqual(simulator.calls, [call]);
  assert.equal(report.direction, 'outgoing');
  assert.equal(report.outcome, 'the callee hung up');
  assert.equal(report.problem, undefined);
  assert.deepEqual([report.media?.sent, report.media?.returned], [50, 50]);
  assert.deepEqual(report.operations, ['createCall']);
  assert.deepEqual(report.events.toSorted(), [
    'CallConnected',
    'CallDisconnected',
    'MediaStreamingStarted',
    'ParticipantsUpdated',
  ]);
});

for (const [outcome, code, problem] of [
  ['declined', 603, 'the callee declined'],
  ['busy', 486, 'the callee was busy'],
  ['unanswered', 408, 'the callee did not answer'],
] as const) {
  test(`a call that is ${outcome} fails, and is over`, async (t) => {
    const { dial } = await dialingApp(t, { dialed: outcome, ringMs: 5 });
    const { call, connection, event } = await dial(invite, { operationContext: 'dial' });
    assert.equal((await event('CreateCallFailed', 'dial')).resultInformation?.code, code);
    const report = await call.ended;
    assert.deepEqual(report.events, ['CreateCallFailed', 'CallDisconnected']);
    assert.deepEqual([report.outcome, report.problem], [problem, problem]);
    await assert.rejects(connection.getCallConnectionProperties(), { statusCode: 404, code: '8522' });
  });
}

test('while it rings nothing can be done but hang up', async (t) => {
  const { dial } = await dialingApp(t, { dialed: 'manual' });
  const { call, connection, event } = await dial();
  assert.equal((await connection.getCallConnectionProperties()).callConnectionState, 'connecting');
  for (const attempt of [
    connection.listParticipants(),
    connection.addParticipant(invite),
    connection.getCallMedia().startMediaStreaming(),
  ])
    await assert.rejects(attempt, { statusCode: 400, code: '8501' });
  await connection.hangUp(true);
  const { code } = (await event('CallDisconnected')).resultInformation ?? {};
  assert.equal(code, 487);
  const { outcome, problem, events } = await call.ended;
  assert.deepEqual([outcome, problem, events], ['the app hung up', undefined, ['CallDisconnected']]);
  assert.throws(() => call.respond('accepted'), { status: 409 });
});

test('a test decides call by call', async (t) => {
  const { simulator, dial } = await dialingApp(t);
  simulator.setDialed('manual');
  const [first, second, third] = [await dial(), await dial(), await dial()];
  first.call.respond('busy');
  second.call.respond('accepted', '+15550122');
  third.call.hangUp();
  await first.event('CreateCallFailed');
  await second.event('CallConnected');
  assert.equal((await second.connection.getCallConnectionProperties()).callConnectionState, 'connected');
  assert.equal((await third.event('CreateCallFailed')).resultInformation?.code, 603);
});

test('a call that is over before it rings is never connected', async (t) => {
  const { simulator, dial } = await dialingApp(t);
  const closed = simulator.until('placed').then(simulator.close);
  await assert.rejects(dial());
  await closed;
  assert.deepEqual(
    simulator.calls.map(({ state }) => state),
    ['ended'],
  );
});

test('a group call is connected with the first who answers, and others come in', async (t) => {
  const { app, callOf } = await dialingApp(t, { dialed: 'manual' });
  const [user, late] = [{ communicationUserId: '8:acs:one' }, { communicationUserId: '8:acs:two' }];
  const { callConnection, callConnectionProperties } = await app.client.createGroupCall(
    [callee, user, late],
    app.callbacks,
    { sourceCallIdNumber: { phoneNumber: '+15550199' } },
  );
  const call = callOf(callConnectionProperties.callConnectionId);
  assert.equal(callConnectionProperties.targetParticipants?.length, 3);
  const { event } = eventsOf(app, call);
  call.respond('declined', '+15550122');
  call.respond('accepted', '8:acs:two');
  await event('ParticipantsUpdated');
  await assert.rejects(callConnection.getParticipant(user), { statusCode: 404 });
  call.respond('accepted', '8:acs:one');
  await callConnection.getParticipant(late);
  await call.until('event', () => call.report().events.length === 3);
  await callConnection.getParticipant(user);
  await assert.rejects(callConnection.getParticipant(callee), { statusCode: 404 });
  assert.deepEqual(call.report().events, ['CallConnected', 'ParticipantsUpdated', 'ParticipantsUpdated']);
  assert.equal(call.report().problem, undefined);
});

test('a group call that nobody answers fails', async (t) => {
  const { app, callOf } = await dialingApp(t, { dialed: 'busy' });
  const users = ['8:acs:one', '8:acs:two'].map((communicationUserId) => ({ communicationUserId }));
  const { callConnectionProperties } = await app.client.createGroupCall(users, app.callbacks);
  const { outcome } = await callOf(callConnectionProperties.callConnectionId).ended;
  assert.equal(outcome, 'the callee was busy');
});

test('who calls a telephone needs a number of the resource', async (t) => {
  const { simulator, app, dial } = await dialingApp(t, { numbers: ['+15550177'] });
  const [required, foreign] = [{ statusCode: 400, code: '8523' }, /510403/];
  await assert.rejects(dial({ targetParticipant: callee }), required);
  await assert.rejects(app.client.createGroupCall([callee], app.callbacks), required);
  assert.deepEqual(simulator.calls, []);
  const failed = await dial();
  assert.match((await failed.event('CreateCallFailed')).resultInformation?.message ?? '', foreign);

  const user = { targetParticipant: { communicationUserId: '8:acs:someone' } };
  const { connection, event } = await dial(user);
  await event('CallConnected');
  await assert.rejects(connection.addParticipant({ targetParticipant: callee }), required);
  await connection.addParticipant(invite, { operationContext: 'foreign' });
  const refused = await event('AddParticipantFailed', 'foreign');
  assert.match(refused.resultInformation?.message ?? '', foreign);
  const owned = { phoneNumber: '+15550177' };
  await connection.addParticipant({ ...invite, sourceCallIdNumber: owned }, { operationContext: 'owned' });
  await event('AddParticipantSucceeded', 'owned');

  const from = (sourceCallIdNumber: typeof owned, operationContext: string) =>
    connection.transferCallToParticipant(callee, { sourceCallIdNumber, operationContext });
  await from({ phoneNumber: '+15550199' }, 'foreign');
  const stayed = await event('CallTransferFailed', 'foreign');
  assert.match(stayed.resultInformation?.message ?? '', foreign);
  await from(owned, 'owned');
  await event('CallTransferAccepted', 'owned');
});

test('what the SDK sends again makes no second call', async (t) => {
  const { simulator, app } = await dialingApp(t);
  simulator.failNext('createCall', { status: 503, headers: { 'retry-after': '0' }, applied: true });
  const client = new CallAutomationClient(simulator.connectionString, { allowInsecureConnection: true });
  const { callConnectionProperties } = await client.createCall(invite, app.callbacks);
  const requests = simulator.calls.flatMap(({ journal }) =>
    journal.entries.filter(({ type }) => type === 'request'),
  );
  assert.deepEqual(
    simulator.calls.map(({ callConnectionId }) => callConnectionId),
    [callConnectionProperties.callConnectionId],
  );
  assert.equal(requests.length, 2);
});

test('a call is made only where its events can go', async (t) => {
  const { app } = await dialingApp(t);
  await assert.rejects(app.client.createCall(invite, 'http://example.com/'), {
    statusCode: 400,
    message: /^callbackUri: /,
  });
});

test('the control plane decides as well', async (t) => {
  const { simulator, dial } = await dialingApp(t);
  const ask = async (path: string, body?: object) => {
    const response = await fetch(`${simulator.url}/_simulator/${path}`, {
      method: body ? 'POST' : 'GET',
      headers: { 'content-type': 'application/json' },
      ...(body && { body: JSON.stringify(body) }),
    });
    return { status: response.status, answer: (await response.json()) as unknown };
  };
  assert.deepEqual((await ask('dialed', { outcome: 'manual' })).answer, { outcome: 'manual' });
  assert.equal((await ask('dialed', { outcome: 'engaged' })).status, 400);
  assert.equal((await ask('dialed', { outcome: 'busy', from: '+15550100' })).status, 400);
  const { call, event } = await dial();
  const glance = { id: call.id, direction: 'outgoing', state: 'ringing', sent: 0, received: 0 };
  assert.deepEqual((await ask('calls')).answer, [glance]);
  const path = `calls/${call.id}/respond`;
  assert.equal((await ask(path, { outcome: 'accepted', target: '+15550133' })).status, 409);
  assert.equal((await ask(path, { outcome: 'accepted' })).status, 200);
  await event('CallConnected');
  assert.equal((await ask(path, { outcome: 'accepted' })).status, 409);
});
