import type { Result } from './callbacks.ts';

/**
 * `resultInformation` of the events. The ends of calls have the codes of Microsoft's list of call end reasons
 * (microsoft-graph-docs, call-delete) and its troubleshooting codes (azure-docs, troubleshooting-codes); 8581 is as posted
 * in the field. Those of play and recognize are the event codes of its how-to guides (azure-docs, play-ai-action and
 * recognize-ai-action) and of the .NET SDK's MediaEventReasonCode. Unconfirmed: 8565 for a speech service that is missing,
 * and which event has which of the other 85xx.
 */
export const results = {
  succeeded: { code: 200, subCode: 0, message: 'Action completed successfully.' },
  endedByCaller: {
    code: 200,
    subCode: 540000,
    message: 'Call ended by the Pstn User. DiagCode: 200#540000.@',
  },
  endedByApp: {
    code: 200,
    subCode: 7000,
    message: 'The conversation has ended by bot. DiagCode: 200#7000.@',
  },
  endedByCallee: {
    code: 200,
    subCode: 560000,
    message: 'Call ended by the Pstn User. DiagCode: 200#560000.@',
  },
  calledOff: { code: 487, subCode: 540487, message: 'The caller canceled the call. DiagCode: 487#540487.@' },
  transferred: { code: 200, subCode: 7015, message: 'Call ended as the transfer completed successfully.' },
  transferFailed: { code: 603, subCode: 0, message: 'The transfer target declined. DiagCode: 603#0.@' },
  noSocket: {
    code: 400,
    subCode: 8581,
    message: 'Action failed, Transport url is not valid or web socket server is not operational.',
  },
  canceled: { code: 400, subCode: 8508, message: 'Action failed, the operation was canceled.' },
  silence: { code: 400, subCode: 8510, message: 'Action failed, initial silence timeout reached.' },
  silenceBetween: {
    code: 400,
    subCode: 8532,
    message: 'Action failed, inter-digit silence timeout reached.',
  },
  stopTone: { code: 200, subCode: 8514, message: 'Action completed as stop tone was detected.' },
  maxTones: { code: 200, subCode: 8531, message: 'Action completed, max digits received.' },
  toneMatched: { code: 200, subCode: 8533, message: 'Action completed, DTMF option matched.' },
  phraseMatched: { code: 200, subCode: 8545, message: 'Action completed, speech option matched.' },
  speechRecognized: { code: 200, subCode: 8569, message: 'Action completed, speech was recognized.' },
  notRecognized: { code: 400, subCode: 8563, message: 'Action failed, speech could not be recognized.' },
  noPhrase: {
    code: 400,
    subCode: 8547,
    message: 'Action failed, recognized phrase does not match a valid option.',
  },
  wrongTone: { code: 500, subCode: 8534, message: 'Action failed, incorrect tone entered.' },
  noPrompt: {
    code: 500,
    subCode: 8511,
    message: 'Action failed, encountered failure while trying to play the prompt.',
  },
  badFile: { code: 400, subCode: 8535, message: 'Action failed, file format is invalid.' },
  noFile: { code: 400, subCode: 8536, message: 'Action failed, file could not be downloaded.' },
  declined: { code: 603, subCode: 560603, message: 'Call declined. DiagCode: 603#560603.@' },
  busy: { code: 486, subCode: 560486, message: 'The callee is busy. DiagCode: 486#560486.@' },
  unanswered: { code: 408, subCode: 560408, message: 'The callee did not answer. DiagCode: 408#560408.@' },
  foreignCallerId: { code: 403, subCode: 510403, message: 'Call blocked. DiagCode: 403#510403.@' },
  noInvitation: { code: 404, subCode: 8522, message: 'Invitation not found.' },
  noCall: { code: 404, subCode: 8522, message: 'Call not found.' },
  notThere: { code: 404, subCode: 8522, message: 'Participant not found.' },
  failed: { code: 500, subCode: 9999, message: 'Unknown internal server error.' },
  noSpeech: {
    code: 400,
    subCode: 8565,
    message: 'Action failed due to a bad request to Cognitive Services. Check your input parameters.',
  },
} satisfies Record<string, Result>;
