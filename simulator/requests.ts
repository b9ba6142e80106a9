import { z } from 'zod';
import { parseIdentifier } from './identifiers.ts';
import { toneNames } from './tones.ts';

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
/** What most operations have in common. */
export const contextRequest = z.looseObject({ operationContext: z.string().nullish() }).default({});
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
  callIntelligenceOptions: z.looseObject({ cognitiveServicesEndpoint: z.string().nullish() }).nullish(),
  mediaStreamingOptions: mediaStreamingOptions.nullish(),
});
export const rejectRequest = z.looseObject({
  incomingCallContext: z.string(),
  callRejectReason: oneOf('none', 'busy', 'forbidden').default('none'),
});

export const redirectRequest = z.looseObject({ incomingCallContext: z.string(), target: identifier });
/** A request about one participant. */
export const targetRequest = z.looseObject({
  targetParticipant: identifier,
  operationContext: z.string().nullish(),
});

/** A list of exactly one, as the SDK's users know it. */
export const muteRequest = z.looseObject({
  targetParticipants: z.tuple([identifier]),
  operationContext: z.string().nullish(),
});

/** The id says everything about somebody new. */
const newcomer = identifier.transform(({ rawId }) => parseIdentifier(rawId.replace(/^4:(?=\+)/, '')));
export const addRequest = z.looseObject({
  participantToAdd: newcomer,
  invitationTimeoutInSeconds: z.number().int().positive().max(180).nullish(),
  operationContext: z.string().nullish(),
});
export const cancelAddRequest = z.looseObject({
  invitationId: z.string(),
  operationContext: z.string().nullish(),
});
export const removeRequest = z.looseObject({
  participantToRemove: identifier,
  operationContext: z.string().nullish(),
});

const MS_PER_LETTER = 60;
const MAX_LETTERS = 5_000;
const spoken = (text: string) => Math.max(1, Math.min(text.length, MAX_LETTERS)) * MS_PER_LETTER;

/** What is played, and how many milliseconds it takes: a text as long as reading it does, a file a second. */
const playSource = z
  .discriminatedUnion('kind', [
    z.looseObject({ kind: z.literal('file'), file: z.looseObject({ uri: z.string() }) }),
    z.looseObject({ kind: z.literal('text'), text: z.looseObject({ text: z.string() }) }),
    z.looseObject({ kind: z.literal('ssml'), ssml: z.looseObject({ ssmlText: z.string() }) }),
  ])
  .transform((source) => {
    if (source.kind === 'file') return { kind: source.kind, ms: 1_000 };
    const text = source.kind === 'text' ? source.text.text : source.ssml.ssmlText.replaceAll(/<[^<>]*>/g, '');
    return { kind: source.kind, ms: spoken(text) };
  });
export type PlaySource = z.output<typeof playSource>;
export const playRequest = z.looseObject({
  playSources: z.array(playSource).min(1),
  playOptions: z.looseObject({ loop: z.boolean().default(false) }).default({ loop: false }),
  interruptCallMediaOperation: z.boolean().nullish(),
  operationContext: z.string().nullish(),
});
export type PlayRequest = Pick<
  z.output<typeof playRequest>,
  'playSources' | 'playOptions' | 'interruptCallMediaOperation'
>;
const tones = z.array(oneOf(...toneNames));
export const tonesRequest = targetRequest.extend({ tones: tones.min(1) });

/** With the SDK's own defaults, for the clients that leave them out. */
export const recognizeRequest = z
  .looseObject({
    recognizeInputType: oneOf('dtmf', 'speech', 'speechOrDtmf', 'choices'),
    playPrompt: playSource.nullish(),
    playPrompts: z.array(playSource).nullish(),
    interruptCallMediaOperation: z.boolean().nullish(),
    recognizeOptions: z.looseObject({
      targetParticipant: identifier,
      interruptPrompt: z.boolean().nullish(),
      initialSilenceTimeoutInSeconds: z.number().min(0).max(300).nullish(),
      dtmfOptions: z
        .looseObject({
          interToneTimeoutInSeconds: z.number().min(1).max(60).nullish(),
          maxTonesToCollect: z.number().int().positive().nullish(),
          stopTones: tones.nullish(),
        })
        .nullish(),
    }),
    operationContext: z.string().nullish(),
  })
  .transform(({ recognizeOptions: { dtmfOptions, ...wanted }, ...request }) => ({
    operationContext: request.operationContext,
    interruptCallMediaOperation: request.interruptCallMediaOperation,
    inputType: request.recognizeInputType,
    prompts: request.playPrompts ?? (request.playPrompt ? [request.playPrompt] : []),
    target: wanted.targetParticipant.rawId,
    interruptPrompt: wanted.interruptPrompt === true,
    silenceSeconds: wanted.initialSilenceTimeoutInSeconds ?? 5,
    interToneSeconds: dtmfOptions?.interToneTimeoutInSeconds ?? 2,
    max: dtmfOptions?.maxTonesToCollect ?? Number.POSITIVE_INFINITY,
    stopTones: dtmfOptions?.stopTones ?? [],
  }));
export type RecognizeRequest = z.output<typeof recognizeRequest>;
