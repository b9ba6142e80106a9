import type { OutgoingHttpHeaders, ServerResponse } from 'node:http';
import type { WebSocket } from 'ws';
import type { Refusal } from './refusals.ts';

/** What goes out for a refusal: the same for a response and for an upgrade. */
export interface RefusalAnswer {
  status: number;
  headers: OutgoingHttpHeaders;
  body: string;
}

/** The one place where a refusal becomes HTTP. The connection ends with it: who was refused starts anew. */
export function answerOf({ status, code, message, challenge, retryAfterSeconds }: Refusal): RefusalAnswer {
  const body = JSON.stringify({ error: { code, message } });
  return {
    status,
    headers: {
      // In this spelling they replace those that ws writes on a refused upgrade.
      'Content-Type': 'application/json; charset=utf-8',
      'Content-Length': Buffer.byteLength(body),
      Connection: 'close',
      ...(challenge !== undefined && { 'WWW-Authenticate': challenge }),
      ...(retryAfterSeconds !== undefined && { 'Retry-After': String(retryAfterSeconds) }),
    },
    body,
  };
}

/** Answers a request with a refusal. */
export function sendRefusal(response: ServerResponse, refusal: Refusal): void {
  const { status, headers, body } = answerOf(refusal);
  response.writeHead(status, headers).end(body);
}

/** The close code for who comes without a valid token, where WS_REFUSE is `close`. */
const unauthorized = 4401;

/**
 * Closes a socket that was accepted only to be told why it isn't let in (WS_REFUSE=close). Nothing that it sends is
 * read, and after `graceMs` it is gone, whether it answers or not.
 *
 * @param reason goes into the close frame
 * @param options.graceMs in milliseconds
 */
export function closeUnauthorized(socket: WebSocket, reason: string, { graceMs = 1000 } = {}): void {
  // Without a listener, its errors would end the process.
  socket.on('error', () => undefined);
  socket.close(unauthorized, reason);
  socket.pause();
  const timer = setTimeout(() => socket.terminate(), graceMs);
  socket.once('close', () => clearTimeout(timer));
}
