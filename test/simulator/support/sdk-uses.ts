import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import type { TestContext } from 'node:test';
import type {
  CallAutomationClient,
  CallAutomationEvent,
  CallConnection,
  CallLocator,
  CallMedia,
  CallRecording,
} from '@azure/communication-call-automation';
import { DtmfTone } from '@azure/communication-call-automation';
import type { CallOptions, SimulatedCall } from '../../../simulator/calls/handle.ts';
import type { Simulator, SimulatorOptions } from '../../../simulator/simulator.ts';
import type { App, AppOptions } from './app.ts';

export type Kind = CallAutomationEvent['kind'];

/** A call that an app has answered, and all of the SDK that there is to use on it. */
export interface Place {
  t: TestContext;
  simulator: Simulator;
  app: App;
  call: SimulatedCall;
  client: CallAutomationClient;
  connection: CallConnection;
  media: CallMedia;
  recording: CallRecording;
  locator: CallLocator;
  /** The app is told of this, once more than it has been. */
  told(kind: Kind): Promise<void>;
}
/** What is done, which event follows, and what has to be otherwise for it. */
export type Use = [
  use: (place: Place) => unknown,
  event?: Kind,
  options?: { call?: CallOptions; app?: Partial<AppOptions>; simulator?: SimulatorOptions },
];
/** A use of each method: what the compiler misses here is one that the SDK has and this table lacks. */
type Uses<C> = { readonly [M in keyof C]: Use };

export const caller = { phoneNumber: '+15550100' };
export const callee = { phoneNumber: '+15550122' };
const number = { phoneNumber: '+15550199' };
export const invite = { targetParticipant: callee, sourceCallIdNumber: number };
const colleague = { communicationUserId: '8:acs:colleague' };
export const file = { kind: 'fileSource', url: 'https://example.com/hello.wav' } as const;
export const oneKey = { kind: 'callMediaRecognizeDtmfOptions', maxTonesToCollect: 1 } as const;
const rings = ({ simulator, app }: Place) =>
  simulator.placeCall({ app: app.webhook, announce: false }).incomingCallContext;

export const client: Uses<CallAutomationClient> = {
  getCallConnection: [({ client, call }) => client.getCallConnection(call.callConnectionId)],
  getCallRecording: [({ client }) => client.getCallRecording()],
  getSourceIdentity: [({ client }) => client.getSourceIdentity()],
  createCall: [({ client, app }) => client.createCall(invite, app.callbacks), 'CallConnected'],
  createGroupCall: [
    ({ client, app }) =>
      client.createGroupCall([callee, colleague], app.callbacks, { sourceCallIdNumber: number }),
    'CallConnected',
  ],
  answerCall: [(place) => place.client.answerCall(rings(place), place.app.callbacks), 'CallConnected'],
  redirectCall: [(place) => place.client.redirectCall(rings(place), invite)],
  rejectCall: [(place) => place.client.rejectCall(rings(place))],
  connectCall: [({ client, app, locator }) => client.connectCall(locator, app.callbacks), 'CallConnected'],
};

export const connection: Uses<CallConnection> = {
  getCallMedia: [({ connection }) => connection.getCallMedia()],
  getCallConnectionProperties: [({ connection }) => connection.getCallConnectionProperties()],
  hangUp: [
    async ({ connection, client, app, told }) => {
      const { callConnection } = await client.createCall(invite, app.callbacks);
      await told('CallConnected');
      await callConnection.hangUp(true);
      await told('CallDisconnected');
      await connection.hangUp(false);
    },
    'CallDisconnected',
  ],
  getParticipant: [({ connection }) => connection.getParticipant(caller)],
  listParticipants: [({ connection }) => connection.listParticipants()],
  addParticipant: [({ connection }) => connection.addParticipant(invite), 'AddParticipantSucceeded'],
  transferCallToParticipant: [
    ({ connection }) => connection.transferCallToParticipant(callee),
    'CallTransferAccepted',
  ],
  removeParticipant: [({ connection }) => connection.removeParticipant(caller), 'RemoveParticipantSucceeded'],
  muteParticipant: [({ connection }) => connection.muteParticipant(caller), 'ParticipantsUpdated'],
  cancelAddParticipantOperation: [
    async ({ connection }) => {
      const { invitationId = '' } = await connection.addParticipant(invite);
      await connection.cancelAddParticipantOperation(invitationId);
    },
    'CancelAddParticipantSucceeded',
    { call: { invited: 'unanswered' } },
  ],
  moveParticipants: [
    async ({ connection, client, app, told }) => {
      const dialed = await client.createCall(invite, app.callbacks);
      await told('CallConnected');
      await connection.moveParticipants([callee], dialed.callConnectionProperties.callConnectionId ?? '');
    },
    'MoveParticipantSucceeded',
  ],
};

