import { validateHeaderName, validateHeaderValue } from 'node:http';
import { z } from 'zod';

const milliseconds = z.number().int().nonnegative();

/** What may go wrong, until it is taken back. Null and false: nothing. */
export const faultsSchema = z.strictObject({
  /** The signing keys: no answer to be had, one that takes too long, or nonsense. */
  keys: z.enum(['down', 'slow', 'garbled']).nullable(),
  /** Every token: for another resource, out of date, or signed with a key that isn't published. */
  token: z.enum(['wrong-audience', 'expired', 'foreign']).nullable(),
  /** Event Grid's announcements and the callback events come twice. */
  duplicateEvents: z.boolean(),
  /** Each media WebSocket is cut this many milliseconds after it opened. */
  dropMediaAfterMs: milliseconds.nullable(),
});
export type Faults = z.infer<typeof faultsSchema>;

export const noFaults: Faults = { keys: null, token: null, duplicateEvents: false, dropMediaAfterMs: null };

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
