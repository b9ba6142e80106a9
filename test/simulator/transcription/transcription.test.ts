import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import type { TranscriptionData, TranscriptionMetadata } from '@azure/communication-call-automation';
import { StreamingData } from '@azure/communication-call-automation';
import { createRemoteJWKSet, jwtVerify } from 'jose';
import type { CallOptions } from '../../../simulator/calls/handle.ts';
import { answeredCall } from '../support/answered.ts';
import type { AppOptions } from '../support/app.ts';

const caller = { phoneNumber: '+15550100' };
const callIntelligenceOptions = { cognitiveServicesEndpoint: 'https://speech.example.com/' };

/** A call that is transcribed, and what arrives of it. */
async function transcribedCall(
  t: TestContext,
  app: Partial<AppOptions> = {},
  callOptions: Omit<CallOptions, 'app'> = {},
) {
  const frames: string[] = [];
  const arrivals = new EventEmitter();
  const answered = await answeredCall(t, {
    ...callOptions,
    app: {
      transcription: {},
      answer: { callIntelligenceOptions },
      onFrame(text) {
        frames.push(text);
        arrivals.emit('frame');
      },
      ...app,
    },
  });

  /** The nth frame of a kind, as the SDK parses it. */
  async function nth<T>(kind: string, number: number, status = ''): Promise<T> {
    for (;;) {
      const found = frames.filter((text) => text.includes(`"${kind}"`) && text.includes(status))[number];
      if (found !== undefined) return StreamingData.parse(found) as T; // of this kind, as was looked for
      await once(arrivals, 'frame');
    }
  }

  return {
    ...answered,
    frames,
    metadata: (number = 0) => nth<TranscriptionMetadata>('TranscriptionMetadata', number),
    final: (number = 0) => nth<TranscriptionData>('TranscriptionData', number, '"Final"'),
    intermediate: () =>
      frames.filter((text) => text.includes('"Intermediate"')).map((text) => JSON.parse(text)),
  };
}

test('what the caller says is told as it is being said, and then word by word', async (t) => {
  const { call, event, metadata, final, intermediate } = await transcribedCall(t, {
    transcription: { enableIntermediateResults: true },
  });
  const { transcriptionUpdate, operationContext, resultInformation } = await event('TranscriptionStarted');
  assert.deepEqual(transcriptionUpdate, {
    transcriptionStatus: 'transcriptionStarted',
    transcriptionStatusDetails: 'subscriptionStarted',
  });
  assert.deepEqual([operationContext, resultInformation?.code], ['answer', 200]);
  const { locale, callConnectionId, correlationId, subscriptionId } = await metadata();
  assert.deepEqual([locale, callConnectionId], ['en-US', call.callConnectionId]);
  assert.deepEqual(
    [correlationId, subscriptionId],
    [call.correlationId, call.transcription?.subscription.id],
  );

  call.say(' Is everything fine? ');
  const { words, participant, ...phrase } = await final();
  assert.deepEqual(
    [phrase.text, phrase.format, phrase.resultState],
    ['Is everything fine?', 'display', 'Final'],
  );
  assert.partialDeepStrictEqual(participant, { kind: 'phoneNumber', phoneNumber: '+15550100' });
  assert.ok(phrase.confidence > 0 && phrase.confidence <= 1);
  assert.deepEqual(
    words.map(({ text, durationInTicks }) => [text, durationInTicks]),
    [
      ['is', 1_200_000],
      ['everything', 6_000_000],
      ['fine', 2_400_000],
    ],
  );
  assert.equal(phrase.durationInTicks, 9_600_000);
  const { offsetInTicks } = phrase;
  assert.deepEqual(
    words.map((word) => word.offsetInTicks - offsetInTicks),
    [0, 1_200_000, 7_200_000],
  );
  const heard = intermediate().map(({ transcriptionData }) => transcriptionData);
  assert.deepEqual(
    heard.map(({ text, words: none, offset, duration }) => [text, none, offset, duration]),
    [
      ['is', undefined, offsetInTicks, 1_200_000],
      ['is everything', undefined, offsetInTicks, 7_200_000],
    ],
  );
});

