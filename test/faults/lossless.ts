import assert from 'node:assert/strict';
import type { SimulatedCall } from '../../simulator/calls/handle.ts';

/** Waits for the end of a call whose caller hangs up: each frame has come back, once, and nobody else's. */
export async function assertLostNothing(call: SimulatedCall) {
  const { outcome, problem, media, operations } = await call.ended;
  assert.deepEqual([outcome, problem], ['the caller hung up', undefined]);
  assert.ok(media && media.sent > 0);
  assert.deepEqual(
    { returned: media.returned, foreign: media.foreign, repeated: media.repeated, unheard: media.unheard },
    { returned: media.sent, foreign: 0, repeated: 0, unheard: {} },
  );
  assert.deepEqual(operations, ['answerCall'], 'nobody hung it up');
}
