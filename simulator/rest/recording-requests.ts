import { z } from 'zod';
import { identifier, oneOf, url } from './fields.ts';

const ordering = z.array(identifier).max(5);
const affinity = z.array(z.looseObject({ channel: z.number().int().min(0).max(4), participant: identifier }));

/** Which call to record, and how. */
export const recordingRequest = z
  .looseObject({
    callLocator: z.looseObject({ kind: z.string(), serverCallId: z.string().nullish() }).nullish(),
    callConnectionId: z.string().nullish(),
    recordingStateCallbackUri: url('http').nullish(),
    recordingContentType: oneOf('audio', 'audioVideo').nullish(),
    recordingChannelType: oneOf('mixed', 'unmixed').nullish(),
    recordingFormatType: oneOf('wav', 'mp3', 'mp4').nullish(),
    audioChannelParticipantOrdering: ordering.nullish(),
    channelAffinity: affinity.nullish(),
    pauseOnStart: z.boolean().nullish(),
    externalStorage: z
      .looseObject({ recordingStorageKind: oneOf('azureCommunicationServices', 'azureBlobStorage') })
      .nullish(),
  })
  .refine(({ callLocator, callConnectionId }) => callLocator != null || callConnectionId != null, {
    path: ['callLocator'],
    message: 'or callConnectionId has to say which call it is',
  })
  .refine(
    ({ recordingChannelType: channel, recordingContentType: content, recordingFormatType: format }) =>
      channel !== 'unmixed' || (content === 'audio' && format === 'wav'),
    { path: ['recordingChannelType'], message: 'unmixed is for audio in the format wav alone' },
  )
  .transform((request) => {
    const inOrder = request.audioChannelParticipantOrdering ?? [];
    const placed = request.channelAffinity ?? [];
    return {
      serverCallId: request.callLocator?.serverCallId ?? undefined,
      callConnectionId: request.callConnectionId ?? undefined,
      callbackUri: request.recordingStateCallbackUri ?? undefined,
      unmixed: request.recordingChannelType === 'unmixed',
      paused: request.pauseOnStart === true,
      blobStorage: request.externalStorage?.recordingStorageKind === 'azureBlobStorage',
      /** Who is to have which channel. */
      seats: new Map([
        ...inOrder.map(({ rawId }, channel) => [rawId, channel] as const),
        ...placed.map(({ participant, channel }) => [participant.rawId, channel] as const),
      ]),
    };
  });
export type RecordingRequest = z.output<typeof recordingRequest>;
