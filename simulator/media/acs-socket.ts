import type { IncomingMessage } from 'node:http';
import { WebSocket } from 'ws';
import type { CallIds } from '../calls/identifiers.ts';
import type { Keys } from '../tokens/keys.ts';

const DAY = 24 * 3600;
const MAX_FRAME = 1024 * 1024; // many times what an app may send at once

/** A WebSocket from ACS that the app has accepted: for media, or for transcriptions. */
export interface AcsSocket {
  /** Sends a frame as it is: text as a text frame, bytes as a binary one. `sent` is told unless it is too late. */
  send(frame: string | Buffer, sent?: () => void): void;
  close(code?: number, reason?: string): void;
  /** Cuts the connection without a word. */
  drop(): void;
  /** A slow reader: stops and resumes reading. */
  pause(): void;
  resume(): void;
  readonly bufferedBytes: number;
  /** Resolves when it is closed, after `onClose` was told. */
  readonly closed: Promise<void>;
}

/** What opening a WebSocket came to. */
export interface Upgrade {
  /** 101, or the status of the refusal. None: nobody there. */
  status?: number;
  headers: Record<string, string>;
  error?: string;
  socket?: AcsSocket;
}

/** What ACS says when it opens a WebSocket: who it is, and for which call. */
export async function upgradeHeaders(keys: Keys, ids: CallIds): Promise<Record<string, string>> {
  return {
    authorization: `Bearer ${await keys.token(DAY)}`,
    'x-ms-call-connection-id': ids.callConnectionId,
    'x-ms-call-correlation-id': ids.correlationId,
  };
}

/**
 * Opens a WebSocket as ACS does. Never rejects.
 *
 * @param options.signal cuts it, be it open or opening
 * @param options.onMessage each frame, text or binary
 * @param options.onClose the end of the socket; `by` tells who closed it
 */
export function openSocket({
  url,
  headers,
  timeoutMs,
  signal,
  onOpen,
  onMessage,
  onClose,
}: {
  url: string;
  headers: Record<string, string>;
  timeoutMs: number;
  signal: AbortSignal;
  onOpen: (socket: AcsSocket) => void;
  onMessage: (data: Buffer, isBinary: boolean) => void;
  onClose: (by: 'app' | 'simulator', code: number, reason: string) => void;
}): Promise<Upgrade> {
  const { promise, resolve } = Promise.withResolvers<Upgrade>();
  const { promise: closed, resolve: settleClosed } = Promise.withResolvers<void>();
  let socket: WebSocket;
  try {
    socket = new WebSocket(url, {
      headers,
      perMessageDeflate: false,
      handshakeTimeout: timeoutMs,
      maxPayload: MAX_FRAME,
    });
  } catch (error) {
    return Promise.resolve({ headers: {}, error: error instanceof Error ? error.message : String(error) });
  }
  let by: 'app' | 'simulator' = 'app';
  let answered: IncomingMessage | undefined;
  const drop = () => {
    by = 'simulator';
    socket.terminate();
  };
  const opened: AcsSocket = {
    send(frame, sent) {
      if (socket.readyState !== WebSocket.OPEN) return;
      socket.send(frame);
      sent?.();
    },
    close(code = 1000, reason = '') {
      if (socket.readyState === WebSocket.OPEN) by = 'simulator';
      socket.close(code, reason);
    },
    drop,
    pause: () => socket.pause(),
    resume: () => socket.resume(),
    get bufferedBytes() {
      return socket.bufferedAmount;
    },
    closed,
  };
  socket.on('upgrade', (response) => {
    answered = response;
  });
  socket.on('unexpected-response', (request, response) => {
    resolve({ status: response.statusCode ?? 0, headers: flatten(response) });
    response.resume();
    request.destroy();
  });
  socket.on('open', () => {
    onOpen(opened);
    resolve({ status: 101, headers: answered ? flatten(answered) : {}, socket: opened });
  });
  socket.on('message', (data, isBinary) => {
    // One Buffer: ws's binaryType is left at its default, nodebuffer.
    onMessage(data as Buffer, isBinary);
  });
  socket.on('error', (error) => {
    resolve({ headers: {}, error: 'code' in error ? String(error.code) : error.message });
  });
  socket.on('close', (code, reason) => {
    signal.removeEventListener('abort', drop);
    resolve({ headers: {}, error: 'closed before it opened' });
    if (answered) onClose(by, code, reason.toString());
    settleClosed();
  });
  signal.addEventListener('abort', drop);
  if (signal.aborted) drop();
  return promise;
}

function flatten(response: IncomingMessage): Record<string, string> {
  return Object.fromEntries(Object.entries(response.headers).map(([name, value]) => [name, String(value)]));
}
