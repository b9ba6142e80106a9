import assert from 'node:assert/strict';
import { test } from 'node:test';
import { answeredCall, eventsOf } from '../support/answered.ts';
import { dialingApp } from '../support/dialing.ts';

test('the app joins a room, where somebody is', async (t) => {
  const { app, callOf, media } = await dialingApp(t, { dialed: { outcome: 'accepted', seconds: 1 } });
  for (const locator of [
    { kind: 'roomCallLocator' as const, id: 'room' },
    { kind: 'groupCallLocator' as const, id: 'group' },
  ]) {
    const { callConnectionProperties: properties } = await app.client.connectCall(locator, app.callbacks, {
      operationContext: locator.id,
      mediaStreamingOptions: media,
    });
    const call = callOf(properties.callConnectionId);
    const { event } = eventsOf(app, call);
    await event('CallConnected', locator.id);
    assert.equal((await event('ParticipantsUpdated')).participants?.length, 2);
    const { direction, problem, media: heard } = await call.ended;
    assert.deepEqual([direction, problem, heard?.returned], ['joined', undefined, 50]);
  }
});

test('the app joins a call by its server call id, and leaves with it', async (t) => {
  const { app, call, simulator } = await answeredCall(t);
  const locator = { kind: 'serverCallLocator' as const, id: call.serverCallId };
  const { callConnection, callConnectionProperties } = await app.client.connectCall(locator, app.callbacks);
  assert.equal(callConnectionProperties.serverCallId, call.serverCallId);
  assert.notEqual(callConnectionProperties.callConnectionId, call.callConnectionId);
  const joined = simulator.calls.find(({ direction }) => direction === 'joined');
  assert.ok(joined);
  await eventsOf(app, joined).event('ParticipantsUpdated');
  await callConnection.getParticipant({ phoneNumber: '+15550100' });
  call.hangUp();
  assert.equal((await joined.ended).outcome, 'the call that was joined is over');
});

test('the app may be unable to join', async (t) => {
  const { simulator, app, callOf } = await dialingApp(t);
  const join = async (kind: 'serverCallLocator' | 'roomCallLocator') => {
    const { callConnectionProperties } = await app.client.connectCall({ kind, id: 'there' }, app.callbacks, {
      operationContext: 'join',
    });
    const call = callOf(callConnectionProperties.callConnectionId);
    const { resultInformation } = await eventsOf(app, call).event('ConnectFailed', 'join');
    const { events, problem } = await call.ended;
    assert.deepEqual([events, problem], [['ConnectFailed'], 'the app could not join']);
    return resultInformation?.code;
  };
  assert.equal(await join('serverCallLocator'), 404, 'there is no such call');
  simulator.setDialed({ outcome: 'accepted', fails: ['connect'] });
  assert.equal(await join('roomCallLocator'), 500);
});

test('who is joined may be gone before the app comes in', async (t) => {
  const { simulator, app, callOf } = await dialingApp(t);
  const left = simulator.until('placed').then(({ callId }) => {
    simulator.calls.find(({ id }) => id === callId)?.hangUp();
  });
  const room = { kind: 'roomCallLocator' as const, id: 'room' };
  const { callConnectionProperties } = await app.client.connectCall(room, app.callbacks);
  await left;
  const call = callOf(callConnectionProperties.callConnectionId);
  const { state, events } = await call.ended;
  assert.deepEqual([state, events], ['ended', ['ConnectFailed']]);
});
