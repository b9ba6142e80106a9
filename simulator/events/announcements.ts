import { randomUUID } from 'node:crypto';
import type { Identifier } from '../calls/identifiers.ts';
import type { Recorded } from '../recordings/recording.ts';
import type { FileLocations } from '../recordings/recording-files.ts';

export type EventSchema = 'event-grid' | 'cloud-events';

/** What the IncomingCall event says. */
export interface IncomingCall {
  from: Identifier;
  to: Identifier;
  callerDisplayName: string;
  serverCallId: string;
  correlationId: string;
  incomingCallContext: string;
}

const TOPIC =
  '/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/local/providers/Microsoft.Communication/communicationServices/simulator';

/**
 * One IncomingCall event in either of Event Grid's schemas, as the app's webhook gets it (an array of one, or the
 * single CloudEvent).
 */
export function incomingCallEvent(call: IncomingCall, schema: EventSchema, time: Date): unknown {
  const data = { ...call, customContext: { sipHeaders: {}, voipHeaders: {} } };
  const subject = `/caller/${call.from.rawId}/recipient/${call.to.rawId}`;
  return inSchema(schema, 'Microsoft.Communication.IncomingCall', subject, time, data);
}

/** One RecordingFileStatusUpdated event: the file can be downloaded. */
export function recordingFileEvent(
  { serverCallId, correlationId }: { serverCallId: string; correlationId: string },
  { recordingId, startTime, ms, endReason, unmixed }: Omit<Recorded, 'content' | 'metadata'>,
  locations: FileLocations,
  schema: EventSchema,
  time: Date,
): unknown {
  const subject = `/recording/call/${correlationId}/serverCallId/${serverCallId}/recordingId/${recordingId}`;
  const data = {
    recordingStorageInfo: { recordingChunks: [{ ...locations, index: 0, endReason: 'SessionEnded' }] },
    recordingStartTime: startTime,
    recordingDurationMs: ms,
    recordingContentType: 'Audio',
    recordingChannelType: unmixed ? 'Unmixed' : 'Mixed',
    recordingFormatType: 'Wav',
    sessionEndReason: endReason,
  };
  return inSchema(schema, 'Microsoft.Communication.RecordingFileStatusUpdated', subject, time, data);
}

function inSchema(schema: EventSchema, type: string, subject: string, time: Date, data: unknown): unknown {
  if (schema === 'cloud-events') {
    return { specversion: '1.0', id: randomUUID(), source: TOPIC, subject, type, time, data };
  }
  return [eventGridEvent(type, subject, '1.0', time, data)];
}

/** One event in the schema that is Event Grid's own. */
export function eventGridEvent(
  eventType: string,
  subject: string,
  dataVersion: string,
  eventTime: Date,
  data: unknown,
) {
  return {
    id: randomUUID(),
    topic: TOPIC,
    subject,
    data,
    eventType,
    dataVersion,
    metadataVersion: '1',
    eventTime,
  };
}
