// Many calls side by side: no frame is lost, and none gets into another call.

import assert from 'node:assert/strict';
import { it } from 'node:test';
import { handler } from '../../src/handler.ts';
import { startApp } from '../support/app.ts';

it('twenty calls at once lose no frame and hear no other', { timeout: 120_000 }, async (t) => {
  const app = await startApp(t, { handler });
  app.simulator.setFaults({ duplicateEvents: true });
  const calls = Array.from({ length: 20 }, () => app.simulator.placeCall({ seconds: 4 }));
  const reports = await Promise.all(calls.map(({ ended }) => ended));
  for (const { outcome, problem, media, operations } of reports) {
    assert.equal(outcome, 'the caller hung up');
    assert.equal(problem, undefined);
    assert.ok(media);
    assert.ok(media.sent > 0);
    assert.deepEqual(
      { returned: media.returned, foreign: media.foreign, repeated: media.repeated, unheard: media.unheard },
      { returned: media.sent, foreign: 0, repeated: 0, unheard: {} },
    );
    assert.deepEqual(operations, ['answerCall']);
  }
  assert.equal(app.callgate.size, 0);
});