test('one thing is said after another, and nothing that has no words', async (t) => {
  const { call, event, final, intermediate } = await transcribedCall(t);
  await event('TranscriptionStarted');
  for (const text of ['Good morning.', ' … ', '你好吗']) call.say(text);
  const [first, second] = [await final(0), await final(1)];
  assert.deepEqual([first.text, second.text], ['Good morning.', '你好吗']);
  assert.ok(second.offsetInTicks >= first.offsetInTicks + first.durationInTicks);
  assert.ok(second.words.length > 0);
  assert.deepEqual(intermediate(), []);
});

test('the WebSocket carries a token of 24 hours and the names of its call', async (t) => {
  const { simulator, app, call, event } = await transcribedCall(t);
  await event('TranscriptionStarted');
  const [upgrade] = app.upgrades;
  assert.equal(upgrade?.url, '/transcription');
  assert.equal(upgrade?.headers['x-ms-call-connection-id'], call.callConnectionId);
  assert.equal(upgrade?.headers['x-ms-call-correlation-id'], call.correlationId);
  const { audience, issuer, jwksUrl } = simulator;
  const token = (upgrade?.headers.authorization ?? '').replace(/^Bearer /, '');
  const { payload } = await jwtVerify(token, createRemoteJWKSet(new URL(jwksUrl)), { audience, issuer });
  assert.equal((payload.exp ?? 0) - (payload.iat ?? 0), 24 * 3600);
});

test('transcription is started, moved to another language, stopped and started again', async (t) => {
  const { call, connection, event, metadata, final, frames, names } = await transcribedCall(t, {
    transcription: { startTranscription: false, speechModelEndpointId: 'first' },
  });
  const media = connection.getCallMedia();
  const subscription = async () => {
    const { id, ...rest } = (await connection.getCallConnectionProperties()).transcriptionSubscription ?? {};
    assert.ok(id);
    return rest;
  };
  const finals = { subscribedResultStates: ['final'] };
  assert.deepEqual(await subscription(), { ...finals, state: 'inactive', locale: 'en-US' });
  call.say('Nobody writes this down.');

  await media.startTranscription({ locale: 'de-DE', operationContext: 'start' });
  await event('TranscriptionStarted', 'start');
  const begun = await metadata();
  assert.deepEqual([begun.locale, begun.speechRecognitionModelEndpointId], ['de-DE', 'first']);
  assert.deepEqual(await subscription(), { ...finals, state: 'active', locale: 'de-DE' });
  await media.startTranscription({ operationContext: 'started already' });
  call.say('Eins.');
  assert.equal((await final()).text, 'Eins.');

  await media.updateTranscription('fr-FR', {
    operationContext: 'update',
    speechRecognitionModelEndpointId: 'second',
  });
  const { transcriptionUpdate } = await event('TranscriptionUpdated', 'update');
  assert.deepEqual(transcriptionUpdate, {
    transcriptionStatus: 'transcriptionUpdated',
    transcriptionStatusDetails: 'transcriptionLocaleUpdated',
  });
  assert.deepEqual(await subscription(), { ...finals, state: 'active', locale: 'fr-FR' });

  await media.stopTranscription({ operationContext: 'stop' });
  const stopped = await event('TranscriptionStopped', 'stop');
  assert.equal(stopped.transcriptionUpdate?.transcriptionStatusDetails, 'subscriptionStopped');
  const { by, expected } = await call.until('transcription-closed');
  assert.deepEqual([by, expected], ['simulator', true]);
  assert.deepEqual(await subscription(), { ...finals, state: 'inactive', locale: 'fr-FR' });
  call.say('Nor this.');

  await media.startTranscription({ operationContext: 'again' });
  await event('TranscriptionStarted', 'again');
  const again = await metadata(1);
  assert.deepEqual([again.locale, again.speechRecognitionModelEndpointId], ['fr-FR', 'second']);
  call.say('Deux.');
  assert.equal((await final(1)).text, 'Deux.');
  assert.equal(frames.length, 4);
  const happened = names().map((name) => name.replace(/^Transcription/, ''));
  assert.deepEqual(happened, ['Started', 'Updated', 'Stopped', 'Started']);
});

