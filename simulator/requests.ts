import { z } from 'zod';

// What the REST specification requires of a body, and what an operation here looks at. The rest may be anything.

/** Plain http and ws are for this machine only, as it has no certificate. */
const url = (scheme: 'http' | 'ws') =>
  z.string().refine((value) => {
    const parsed = URL.parse(value);
    if (!parsed) return false;
    const { protocol, hostname } = parsed;
    const isLocal = /^(127\.0\.0\.1|localhost|\[::1\])$/.test(hostname);
    return protocol === `${scheme}s:` || (protocol === `${scheme}:` && isLocal);
  }, `has to be a URL with ${scheme}s, or with ${scheme} on this machine`);
/** Clients send these values in more than one casing. */
const oneOf = <T extends string>(...values: T[]) =>
  z.string().transform((value, context) => {
    const known = values.find((candidate) => candidate.toLowerCase() === value.toLowerCase());
    if (known === undefined) context.addIssue(`has to be one of ${values.join(', ')}`);
    return known ?? z.NEVER;
  });
export const mediaRequest = z.looseObject({ operationContext: z.string().nullish() }).default({});
const identifier = z.looseObject({ rawId: z.string() });

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

export const answerRequest = z.looseObject({
  incomingCallContext: z.string(),
  callbackUri: url('http'),
  operationContext: z.string().nullish(),
  mediaStreamingOptions: mediaStreamingOptions.nullish(),
});
export const rejectRequest = z.looseObject({
  incomingCallContext: z.string(),
  callRejectReason: oneOf('none', 'busy', 'forbidden').default('none'),
});
export const transferRequest = z.looseObject({
  targetParticipant: identifier,
  operationContext: z.string().nullish(),
});
