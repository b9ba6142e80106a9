import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type IncomingMessage, request as send } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { TestContext } from 'node:test';
import express, { type RequestHandler } from 'express';
import expressWs from 'express-ws';
import type { WebSocket } from 'ws';
import { createBindings } from '../../src/auth/binding.ts';
import { createGate, type GateOptions } from '../../src/auth/gate.ts';
import { closeUnauthorized } from '../../src/auth/refusal-answers.ts';
import { createSigningKeys } from '../../src/auth/signing-keys.ts';
import { createAuthenticate } from '../../src/auth/strategy.ts';
import { createIssuer } from '../support/issuer.ts';
import { createRecordedLog } from './recorded-log.ts';

interface Options extends Partial<GateOptions> {
  /** Whether the keys are fetched before the first request. */
  warm?: boolean;
  graceMs?: number;
  /** What the media route does with a socket that was let in. */
  onSocket?: (socket: WebSocket, request: express.Request) => void;
  /** What follows the gate on the callback route. */
  onCallback?: RequestHandler;
}

/** The gate before a real express-ws server, with an issuer, and a client for both of its doors. */
export async function startGate(t: TestContext, options: Options = {}) {
  const { warm = true, graceMs = 1000, onSocket, onCallback, ...gateOptions } = options;
  const issuer = await createIssuer();
  const clock = { time: 0 };
  const { log, lines } = createRecordedLog();
  const keys = createSigningKeys({ jwksUrl: issuer.jwksUrl, log, now: () => clock.time });
  if (warm) {
    keys.start();
    await keys.whenReady;
  }
  const bindings = createBindings({ keys: ['a signing key for tests, 32 letters'] });
  const gate = createGate({
    authenticate: createAuthenticate({ keys, expected: issuer }),
    bindings,
    callBinding: 'required',
    wsRefuse: 'http',
    admit: () => undefined,
    admitEvents: () => undefined,
    log,
    ...gateOptions,
  });

  const app = express();
  // Or Express prints the errors that tests provoke.
  app.set('env', 'test');
  const server = createServer(
    { shouldUpgradeCallback: ({ url = '' }) => /^\/ws(\/[\w-]{72})?(\?|$)/.test(url) },
    app,
  );
  const { app: wsApp, getWss } = expressWs(app, server, {
    leaveRouterUntouched: true,
    wsOptions: { verifyClient: gate.verifyClient },
  });
  const accepted: WebSocket[] = [];
  const route = (socket: WebSocket, request: express.Request) => {
    const caller = gate.caller(request);
    if (caller && 'closeReason' in caller) {
      closeUnauthorized(socket, caller.closeReason, { graceMs });
      return;
    }
    accepted.push(socket);
    socket.on('error', () => undefined);
    onSocket?.(socket, request);
  };
  wsApp.ws('/ws', route);
  wsApp.ws('/ws/:binding', route);
  app.post('/api/callbacks{/:binding}', gate.callbacks, onCallback ?? ((_, response) => response.json('ok')));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  // A server that listens on a port has an AddressInfo.
  const { port } = server.address() as AddressInfo;

  t.after(async () => {
    for (const socket of getWss().clients) socket.terminate();
    keys.close();
    server.closeAllConnections();
    server.close();
    await issuer.close();
  });

  const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
  return {
    issuer,
    keys,
    gate,
    server,
    sockets: getWss(),
    port,
    clock,
    lines,
    bindings,
    accepted,
    bearer,
    /** The address of a call's media. */
    media: () => `/ws/${bindings.issue().media}`,
    upgrade: (path: string, headers: Record<string, string | string[]> = {}) => upgrade(port, path, headers),
    callBack: (path: string, headers: Record<string, string | string[]> = {}) =>
      // So that it is the server who ends the connection, where it does.
      ask(port, 'POST', path, { connection: 'keep-alive', ...headers }, '[]'),
  };
}

export interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  body: string;
  /** The socket of a 101. */
  socket: Duplex | undefined;
}

const websocket = {
  connection: 'Upgrade',
  upgrade: 'websocket',
  'sec-websocket-version': '13',
  'sec-websocket-key': 'AAAAAAAAAAAAAAAAAAAAAA==',
};

/** Asks for a WebSocket and says what came of it. */
export function upgrade(port: number, path: string, headers: Record<string, string | string[]> = {}) {
  return ask(port, 'GET', path, { ...websocket, ...headers });
}

function ask(
  port: number,
  method: string,
  path: string,
  headers: Record<string, string | string[]>,
  body?: string,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = send({ port, host: '127.0.0.1', method, path, headers, agent: false });
    request.on('error', reject);
    request.on('response', (response) => collect(response).then(resolve, reject));
    request.on('upgrade', ({ headers }, socket) => {
      // A client that gets a reset is no failed test.
      socket.on('error', () => undefined);
      resolve({ status: 101, headers, body: '', socket });
    });
    request.end(body);
  });
}

async function collect(response: IncomingMessage): Promise<Answer> {
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk);
  const body = Buffer.concat(chunks).toString();
  return { status: response.statusCode ?? 0, headers: response.headers, body, socket: undefined };
}

/** Writes to the port whatever a test needs to, and gives the socket. */
export async function connectRaw(port: number, bytes: string | Uint8Array): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  socket.write(bytes);
  return socket;
}

/** Resolves when a socket is gone, however it went: `once` would reject on a reset. */
export function closing(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    socket.once('close', () => resolve());
  });
}

/** The head of an upgrade request, as text. */
export function upgradeHead(path: string, token: string): string {
  const headers = { host: 'localhost', ...websocket, authorization: `Bearer ${token}` };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return `GET ${path} HTTP/1.1\r\n${lines.join('')}\r\n`;
}

/** A text frame as a client sends it (RFC 6455, 5.2), masked with zeros. */
export function textFrame(text: string): Buffer {
  const payload = Buffer.from(text);
  return Buffer.concat([Buffer.from([0x81, 0x80 | payload.length, 0, 0, 0, 0]), payload]);
}
