import { DtmfTone } from '@azure/communication-call-automation';
import type { Kind, Use } from './sdk-uses.ts';
import { callee, caller, file, invite, oneKey } from './sdk-uses.ts';

/** What goes wrong, as far as an event tells of it. */
export const failing: [name: string, ...Use][] = [
  ['a prompt', ({ media }) => media.playToAll([file]), 'PlayFailed', { call: { fails: ['play'] } }],
  [
    'recognizing',
    ({ media }) => media.startRecognizing(caller, oneKey),
    'RecognizeFailed',
    { call: { fails: ['recognize'] } },
  ],
  [
    'recognizing that is canceled',
    async ({ media }) => {
      await media.startRecognizing(caller, oneKey);
      await media.cancelAllOperations();
    },
    'RecognizeCanceled',
  ],
  ['holding', ({ media }) => media.hold(caller), 'HoldFailed', { call: { fails: ['hold'] } }],
  [
    'sending tones',
    ({ media }) => media.sendDtmfTones([DtmfTone.One], caller),
    'SendDtmfTonesFailed',
    { call: { fails: ['sendDtmfTones'] } },
  ],
  [
    'listening to keys',
    async ({ media, call }) => {
      await media.startContinuousDtmfRecognition(caller);
      await call.press('1');
    },
    'ContinuousDtmfRecognitionToneFailed',
    { call: { fails: ['startContinuousDtmfRecognition'] } },
  ],
  [
    'streaming',
    ({ media }) => media.startMediaStreaming(),
    'MediaStreamingFailed',
    { app: { upgradeStatus: 403 } },
  ],
  [
    'transcribing',
    ({ media }) => media.startTranscription(),
    'TranscriptionFailed',
    { app: { upgradeStatus: 403 } },
  ],
  [
    'a transfer',
    ({ connection }) => connection.transferCallToParticipant(callee),
    'CallTransferFailed',
    { call: { transfer: 'failed' } },
  ],
  [
    'an invitation',
    ({ connection }) => connection.addParticipant(invite),
    'AddParticipantFailed',
    { call: { invited: 'declined' } },
  ],
  [
    'taking back what nobody sent',
    ({ connection }) => connection.cancelAddParticipantOperation('none'),
    'CancelAddParticipantFailed',
  ],
  [
    'removing whom nobody knows',
    ({ connection }) => connection.removeParticipant(callee),
    'RemoveParticipantFailed',
  ],
  [
    'moving whom nobody knows',
    async ({ connection, client, app, told }) => {
      const dialed = await client.createCall(invite, app.callbacks);
      await told('CallConnected');
      await connection.moveParticipants([caller], dialed.callConnectionProperties.callConnectionId ?? '');
    },
    'MoveParticipantFailed',
  ],
  [
    'joining a call that is over',
    ({ client, app, locator }) => client.connectCall({ ...locator, id: 'over' }, app.callbacks),
    'ConnectFailed',
  ],
  [
    'a call that nobody takes',
    ({ client, app }) => client.createCall(invite, app.callbacks),
    'CreateCallFailed',
    { simulator: { dialed: 'busy' } },
  ],
];

/** Whether the simulator sends it; the compiler misses here what the SDK has come to know. */
export const kinds: Record<Kind, boolean> = {
  AddParticipantFailed: true,
  AddParticipantSucceeded: true,
  AnswerFailed: false,
  CallConnected: true,
  CallDisconnected: true,
  CallTransferAccepted: true,
  CallTransferFailed: true,
  CancelAddParticipantFailed: true,
  CancelAddParticipantSucceeded: true,
  ConnectFailed: true,
  ContinuousDtmfRecognitionStopped: true,
  ContinuousDtmfRecognitionToneFailed: true,
  ContinuousDtmfRecognitionToneReceived: true,
  CreateCallFailed: true,
  HoldFailed: true,
  MediaStreamingFailed: true,
  MediaStreamingStarted: true,
  MediaStreamingStopped: true,
  MoveParticipantFailed: true,
  MoveParticipantSucceeded: true,
  ParticipantsUpdated: true,
  PlayCanceled: true,
  PlayCompleted: true,
  PlayFailed: true,
  PlayStarted: true,
  RecognizeCanceled: true,
  RecognizeCompleted: true,
  RecognizeFailed: true,
  RecordingStateChanged: true,
  RemoveParticipantFailed: true,
  RemoveParticipantSucceeded: true,
  SendDtmfTonesCompleted: true,
  SendDtmfTonesFailed: true,
  StartRecordingFailed: false,
  TranscriptionFailed: true,
  TranscriptionStarted: true,
  TranscriptionStopped: true,
  TranscriptionUpdated: true,
};
