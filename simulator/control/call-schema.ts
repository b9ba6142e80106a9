import { z } from 'zod';
import type { CallOptions } from '../calls/handle.ts';
import { dialedOutcomes, failingOperations } from '../calls/handle.ts';
import { invitationOutcomes } from '../calls/invitations.ts';
import { definedOf } from '../defined.ts';
import { callFaultsSchema } from '../faults/faults.ts';
import { parseWav, WavError } from '../media/wav.ts';

/** Keys as one presses them, one after another. */
export const keysSchema = z.string().regex(/^[\d*#A-D]+$/, 'keys are 0 to 9, *, # and A to D');

/** What one says at a time. */
export const wordsSchema = z.string().min(1).max(10_000);

/** `speech`, `silence`, or a WAV file in base64. */
const soundSchema = z
  .union([z.enum(['speech', 'silence']), z.object({ wav: z.base64() })])
  .transform((sound, context) => {
    if (typeof sound === 'string') return sound;
    try {
      return parseWav(Buffer.from(sound.wav, 'base64'));
    } catch (error) {
      if (!(error instanceof WavError)) throw error;
      context.addIssue(error.message);
      return z.NEVER;
    }
  });

/** A call as one asks for it over HTTP. */
export const callSchema = z.strictObject({
  app: z.url({ protocol: /^https?$/ }).optional(),
  from: z.string().min(1).optional(),
  to: z.string().min(1).optional(),
  schema: z.enum(['event-grid', 'cloud-events']).optional(),
  order: z.enum(['together', 'media-first', 'events-first', 'media-before-answer']).optional(),
  sound: soundSchema.optional(),
  voices: z.record(z.string().min(1), soundSchema).optional(),
  seconds: z.number().positive().optional(),
  digits: keysSchema.optional(),
  words: z.array(wordsSchema).optional(),
  keepSeconds: z.number().nonnegative().optional(),
  transfer: z.enum(['accepted', 'failed']).optional(),
  invited: z.enum(invitationOutcomes).optional(),
  fails: z.array(z.enum(failingOperations)).optional(),
  faults: callFaultsSchema.optional(),
});

/** What becomes of the calls that the app makes, and what those say and do who answer. */
export const dialedSchema = callSchema
  .omit({ app: true, from: true, to: true, schema: true })
  .extend({ outcome: z.enum(dialedOutcomes) });

/** What `placeCall` takes, from what one asks for. */
export function readCall(asked: z.output<typeof callSchema>): CallOptions {
  return definedOf(asked);
}
