import { validateHeaderName, validateHeaderValue } from 'node:http';
import { z } from 'zod';
import { maxWaitMs } from '../wait.ts';

const milliseconds = z.number().int().nonnegative().max(maxWaitMs);
const share = z.union([z.boolean(), z.number().min(0).max(1)], {
  error: 'has to be true, false or from 0 to 1',
});

/**
 * What may go wrong, until it is taken back. Null and false: nothing. What befalls a share of something befalls each
 * with that probability; true is all of them.
 */
export const faultsSchema = z.strictObject({
  /** What chance depends on: with the same seed the same calls have the same misfortunes. Null: another one. */
  seed: z.number().int().nullable(),
  /** The signing keys: no answer to be had, one that takes too long, or nonsense. */
  keys: z.enum(['down', 'slow', 'garbled']).nullable(),
  /** Every token: for another resource, out of date, or signed with a key that isn't published. */
  token: z.enum(['wrong-audience', 'expired', 'foreign']).nullable(),
  /** A share of the events, Event Grid's and callbacks, comes twice. */
  duplicateEvents: share.nullable(),
  /** A share of the callback events is overtaken by the next one. */
  reorderEvents: share.nullable(),
  /** A share of the events comes so many milliseconds late. Those that follow don't wait. */
  delayEvents: z.strictObject({ ms: milliseconds, share: share.default(true) }).nullable(),
  /** A share of the events never comes. */
  loseEvents: share.nullable(),
  /** Which events these four befall, by name, such as IncomingCall. Null: all. */
  onlyEvents: z.array(z.string()).nullable(),
  /** Each frame to the app is late by up to so many milliseconds, and in order, as on TCP. */
  jitterMs: milliseconds.max(10_000).nullable(),
  /** So many frames to the app are held back, and sent at once. */
  burstFrames: z.number().int().positive().max(1_000).nullable(),
  /** A share of the frames of audio is never sent. */
  loseFrames: share.nullable(),
  /** Each media WebSocket is cut this many milliseconds after it opened. */
  dropMediaAfterMs: milliseconds.nullable(),
  /** This many milliseconds after such a cut another WebSocket is opened, unless the app has asked for one by then. */
  returnMediaAfterMs: milliseconds.nullable(),
  /** What the app sends is read for a while, and then isn't: both in milliseconds, in turns. */
  slowReader: z.strictObject({ readMs: milliseconds, pauseMs: milliseconds.min(1) }).nullable(),
});
export type Faults = z.output<typeof faultsSchema>;

/** Changes to the faults; those that aren't named stay as they are. */
export const faultChangesSchema = faultsSchema.partial();
export type FaultChanges = z.input<typeof faultChangesSchema>;

/** A call's own, in place of the simulator's. The keys are the same for all calls. */
export const callFaultsSchema = faultsSchema.omit({ keys: true }).partial();
export type CallFaults = z.input<typeof callFaultsSchema>;

export const noFaults: Faults = {
  seed: null,
  keys: null,
  token: null,
  duplicateEvents: false,
  reorderEvents: false,
  delayEvents: null,
  loseEvents: false,
  onlyEvents: null,
  jitterMs: null,
  burstFrames: null,
  loseFrames: false,
  dropMediaAfterMs: null,
  returnMediaAfterMs: null,
  slowReader: null,
};

/** Where an answer ends is for the server to say: a client would wait for the rest, or read on into the next one. */
const FRAMING = ['connection', 'content-length', 'trailer', 'transfer-encoding'];

/** Headers that node:http is able to send: it throws at any other, when it is too late to tell whoever asked for it. */
const headers = z.record(z.string(), z.string()).superRefine((all, context) => {
  for (const [name, value] of Object.entries(all)) {
    const message = problemOf(name, value);
    if (message !== undefined) context.addIssue({ code: 'custom', path: [name], message });
  }
});

function problemOf(name: string, value: string): string | undefined {
  if (FRAMING.includes(name.toLowerCase())) return 'is for the server to set';
  try {
    validateHeaderName(name);
    validateHeaderValue(name, value);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  return undefined;
}

/** How the next answer of a REST operation differs from a good one. */
export const answerFaultSchema = z.strictObject({
  /** For how many requests. */
  times: z.number().int().positive().default(1),
  /** Status, headers and body in place of the operation's own. */
  status: z.number().int().min(200).max(599).optional(),
  headers: headers.optional(),
  body: z.unknown().optional(),
  /** The answer comes this many milliseconds late. */
  delayMs: milliseconds.optional(),
  /** The connection is reset in place of an answer. */
  cut: z.boolean().default(false),
  /** The operation takes effect all the same. By default only where the answer is merely late. */
  applied: z.boolean().optional(),
});
export type AnswerFault = z.input<typeof answerFaultSchema>;
