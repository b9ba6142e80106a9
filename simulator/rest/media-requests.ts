import { z } from 'zod';
import { toneNames } from '../prompts/tones.ts';
import { identifier, oneOf, targetRequest } from './fields.ts';

const MS_PER_LETTER = 60;
const MAX_LETTERS = 5_000;
const spoken = (text: string) => Math.max(1, Math.min(text.length, MAX_LETTERS)) * MS_PER_LETTER;

/** What is played, and how many milliseconds it takes: a text as long as reading it does, a file out of reach a second. */
const playSource = z
  .discriminatedUnion('kind', [
    z.looseObject({ kind: z.literal('file'), file: z.looseObject({ uri: z.string() }) }),
    z.looseObject({ kind: z.literal('text'), text: z.looseObject({ text: z.string() }) }),
    z.looseObject({ kind: z.literal('ssml'), ssml: z.looseObject({ ssmlText: z.string() }) }),
  ])
  .transform((source) => {
    if (source.kind === 'file') return { kind: source.kind, uri: source.file.uri, ms: 1_000 };
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

const choice = z.looseObject({
  label: z.string().min(1),
  phrases: z.array(z.string()),
  tone: oneOf(...toneNames).nullish(),
});
export type Choice = z.output<typeof choice>;

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
      speechOptions: z.looseObject({ endSilenceTimeoutInMs: z.number().min(0).nullish() }).nullish(),
      choices: z.array(choice).nullish(),
    }),
    operationContext: z.string().nullish(),
  })
  .refine(
    ({ recognizeInputType, recognizeOptions }) =>
      recognizeInputType !== 'choices' || recognizeOptions.choices?.length,
    {
      path: ['recognizeOptions', 'choices'],
      message: 'has to name at least one',
    },
  )
  .transform(({ recognizeOptions: { dtmfOptions, speechOptions, ...wanted }, ...request }) => ({
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
    endSilenceMs: speechOptions?.endSilenceTimeoutInMs ?? 2_000,
    choices: wanted.choices ?? [],
  }));
export type RecognizeRequest = z.output<typeof recognizeRequest>;
