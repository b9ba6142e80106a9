// The two kinds of events that reach the app, checked: what Event Grid announces and what ACS says of a call.

import { z } from 'zod';
import type { CallIds } from './acs-client.ts';

/** An event of a running call (a CloudEvent) with what the app reads of it; its type without the prefix. */
export type CallEvent = z.output<typeof callEvent>;

/** A phone call that rings. */
export type IncomingCall = z.infer<typeof incomingCall>;

/** One element of a delivery of Event Grid, in either of its schemas. */
export interface Announcement {
  type: string;
  data: unknown;
}

const id = z.string().min(1).max(1024);
const optional = <T extends z.ZodType>(schema: T) => schema.nullish().catch(undefined);

const callEvent = z.looseObject({
  id,
  type: z
    .string()
    .min(1)
    .max(256)
    .transform((type) => type.replace(/^Microsoft\.Communication\./, ''))
    // It goes into the log: nothing but a name does.
    .refine((type) => /^[\w.]+$/.test(type)),
  data: z.looseObject({
    callConnectionId: id,
    serverCallId: optional(id),
    correlationId: optional(id),
    operationContext: optional(z.string()),
    resultInformation: optional(
      z.looseObject({ code: z.number().optional(), subCode: z.number().optional() }),
    ),
  }),
});

// Microsoft's list of them. Whatever else may come, there are no more kinds to count than these.
const countedTypes = new Set(
  `AddParticipantFailed AddParticipantSucceeded AnswerFailed CallConnected CallDisconnected CallTransferAccepted
  CallTransferFailed CancelAddParticipantFailed CancelAddParticipantSucceeded ConnectFailed
  ContinuousDtmfRecognitionStopped ContinuousDtmfRecognitionToneFailed ContinuousDtmfRecognitionToneReceived
  CreateCallFailed HoldFailed MediaStreamingFailed MediaStreamingStarted MediaStreamingStopped MoveParticipantFailed
  MoveParticipantSucceeded ParticipantsUpdated PlayCanceled PlayCompleted PlayFailed PlayStarted RecognizeCanceled
  RecognizeCompleted RecognizeFailed RecordingStateChanged RemoveParticipantFailed RemoveParticipantSucceeded
  SendDtmfTonesCompleted SendDtmfTonesFailed StartRecordingFailed TranscriptionFailed TranscriptionStarted
  TranscriptionStopped TranscriptionUpdated`.split(/\s+/),
);

/** What an event is counted as: its type, or `other`. */
export function countedType({ type }: CallEvent): string {
  return countedTypes.has(type) ? type : 'other';
}

const identifier = z.looseObject({
  rawId: optional(z.string()),
  phoneNumber: optional(z.looseObject({ value: z.string() })),
});

const incomingCall = z.looseObject({
  incomingCallContext: z.string().min(1),
  serverCallId: optional(id),
  correlationId: optional(id),
  from: optional(identifier),
  to: optional(identifier),
});

const eventGridEvent = z.looseObject({ eventType: z.string(), data: z.unknown() });
const cloudEvent = z.looseObject({ type: z.string(), data: z.unknown() });
const validation = z.looseObject({ validationCode: z.string().min(1).max(1024) });

/** An event of ACS's, or undefined where it isn't one. */
export function parseCallEvent(value: unknown): CallEvent | undefined {
  return callEvent.safeParse(value).data;
}

/** The ids that an event has of its call. */
export function callIdsOf({ data }: CallEvent): CallIds {
  const { callConnectionId, correlationId, serverCallId } = data;
  return {
    callConnectionId,
    correlationId: correlationId ?? undefined,
    serverCallId: serverCallId ?? undefined,
  };
}

/** The call that an event announces, or undefined where it can't be answered for want of a context. */
export function parseIncomingCall(data: unknown): IncomingCall | undefined {
  return incomingCall.safeParse(data).data;
}

/** The type and data of an event in the Event Grid schema or the CloudEvents schema. */
export function parseAnnouncement(value: unknown): Announcement | undefined {
  const grid = eventGridEvent.safeParse(value).data;
  if (grid) return { type: grid.eventType, data: grid.data };
  const cloud = cloudEvent.safeParse(value).data;
  return cloud && { type: cloud.type, data: cloud.data };
}

/** The code that Event Grid wants back when a subscription is made. */
export function validationCode(announcement: Announcement | undefined): string | undefined {
  if (announcement?.type !== 'Microsoft.EventGrid.SubscriptionValidationEvent') return undefined;
  return validation.safeParse(announcement.data).data?.validationCode;
}

/** Deliveries are arrays; a single event is an array of one. */
export function eventsOf(body: unknown): readonly unknown[] {
  return Array.isArray(body) ? body : [body];
}
