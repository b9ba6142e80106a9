import type { IncomingMessage } from 'node:http';
import { WebSocket } from 'ws';
import { NoAnswer, parseJson, reasonOf } from './ask.ts';

/** How a WebSocket server answered somebody without a token. */
export interface Reception {
  /** 101 where it became a WebSocket. */
  status: number;
  challenge?: string | undefined;
  json?: unknown;
  /** With which code the server closed what it had accepted; undefined if it didn't. */
  closeCode?: number;
}

/**
 * Asks for a WebSocket, without a token.
 *
 * @param patienceMs for the answer, and after a 101 for the server to close
 * @throws {NoAnswer} none came
 */
export async function knock(url: URL, patienceMs: number): Promise<Reception> {
  const address = new URL(url);
  address.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
  const { promise, resolve, reject } = Promise.withResolvers<Reception>();
  const socket = new WebSocket(address);
  const timer = setTimeout(() => {
    if (socket.readyState === WebSocket.OPEN) resolve({ status: 101 });
    else reject(new NoAnswer('no answer in time'));
  }, patienceMs);
  // Comes before 'close' if there was no handshake, and once more when a refused one is torn down.
  socket.on('error', (error) => reject(new NoAnswer(reasonOf(error), { cause: error })));
  socket.on('close', (closeCode) => resolve({ status: 101, closeCode }));
  socket.on('unexpected-response', (_request, response) => readRefusal(response).then(resolve, reject));
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
    socket.terminate();
  }
}

async function readRefusal(response: IncomingMessage): Promise<Reception> {
  let text = '';
  // A refusal of Callgate's is short; of anything else the beginning is enough.
  for await (const chunk of response.setEncoding('utf8')) {
    text += chunk;
    if (text.length > 16 * 1024) break;
  }
  const { statusCode = 0, headers } = response;
  return { status: statusCode, challenge: headers['www-authenticate'], json: parseJson(text) };
}
