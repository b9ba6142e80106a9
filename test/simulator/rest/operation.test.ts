import assert from 'node:assert/strict';
import { test } from 'node:test';
import { answeredCall } from '../support/answered.ts';
import { startApp } from '../support/app.ts';

test('the events of an operation go where it asks for', async (t) => {
  const { simulator, app, call, connection } = await answeredCall(t);
  const other = await startApp(t, simulator);
  const media = connection.getCallMedia();
  const played = [{ kind: 'fileSource' as const, url: 'https://example.com/a.wav' }];
  await media.playToAll(played, { operationContext: 'there', operationCallbackUrl: other.callbacks });
  await call.until('event', ({ event }) => event === 'PlayCompleted');
  await media.playToAll(played, { operationContext: 'here' });
  call.hangUp();
  await call.ended;
  const told = ({ deliveries }: typeof app) =>
    deliveries
      .filter(({ path }) => path === '/callbacks')
      .map(({ body }) => (body as [{ data: { operationContext?: string } }])[0].data.operationContext); // asserted by its use
  assert.deepEqual(told(other), ['there', 'there']);
  assert.ok(told(app).includes('here'));
  assert.ok(!told(app).includes('there'));
});

test('and only where ACS would post: https, or this machine', async (t) => {
  const { connection } = await answeredCall(t);
  const away = { operationCallbackUrl: 'http://example.com/' };
  await assert.rejects(connection.removeParticipant({ phoneNumber: '+15550100' }, away), {
    statusCode: 400,
    message: /^operationCallbackUri: /,
  });
});
