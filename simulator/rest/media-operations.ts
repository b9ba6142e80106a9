import { contextRequest, targetRequest } from './fields.ts';
import { playRequest, recognizeRequest, tonesRequest } from './media-requests.ts';
import type { Operation } from './operation.ts';
import { action } from './operation.ts';

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
    name: 'recognize',
    schema: recognizeRequest,
    run(call, body, said) {
      call.roster.find(body.target);
      return { after: () => call.prompts.recognize(body, said) };
    },
  }),
  action({
    name: 'sendDtmfTones',
    schema: tonesRequest,
    run(call, { targetParticipant, tones }, said) {
      call.roster.find(targetParticipant.rawId);
      return { body: said, after: () => void call.tones.send(tones, said) };
    },
  }),
  action({
    name: 'startContinuousDtmfRecognition',
    status: 200,
    schema: targetRequest,
    run(call, { targetParticipant }, said) {
      call.roster.find(targetParticipant.rawId);
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
