import type { Operation } from './operation.ts';
import { action } from './operation.ts';
import { contextRequest, playRequest } from './requests.ts';

/** The operations that play and listen. */
export const mediaOperations: readonly Operation[] = [
  action({
    name: 'play',
    schema: playRequest,
    run: (call, body, said) => ({ after: () => call.prompts.play(body, said) }),
  }),
  action({
    name: 'cancelAllMediaOperations',
    schema: contextRequest,
    run: (call) => ({ after: () => call.prompts.cancel() }),
  }),
];
