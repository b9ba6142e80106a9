import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, it } from 'node:test';
import { WebSocket } from 'ws';
import { closing, connectRaw, startGate, textFrame, upgradeHead } from './gate-server.ts';

const missing = 'Missing or invalid Authorization header';

describe('with WS_REFUSE=close', () => {
  it('a socket with a missing or invalid token is accepted and closed with 4401 and the reason', async (t) => {
    const all = await startGate(t, { wsRefuse: 'close', graceMs: 20 });
    const token = all.issuer.token();
    const cases: [headers: Record<string, string | string[]>, reason: string][] = [
      [{}, missing],
      [{ authorization: 'Bearer' }, missing],
      [{ authorization: `Basic ${token}` }, missing],
      [{ authorization: [`Bearer ${token}`, `Bearer ${token}`] }, missing],
      [{ authorization: 'Bearer x' }, 'Invalid token'],
      [{ authorization: `Bearer ${all.issuer.token({ claims: { exp: 1 } })}` }, 'Invalid token'],
      [{ authorization: `Bearer ${all.issuer.token({ header: { kid: 'unknown' } })}` }, 'Invalid token'],
      [{ authorization: `Bearer ${token.slice(0, -8)}AAAAAAAA` }, 'Invalid token'],
    ];
    for (const [headers, reason] of cases) {
      // ws's types know one value for a header, Node's client several.
      const options = { headers } as { headers: Record<string, string> };
      const socket = new WebSocket(`ws://127.0.0.1:${all.port}${all.media()}`, options);
      const [code, said] = await once(socket, 'close');
      assert.deepEqual([code, String(said)], [4401, reason]);
    }
    assert.equal(all.accepted.length, 0);
  });

  it('every other refusal stays HTTP, and so do those of callbacks', async (t) => {
    const all = await startGate(t, { wsRefuse: 'close' });
    const good = all.bearer(all.issuer.token());
    assert.equal((await all.upgrade('/ws', good)).status, 403);
    assert.equal((await all.callBack('/api/callbacks')).status, 401);
    all.issuer.fault = 'down';
    all.clock.time += 5000;
    const unknown = all.bearer(all.issuer.token({ header: { kid: 'unknown' } }));
    assert.equal((await all.upgrade(all.media(), unknown)).status, 503);
    assert.equal((await all.upgrade(all.media(), good)).status, 101);
  });

  it('nothing that such a socket sends is read, and it is gone after the grace', async (t) => {
    const all = await startGate(t, { wsRefuse: 'close', graceMs: 300 });
    const upgraded = once(all.server, 'upgrade');
    const flood = Buffer.concat(Array.from({ length: 1000 }, () => textFrame('x'.repeat(100))));
    const head = Buffer.from(upgradeHead(all.media(), 'x'));
    const client = await connectRaw(all.port, Buffer.concat([head, textFrame('first')]));
    const send = () => {
      while (client.write(flood));
    };
    client.on('drain', send);
    send();
    const [request] = await upgraded;
    await closing(request.socket);
    client.destroy();
    assert.ok(request.socket.bytesRead < 1024 * 1024, `${request.socket.bytesRead} bytes were read`);
    assert.equal(all.sockets.clients.size, 0);
  });

  it('its protocol errors end nothing but itself', async (t) => {
    const all = await startGate(t, { wsRefuse: 'close', graceMs: 20 });
    const upgraded = once(all.server, 'upgrade');
    const head = Buffer.from(upgradeHead(all.media(), 'x'));
    const client = await connectRaw(all.port, Buffer.concat([head, Buffer.alloc(64, 0xff)]));
    const [request] = await upgraded;
    await closing(request.socket);
    client.destroy();
    assert.equal((await all.upgrade(all.media(), all.bearer(all.issuer.token()))).status, 101);
  });
});
