import { z } from 'zod';
import type { Call } from '../calls/handle.ts';
import { RestError } from '../http/rest-error.ts';
import { contextRequest } from './fields.ts';
import type { Operation } from './operation.ts';
import { action } from './operation.ts';

const modelRequest = z
  .looseObject({
    locale: z.string().min(1).nullish(),
    speechModelEndpointId: z.string().nullish(),
  })
  .default({});

/** What a request changes; the rest stays as it is. */
const changesOf = ({ locale, speechModelEndpointId }: z.output<typeof modelRequest>) => ({
  ...(locale != null && { locale }),
  ...(speechModelEndpointId != null && { speechModelEndpointId }),
});

/** The operations that have what is said written down. */
export const transcriptionOperations: readonly Operation[] = [
  action({
    name: 'startTranscription',
    schema: modelRequest,
    run(call, body, said) {
      const transcription = transcriptionOf(call);
      return { after: () => void transcription.start(changesOf(body), said) };
    },
  }),
  action({
    name: 'updateTranscription',
    schema: modelRequest,
    run(call, body, said) {
      const transcription = transcriptionOf(call);
      return { after: () => void transcription.update(changesOf(body), said) };
    },
  }),
  action({
    name: 'stopTranscription',
    schema: contextRequest,
    run(call, _body, said) {
      const transcription = transcriptionOf(call);
      return { after: () => void transcription.stop(said) };
    },
  }),
];

function transcriptionOf({ transcription }: Call) {
  if (!transcription) throw new RestError(400, '8500', 'The call has no transcription options.');
  return transcription;
}
