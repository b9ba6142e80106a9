import { z } from 'zod';
import type { Setup } from '../calls/handle.ts';
import { identifier, newcomer, oneOf, phoneNumber, url } from './fields.ts';

const mediaStreamingOptions = z
  .looseObject({
    transportType: oneOf('websocket'),
    transportUrl: url('ws'),
    contentType: oneOf('audio').default('audio'),
    audioChannelType: oneOf('mixed', 'unmixed'),
    audioFormat: oneOf('pcm16KMono', 'pcm24KMono').default('pcm16KMono'),
    startMediaStreaming: z.boolean().default(false),
    enableBidirectional: z.boolean().default(false),
    enableDtmfTones: z.boolean().default(false),
  })
  .transform((media) => ({
    transportUrl: media.transportUrl,
    sampleRate: media.audioFormat === 'pcm24KMono' ? 24_000 : 16_000,
    bidirectional: media.enableBidirectional,
    dtmfTones: media.enableDtmfTones,
    unmixed: media.audioChannelType === 'unmixed',
    start: media.startMediaStreaming,
  }));

const transcriptionOptions = z
  .looseObject({
    transportType: oneOf('websocket'),
    transportUrl: url('ws'),
    locale: z.string().min(1),
    speechModelEndpointId: z.string().nullish(),
    startTranscription: z.boolean().default(false),
    enableIntermediateResults: z.boolean().default(false),
  })
  .transform((transcription) => ({
    transportUrl: transcription.transportUrl,
    locale: transcription.locale,
    speechModelEndpointId: transcription.speechModelEndpointId ?? undefined,
    intermediate: transcription.enableIntermediateResults,
    start: transcription.startTranscription,
  }));

/** What answering, creating and connecting a call have in common. */
const setupRequest = z.looseObject({
  callbackUri: url('http'),
  operationContext: z.string().nullish(),
  callIntelligenceOptions: z.looseObject({ cognitiveServicesEndpoint: z.string().nullish() }).nullish(),
  mediaStreamingOptions: mediaStreamingOptions.nullish(),
  transcriptionOptions: transcriptionOptions.nullish(),
});

/** What an app asks of a call, whoever placed it. */
export const setupOf = (body: z.output<typeof setupRequest>): Setup => ({
  callbackUri: body.callbackUri,
  operationContext: body.operationContext ?? undefined,
  media: body.mediaStreamingOptions ?? undefined,
  transcription: body.transcriptionOptions ?? undefined,
  hasSpeech: body.callIntelligenceOptions?.cognitiveServicesEndpoint != null,
});

export const answerRequest = setupRequest.extend({ incomingCallContext: z.string() });
export const createRequest = setupRequest.extend({
  targets: z.tuple([newcomer], newcomer),
  source: z.looseObject({ id: z.string() }).nullish(),
  sourceCallerIdNumber: phoneNumber.nullish(),
});
export const connectRequest = setupRequest.extend({
  callLocator: z.union([
    z.looseObject({ serverCallId: z.string() }),
    z.looseObject({ groupCallId: z.string() }).transform(() => ({ serverCallId: undefined })),
    z.looseObject({ roomId: z.string() }).transform(() => ({ serverCallId: undefined })),
  ]),
});
export const rejectRequest = z.looseObject({
  incomingCallContext: z.string(),
  callRejectReason: oneOf('none', 'busy', 'forbidden').default('none'),
});

export const redirectRequest = z.looseObject({ incomingCallContext: z.string(), target: identifier });

export const transferRequest = z.looseObject({
  targetParticipant: newcomer,
  sourceCallerIdNumber: phoneNumber.nullish(),
});
