import { z } from 'zod';
import { rangeOf } from '../http/range.ts';
import { RestError } from '../http/rest-error.ts';
import type { CallRecordings } from '../recordings/call-recordings.ts';
import type { Recording } from '../recordings/recording.ts';
import type { CallIndex, Effect, Invocation, Operation } from './operation.ts';
import { operation } from './operation.ts';
import type { RecordingRequest } from './recording-requests.ts';
import { recordingRequest } from './recording-requests.ts';

const PATH = '/calling/recordings/{recordingId}';
const FILE = '/v1/objects/{documentId}';

/** A row of what is done to a recording that runs. */
const ofRecording = (row: Omit<Operation, 'run'> & { run: (recording: Recording) => Effect }): Operation =>
  operation({
    ...row,
    schema: z.unknown(),
    run: ({ calls, params }) => row.run(calls.byRecording(params.recordingId ?? '')),
  });

/** A row of the storage, which knows no versions, and has errors of its own. */
const ofFile = (
  row: Omit<Operation, 'run'> & { run: (invocation: Invocation<unknown>) => Effect | undefined },
) =>
  operation({
    ...row,
    unversioned: true,
    schema: z.unknown(),
    run: (invocation) =>
      row.run(invocation) ?? { status: 404, body: { status: 404, message: 'There is no such recording.' } },
  });

/** The operations that record calls, and those of the storage where the recordings are. */
export const recordingOperations: readonly Operation[] = [
  operation({
    name: 'startRecording',
    method: 'POST',
    path: '/calling/recordings',
    status: 200,
    schema: recordingRequest,
    run({ calls, body }) {
      if (body.blobStorage) {
        const why = 'The simulator keeps recordings itself: it has no Azure Blob Storage.';
        throw new RestError(501, 'NotImplemented', why);
      }
      const recording = recordingsOf(calls, body).start(body);
      const state = recording.state();
      return { body: state, after: () => recording.announce(state) };
    },
  }),
  ofRecording({
    name: 'getRecordingProperties',
    method: 'GET',
    path: PATH,
    status: 200,
    run: (recording) => ({ body: recording.state() }),
  }),
  ofRecording({
    name: 'stopRecording',
    method: 'DELETE',
    path: PATH,
    status: 204,
    run: (recording) => ({ after: recording.stop() }),
  }),
  ofRecording({
    name: 'pauseRecording',
    method: 'POST',
    path: `${PATH}:pause`,
    status: 202,
    run: (recording) => ({ after: recording.pause() }),
  }),
  ofRecording({
    name: 'resumeRecording',
    method: 'POST',
    path: `${PATH}:resume`,
    status: 202,
    run: (recording) => ({ after: recording.resume() }),
  }),
  ofFile({
    name: 'downloadRecording',
    method: 'GET',
    path: `${FILE}/content/audio`,
    status: 200,
    run({ files, params: { documentId = '' }, headers }) {
      const file = files.find(documentId);
      return file && rangeOf(file.content, headers.range, 'audio/wav');
    },
  }),
  ofFile({
    name: 'downloadRecordingMetadata',
    method: 'GET',
    path: `${FILE}/content/acsmetadata`,
    status: 200,
    run({ files, params: { documentId = '' } }) {
      const file = files.find(documentId);
      return file && { body: file.metadata };
    },
  }),
  ofFile({
    name: 'deleteRecording',
    method: 'DELETE',
    path: FILE,
    status: 200,
    run: ({ files, params: { documentId = '' } }) => (files.delete(documentId) ? {} : undefined),
  }),
];

/** Rooms and group calls there are none, so that their locators find nothing. */
function recordingsOf(
  calls: CallIndex,
  { callConnectionId, serverCallId = '' }: RecordingRequest,
): CallRecordings {
  const { recordings } =
    callConnectionId === undefined ? calls.byServerCall(serverCallId) : calls.byConnection(callConnectionId);
  if (recordings) return recordings;
  throw new RestError(400, '8501', 'Action not supported: the call is not established.');
}
