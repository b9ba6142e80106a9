// A wall clock that jumps while a call runs: nothing of the call goes by it.

import assert from 'node:assert/strict';
import { it } from 'node:test';
import { handler } from '../../src/handler.ts';
import { startApp } from '../support/app.ts';
import { assertLostNothing } from './lossless.ts';

const longerThanTokens = 25 * 3_600_000;

for (const [what, byMs] of [
  ['outlives its token', longerThanTokens],
  ['goes on though the clock is set back', -longerThanTokens],
] as const) {
  it(`a session ${what}, and so do the events of its call`, { timeout: 120_000 }, async (t) => {
    t.mock.timers.enable({ apis: ['Date'], now: Date.now() });
    const app = await startApp(t, { handler });
    const call = app.simulator.placeCall({ seconds: 2 });
    await call.until('event', ({ event }) => event === 'MediaStreamingStarted');
    t.mock.timers.setTime(Date.now() + byMs);
    assert.equal((await call.post([call.event('ParticipantsUpdated')])).status, 200);
    await assertLostNothing(call);
    assert.equal((await app.log.until('call ended')).reason, 'CallDisconnected');
  });
}
