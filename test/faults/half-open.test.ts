// Strangers who begin a handshake and don't end it: there is room for a call beside them, and they have to go.

import assert from 'node:assert/strict';
import { it } from 'node:test';
import { closing, connectRaw, upgradeHead } from '../auth/gate-server.ts';
import { startBesideAcs } from '../support/process.ts';

it('1,000 half-open handshakes keep no call out, and are cut off in time', {
  timeout: 120_000,
}, async (t) => {
  const { simulator, url } = await startBesideAcs(t);
  const head = upgradeHead('/ws', await simulator.token());
  const beginnings = ['', 'G', head.slice(0, head.length / 2), head.slice(0, -2)];
  const gone: Promise<void>[] = [];
  while (gone.length < 1_000) {
    const socket = await connectRaw(Number(new URL(url).port), beginnings[gone.length % 4] ?? '');
    t.after(() => socket.destroy());
    socket.resume();
    gone.push(closing(socket));
  }

  const call = simulator.placeCall({ seconds: 1 });
  assert.equal(
    (await call.until('announced', ({ what }) => what === 'call')).status,
    200,
    'at the first attempt',
  );
  const { problem, media } = await call.ended;
  assert.equal(problem, undefined);
  assert.ok(media && media.sent > 0);
  assert.equal(media.returned, media.sent);

  await Promise.all(gone);
});
