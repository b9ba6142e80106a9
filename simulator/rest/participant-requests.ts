import { z } from 'zod';
import { identifier, newcomer, phoneNumber } from './fields.ts';

/** A list of exactly one, as the SDK's users know it. */
export const muteRequest = z.looseObject({
  targetParticipants: z.tuple([identifier]),
  operationContext: z.string().nullish(),
});

export const addRequest = z.looseObject({
  participantToAdd: newcomer,
  sourceCallerIdNumber: phoneNumber.nullish(),
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
export const moveRequest = z.looseObject({
  targetParticipants: z.array(newcomer).min(1),
  fromCall: z.string(),
});
