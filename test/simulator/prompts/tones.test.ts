import assert from 'node:assert/strict';
import { test } from 'node:test';
import { answeredCall } from '../support/answered.ts';

const caller = { phoneNumber: '+15550100' };
const stranger = { phoneNumber: '+15550111' };

test('tones are sent to somebody who is in the call', async (t) => {
  const { call, connection, event } = await answeredCall(t);
  const media = connection.getCallMedia();
  const sent = await media.sendDtmfTones(['one', 'pound', 'a'], caller, { operationContext: 'pin' });
  assert.equal(sent.operationContext, 'pin');
  const { resultInformation } = await event('SendDtmfTonesCompleted', 'pin');
  assert.equal(resultInformation?.code, 200);
  await assert.rejects(media.sendDtmfTones(['one'], stranger), { statusCode: 404 });
  await assert.rejects(media.sendDtmfTones(['eleven'], caller), { statusCode: 400 });
  assert.equal(call.state, 'connected');
});

test('keys are told one by one, until the app has heard enough', async (t) => {
  const { call, connection, event, names } = await answeredCall(t);
  const media = connection.getCallMedia();
  await media.startContinuousDtmfRecognition(caller, { operationContext: 'keys' });
  await call.press('7*');
  await media.stopContinuousDtmfRecognition(caller, { operationContext: 'enough' });
  await event('ContinuousDtmfRecognitionStopped', 'enough');
  await call.press('1');
  await media.sendDtmfTones(['one'], caller);
  await event('SendDtmfTonesCompleted');
  assert.deepEqual(names(), [
    'ContinuousDtmfRecognitionToneReceived',
    'ContinuousDtmfRecognitionToneReceived',
    'ContinuousDtmfRecognitionStopped',
    'SendDtmfTonesCompleted',
  ]);
  const { tone, sequenceId } = await event('ContinuousDtmfRecognitionToneReceived', 'keys');
  assert.deepEqual({ tone, sequenceId }, { tone: 'seven', sequenceId: 1 });
  assert.deepEqual(call.report().keys, { wanted: 3, pressed: 2 });
  await assert.rejects(media.startContinuousDtmfRecognition(stranger), { statusCode: 404 });
});

test('tones may fail, either way', async (t) => {
  const { call, connection, event } = await answeredCall(t, {
    fails: ['sendDtmfTones', 'startContinuousDtmfRecognition'],
  });
  const media = connection.getCallMedia();
  await media.sendDtmfTones(['one'], caller, { operationContext: 'sent' });
  assert.equal((await event('SendDtmfTonesFailed', 'sent')).resultInformation?.code, 500);
  await media.startContinuousDtmfRecognition(caller, { operationContext: 'heard' });
  await call.press('1');
  assert.equal((await event('ContinuousDtmfRecognitionToneFailed', 'heard')).resultInformation?.code, 500);
});