test('a WebSocket that is refused fails by its event, and the call goes on', async (t) => {
  const { call, event } = await transcribedCall(t, { upgradeStatus: 403 });
  const { transcriptionUpdate, resultInformation } = await event('TranscriptionFailed', 'answer');
  assert.equal(transcriptionUpdate?.transcriptionStatus, 'transcriptionFailed');
  assert.deepEqual([resultInformation?.code, resultInformation?.subCode], [400, 8581]);
  assert.equal((await call.until('transcription-upgrade')).status, 403);
  assert.equal(call.transcription?.subscription.state, 'inactive');
  assert.deepEqual(
    [call.state, call.report().problem],
    ['connected', 'the app refused the transcription WebSocket: 403'],
  );
});

test('nothing is recognized without a speech service, or where it is to fail', async (t) => {
  const unlinked = await transcribedCall(t, { answer: {} });
  const { resultInformation, transcriptionUpdate } = await unlinked.event('TranscriptionFailed');
  assert.equal(resultInformation?.subCode, 8565);
  assert.equal(transcriptionUpdate?.transcriptionStatusDetails, 'speechServicesConnectionError');
  const failing = await transcribedCall(t, {}, { fails: ['startTranscription'] });
  assert.equal((await failing.event('TranscriptionFailed')).resultInformation?.code, 500);
  assert.deepEqual([...unlinked.app.upgrades, ...failing.app.upgrades], []);
});

test('a call without transcription options has nothing to start, update or stop', async (t) => {
  const { call, connection, names } = await answeredCall(t);
  const media = connection.getCallMedia();
  await assert.rejects(media.startTranscription({ locale: 'en-US' }), { statusCode: 400 });
  await assert.rejects(media.updateTranscription('en-US'), { statusCode: 400 });
  await assert.rejects(media.stopTranscription(), { statusCode: 400 });
  const { transcriptionSubscription } = await connection.getCallConnectionProperties();
  assert.deepEqual([transcriptionSubscription, call.transcription, names()], [undefined, undefined, []]);
});

test('media and transcription have a WebSocket each, and the end of one leaves the other', async (t) => {
  const { app, call, connection, event } = await transcribedCall(t, { media: {} });
  await event('MediaStreamingStarted');
  await event('TranscriptionStarted');
  assert.equal((await call.until('upgrade')).status, 101);
  assert.equal((await call.until('transcription-upgrade')).status, 101);
  assert.deepEqual(app.upgrades.map(({ url }) => url).sort(), ['/media', '/transcription']);

  app.sockets[app.upgrades.findIndex(({ url }) => url === '/transcription')]?.close(1001);
  const { by, code, expected } = await call.until('transcription-closed');
  assert.deepEqual([by, code, expected], ['app', 1001, false]);
  assert.equal(call.transcription?.subscription.state, 'inactive');
  assert.equal(call.stream?.live, true);

  await connection.getCallMedia().startTranscription({ operationContext: 'again' });
  await event('TranscriptionStarted', 'again');
  call.say('A long sentence, cut off by its speaker who hangs up before it is over.');
  call.hangUp();
  await call.ended;
  const closed = await call.until('transcription-closed', (entry) => entry.by === 'simulator');
  assert.equal(closed.expected, true);
  assert.equal((await call.until('media-closed')).expected, true);
});

test('somebody on hold is not written down', async (t) => {
  const { simulator, call, connection, event, final } = await transcribedCall(t);
  await event('TranscriptionStarted');
  const media = connection.getCallMedia();
  await media.hold(caller);
  call.say('To myself.');
  await media.unhold(caller);
  const response = await fetch(`${simulator.url}/_simulator/calls/${call.id}/say`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ text: 'To you.' }),
  });
  assert.equal(response.status, 200);
  assert.equal((await final()).text, 'To you.');
});

test('nor is somebody who is muted, or gone', async (t) => {
  const { call, connection, event, final } = await transcribedCall(t);
  await event('TranscriptionStarted');
  await connection.addParticipant({ targetParticipant: { communicationUserId: '8:acs:colleague' } });
  await event('AddParticipantSucceeded');
  await connection.muteParticipant(caller);
  call.say('Without a sound.');
  await connection.removeParticipant(caller);
  await event('RemoveParticipantSucceeded');
  call.say('To nobody.');
  await connection.addParticipant(
    { targetParticipant: caller, sourceCallIdNumber: { phoneNumber: '+15550199' } },
    { operationContext: 'back' },
  );
  await event('AddParticipantSucceeded', 'back');
  call.say('To you.');
  assert.equal((await final()).text, 'To you.');
});
