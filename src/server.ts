// The HTTP server: which requests are upgrades at all, how long anything may take, how it starts and closes.

import { createServer, type IncomingMessage, type Server } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import express from 'express';
import expressWs from 'express-ws';
import type { WebSocketServer } from 'ws';
import { bindingShape } from './auth/binding.ts';
import type { Gate } from './auth/gate.ts';
import { mediaSocketOptions } from './media/session.ts';

/**
 * Whether a request may become a WebSocket: a GET with `Upgrade: websocket` whose path is, to the letter, `/ws`, or
 * `/ws/` and something shaped like a binding. All else stays an ordinary request, whatever it asks to become.
 */
function isMediaUpgrade({ method, headers, headersDistinct, httpVersion, url = '' }: IncomingMessage) {
  if (method !== 'GET' || headers.upgrade?.toLowerCase() !== 'websocket') return false;
  // Node checks neither of an upgrade: HTTP/1.0 has none (RFC 9110, 7.8), and there is one Host (RFC 9112, 3.2).
  if (httpVersion !== '1.1' || headersDistinct.host?.length !== 1) return false;
  return isMediaPath(url);
}

/** Whether a request's target is a media address, to the letter. */
export function isMediaPath(url: string): boolean {
  const [path = ''] = url.split('?', 1);
  return path === '/ws' || (path.startsWith('/ws/') && bindingShape.test(path.slice('/ws/'.length)));
}

/**
 * Makes the server and its Express app, without routes.
 *
 * express-ws alone accepts an upgrade first and asks the app after (its issue 47): here the gate decides, before
 * the 101.
 */
export function createHttpServer({ verifyClient }: Pick<Gate, 'verifyClient'>) {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.enable('strict routing');
  app.enable('case sensitive routing');

  const server = createServer(
    {
      shouldUpgradeCallback: isMediaUpgrade,
      headersTimeout: 10_000,
      requestTimeout: 15_000,
      connectionsCheckingInterval: 2_000,
      // Longer than the 230 s of App Service's front end, so that it never finds a connection just closed.
      keepAliveTimeout: 240_000,
    },
    app,
  );
  const { app: wsApp, getWss } = expressWs(app, server, {
    leaveRouterUntouched: true,
    wsOptions: {
      ...mediaSocketOptions,
      verifyClient,
      // ws would agree to the first subprotocol that a client offers.
      handleProtocols: () => false,
    },
  });
  // ws repeats the server's errors, and would throw them where nobody listens; `listen` reports them.
  const sockets = getWss().on('error', () => undefined);
  return { server, app: wsApp, sockets };
}

/**
 * Starts to listen.
 *
 * @param host undefined for all addresses
 * @returns the port, of interest where 0 was asked for
 * @throws the system's error, such as EADDRINUSE
 */
export function listen(server: Server, port: number, host: string | undefined): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ port, host }, () => {
      server.off('error', reject);
      const address = server.address();
      resolve(typeof address === 'object' && address ? address.port : port);
    });
  });
}

/**
 * Closes the server and all that is connected to it: sockets with 1001, for whose handshake it waits.
 *
 * @param graceMs after which whatever is left is cut off, in milliseconds
 */
export async function closeServer(server: Server, sockets: WebSocketServer, graceMs = 1_500): Promise<void> {
  const closed = Promise.all([
    new Promise((resolve) => server.close(resolve)),
    // Not events.once: it rejects at an error, and a peer may send garbage to the last.
    ...[...sockets.clients].map((socket) => new Promise((resolve) => socket.once('close', resolve))),
  ]);
  for (const socket of sockets.clients) socket.close(1001, 'Going away');
  server.closeAllConnections();
  const patience = new AbortController();
  await Promise.race([closed, delay(graceMs, undefined, { signal: patience.signal }).catch(() => {})]);
  patience.abort();
  for (const socket of sockets.clients) socket.terminate();
}
