import { z } from 'zod';
import { answerFaultSchema, faultChangesSchema } from '../faults/faults.ts';
import { operations } from '../rest/operations.ts';
import { callSchema, dialedSchema, keysSchema } from './call-schema.ts';

const operationName = z.enum(operations.map(({ name }) => name));
const yes = z.literal(true);
const nextSchema = answerFaultSchema.extend({ operation: operationName });

/** One of several things, under its name. */
function oneOf<T extends z.ZodRawShape>(choices: T) {
  const names = Object.keys(choices).join(', ');
  return z
    .strictObject(choices)
    .partial()
    .refine((chosen) => Object.keys(chosen).length === 1, { error: `has to be one of ${names}` });
}

/** What a step waits for. What a step waited for before has to happen once more. */
const onSchema = oneOf({
  /** A callback event, once the app has taken it. */
  event: z.string().min(1),
  /** A request of the app, once it has its answer. */
  operation: operationName,
  answered: yes,
  media: z.enum(['open', 'closed']),
});

const doSchema = oneOf({
  press: keysSchema,
  say: z.string().min(1),
  hangUp: yes,
  /** Cuts the media WebSocket. */
  drop: yes,
  rotateKeys: yes,
  /** Spoils the next answers of an operation. */
  next: nextSchema,
  /** What goes wrong from now on, in all calls. The end of the scenario takes it back. */
  faults: faultChangesSchema,
});

const stepSchema = z.strictObject({
  on: onSchema.optional(),
  /** Seconds that pass then, in the call's time. */
  after: z.number().nonnegative().max(600).optional(),
  do: doSchema.optional(),
});

const expectSchema = z.strictObject({
  /** As reports have them. Anything may come between those that have to come, in this order. */
  outcome: z.string().optional(),
  events: z.array(z.string()).default([]),
  operations: z.array(z.string()).default([]),
  /** Events and operations that must not be. */
  never: z.array(z.string()).default([]),
  /** What went wrong: a part of what the report says. Without it, nothing may. */
  problem: z.string().min(1).optional(),
});

const scenarioSchema = z
  .strictObject({
    description: z.string().min(1),
    call: callSchema.optional(),
    /** In place of a call to the app: what makes the app call. JSON, posted to this URL, which may be a path of the app's. */
    ask: z.strictObject({ url: z.string().min(1), body: z.unknown().optional() }).optional(),
    /** What becomes of the app's own call. */
    dialed: dialedSchema.optional(),
    next: z.array(nextSchema).default([]),
    steps: z.array(stepSchema).default([]),
    expect: expectSchema,
    /** How long all of it may take. */
    timeoutSeconds: z.number().positive().max(240).default(30),
  })
  .superRefine(({ call, ask, dialed }, context) => {
    const fault = (field: string, message: string) =>
      context.addIssue({ code: 'custom', path: [field], message });
    if (call && ask) fault('call', 'is not placed where the app is asked to call');
    if (dialed && !ask) fault('dialed', 'needs to ask the app to call');
  });
/** A call as it is to go, as it stands in its file. */
export type ScenarioFile = z.input<typeof scenarioSchema>;
export type Scenario = z.output<typeof scenarioSchema>;
export type Condition = z.output<typeof onSchema>;
export type Action = z.output<typeof doSchema>;
export type NextAnswer = z.output<typeof nextSchema>;
export type Expectation = z.output<typeof expectSchema>;

/** As one says it: `event PlayStarted`. */
export function nameOf(condition: Condition): string {
  const [[name, value] = ['nothing', true]] = Object.entries(condition);
  return value === true ? name : `${name} ${value}`;
}

/** What is wrong with a scenario: each fault with its path. */
export class ScenarioError extends Error {
  override name = 'ScenarioError';
  readonly faults: readonly string[];

  constructor(faults: readonly string[]) {
    super(faults.join('; '));
    this.faults = faults;
  }
}

/** @throws {ScenarioError} with every fault that there is */
export function parseScenario(value: unknown): Scenario {
  const parsed = scenarioSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new ScenarioError(
    parsed.error.issues.map(({ path, message }) => `${path.join('.') || 'the scenario'}: ${message}`),
  );
}
