import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import type { WebSocket } from 'ws';
import { WebSocketServer } from 'ws';
import { openSocket } from '../../../simulator/media/acs-socket.ts';

async function start(t: TestContext, signal: AbortSignal) {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  t.after(() => {
    for (const client of server.clients) client.terminate();
    server.close();
  });
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo; // a TCP server has no other kind
  const messages: number[] = [];
  const open = () =>
    openSocket({
      url: `ws://127.0.0.1:${port}`,
      headers: {},
      timeoutMs: 5_000,
      signal,
      onOpen() {},
      onMessage: ({ length }) => messages.push(length),
      onClose() {},
    });
  return { server, messages, open };
}

test('a WebSocket that is to open when all is over does not', async (t) => {
  const { server, open } = await start(t, AbortSignal.abort());
  const { status, socket, error } = await open();
  assert.deepEqual([status, socket], [undefined, undefined]);
  assert.ok(error);
  assert.equal(server.clients.size, 0);
});

test('a frame that is too large for what ACS takes ends the WebSocket', async (t) => {
  const { server, messages, open } = await start(t, new AbortController().signal);
  const connected: Promise<WebSocket[]> = once(server, 'connection');
  const { socket } = await open();
  const [client] = await connected;
  client?.send(Buffer.alloc(100_000));
  client?.send(Buffer.alloc(1024 * 1024 + 1));
  await socket?.closed;
  assert.deepEqual(messages, [100_000]);
});