export const media: Uses<CallMedia> = {
  play: [({ media }) => media.play([file], [caller]), 'PlayCompleted'],
  playToAll: [({ media }) => media.playToAll([file]), 'PlayStarted'],
  startRecognizing: [
    async ({ media, call }) => {
      await media.startRecognizing(caller, oneKey);
      await call.press('1');
    },
    'RecognizeCompleted',
  ],
  cancelAllOperations: [
    async ({ media, told }) => {
      await media.playToAll([file], { loop: true });
      await told('PlayStarted');
      await media.cancelAllOperations();
    },
    'PlayCanceled',
  ],
  startContinuousDtmfRecognition: [
    async ({ media, call }) => {
      await media.startContinuousDtmfRecognition(caller);
      await call.press('1');
    },
    'ContinuousDtmfRecognitionToneReceived',
  ],
  stopContinuousDtmfRecognition: [
    async ({ media }) => {
      await media.startContinuousDtmfRecognition(caller);
      await media.stopContinuousDtmfRecognition(caller);
    },
    'ContinuousDtmfRecognitionStopped',
  ],
  sendDtmfTones: [({ media }) => media.sendDtmfTones([DtmfTone.One], caller), 'SendDtmfTonesCompleted'],
  hold: [({ media }) => media.hold(caller)],
  unhold: [({ media }) => media.hold(caller).then(() => media.unhold(caller))],
  startTranscription: [({ media }) => media.startTranscription(), 'TranscriptionStarted'],
  updateTranscription: [
    ({ media }) => media.startTranscription().then(() => media.updateTranscription('de-DE')),
    'TranscriptionUpdated',
  ],
  stopTranscription: [
    ({ media }) => media.startTranscription().then(() => media.stopTranscription()),
    'TranscriptionStopped',
  ],
  startMediaStreaming: [({ media }) => media.startMediaStreaming(), 'MediaStreamingStarted'],
  stopMediaStreaming: [
    ({ media }) => media.startMediaStreaming().then(() => media.stopMediaStreaming()),
    'MediaStreamingStopped',
  ],
};

async function recorded(place: Place) {
  const { recordingId = '' } = await place.recording.start({
    callLocator: place.locator,
    recordingContent: 'audio',
    recordingFormat: 'wav',
  });
  return recordingId;
}

/** Where the file of a recording is, as Event Grid says. */
async function stopped(place: Place) {
  await place.recording.stop(await recorded(place));
  await place.simulator.until('announced', ({ what, status }) => what === 'recording' && status === 200);
  const said = JSON.stringify(place.app.deliveries.map(({ body }) => body));
  const found = (name: string) => new RegExp(`"${name}":"([^"]+)"`).exec(said)?.[1] ?? '';
  return {
    content: found('contentLocation'),
    metadata: found('metadataLocation'),
    deletion: found('deleteLocation'),
  };
}

export const recording: Uses<CallRecording> = {
  start: [recorded, 'RecordingStateChanged'],
  getState: [async (place) => place.recording.getState(await recorded(place))],
  pause: [async (place) => place.recording.pause(await recorded(place)), 'RecordingStateChanged'],
  resume: [
    async (place) => {
      const id = await recorded(place);
      await place.recording.pause(id);
      await place.recording.resume(id);
    },
    'RecordingStateChanged',
  ],
  stop: [async (place) => place.recording.stop(await recorded(place)), 'RecordingStateChanged'],
  delete: [async (place) => place.recording.delete((await stopped(place)).deletion)],
  downloadStreaming: [
    async (place) => {
      const { content, metadata } = await stopped(place);
      for (const url of [content, metadata]) (await place.recording.downloadStreaming(url)).resume();
    },
  ],
  downloadToStream: [
    async (place) =>
      place.recording.downloadToStream((await stopped(place)).content, new PassThrough().resume()),
  ],
  downloadToPath: [
    async (place) => {
      const folder = await mkdtemp(join(tmpdir(), 'callgate-'));
      place.t.after(() => rm(folder, { recursive: true }));
      await place.recording.downloadToPath((await stopped(place)).content, join(folder, 'call.wav'));
    },
  ],
};
