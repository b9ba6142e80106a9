import type { Operation } from './operation.ts';
import { action } from './operation.ts';
import { contextRequest, playRequest, targetRequest, tonesRequest } from './requests.ts';

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
  action({
    name: 'sendDtmfTones',
    schema: tonesRequest,
    run(call, { targetParticipant, tones }, said) {
      call.participant(targetParticipant.rawId);
      return { body: said, after: () => void call.tones.send(tones, said) };
    },
  }),
  action({
    name: 'startContinuousDtmfRecognition',
    status: 200,
    schema: targetRequest,
    run(call, { targetParticipant }, said) {
      call.participant(targetParticipant.rawId);
      return { after: () => call.tones.start(said) };
    },
  }),
  action({
    name: 'stopContinuousDtmfRecognition',
    status: 200,
    schema: targetRequest,
    run: (call, _body, said) => ({ after: () => call.tones.stop(said) }),
  }),
];
