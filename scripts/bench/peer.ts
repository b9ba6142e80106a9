// A WebSocket client that does as little as there is to do, so that it is the server that is measured: what it sends is
// made beforehand, and of what comes only the lengths are read.

import { randomBytes } from 'node:crypto';
import { connect } from 'node:net';

/** Where a peer connects, and what it says there. */
export interface Target {
  port: number;
  path: string;
  token: string;
}

/** The server answered with something else than 101. */
export class UpgradeRefused extends Error {
  override readonly name = 'UpgradeRefused';
  readonly status: number;

  constructor(status: number) {
    super(`the server refused the upgrade with ${status}`);
    this.status = status;
  }
}

/** One end of an open WebSocket. */
export interface Peer {
  /** Sends a frame that {@link maskFrame} made. */
  send(frame: Buffer): void;
  /** The same. Resolves with the next message; rejects if the socket ends first. */
  echo(frame: Buffer): Promise<void>;
  /** Resolves when the server closes it; rejects if it ends otherwise. */
  dismissed(): Promise<void>;
  /** Closes it. Resolves when the connection has ended. */
  close(): Promise<void>;
  /** Resolves when the connection has ended, whoever ended it. */
  readonly closed: Promise<void>;
}

const opcodes = { text: 1, close: 8 } as const;
/** How long a server may be silent, in milliseconds: one that hangs ends what is measured, with an error. */
const patienceMs = 20_000;
const nobody = { resolve: () => {}, reject: () => {} };

/** A message as a client sends it (RFC 6455, 5.2), of up to 65,535 bytes. A mask of zeros would spare the server work. */
export function maskFrame(kind: keyof typeof opcodes, payload: Buffer): Buffer {
  const mask = randomBytes(4);
  const isShort = payload.length < 126;
  const head = Buffer.alloc(isShort ? 2 : 4);
  head[0] = 0x80 | opcodes[kind];
  head[1] = 0x80 | (isShort ? payload.length : 126);
  if (!isShort) head.writeUInt16BE(payload.length, 2);
  const masked = payload.map((byte, at) => byte ^ (mask[at % 4] ?? 0));
  return Buffer.concat([head, mask, masked]);
}

const closeFrame = maskFrame('close', Buffer.from([0x03, 0xe8])); // 1000

/**
 * Opens a WebSocket.
 *
 * @param onMessage is told of each message, those that come with the answer too
 * @throws {UpgradeRefused}
 */
export async function openPeer({ port, path, token }: Target, onMessage = () => {}): Promise<Peer> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  let waiting: { resolve: () => void; reject: (error: Error) => void } = nobody;
  let isOpen = false;
  let closing = false;
  const dismissed = Promise.withResolvers<void>();
  dismissed.promise.catch(() => {}); // seldom does anybody wait for it
  let rest: Buffer = Buffer.alloc(0);

  const next = () =>
    new Promise<void>((resolve, reject) => {
      waiting = { resolve, reject };
    });
  socket.on('error', () => {}); // 'close' follows
  socket.setTimeout(patienceMs, () => socket.destroy());
  socket.on('data', (piece: Buffer) => {
    rest = rest.length === 0 ? piece : Buffer.concat([rest, piece]);
    if (!isOpen) readAnswer();
    else readFrames();
  });
  closed.then(() => {
    const error = new Error('the connection ended');
    waiting.reject(error);
    dismissed.reject(error);
  });

  function readAnswer() {
    const end = rest.indexOf('\r\n\r\n');
    if (end < 0) return;
    const status = Number(rest.toString('latin1', 'HTTP/1.1 '.length, 'HTTP/1.1 101'.length));
    if (status !== 101) {
      waiting.reject(new UpgradeRefused(status));
      socket.destroy();
      return;
    }
    isOpen = true;
    rest = rest.subarray(end + 4);
    waiting.resolve();
    readFrames();
  }

  function readFrames() {
    for (let length = frameLength(rest); length <= rest.length; length = frameLength(rest)) {
      const opcode = (rest[0] ?? 0) & 0x0f;
      rest = rest.subarray(length);
      if (opcode === opcodes.text) {
        waiting.resolve();
        onMessage();
      } else if (opcode === opcodes.close && !closing) {
        dismissed.resolve();
        socket.write(closeFrame);
      }
    }
  }

  socket.write(
    `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nAuthorization: Bearer ${token}\r\n` +
      'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n' +
      `Sec-WebSocket-Key: ${randomBytes(16).toString('base64')}\r\n\r\n`,
  );
  await next();
  return {
    send: (frame) => void socket.write(frame),
    echo(frame) {
      const answered = next();
      socket.write(frame);
      return answered;
    },
    dismissed: () => dismissed.promise,
    close() {
      waiting = nobody;
      closing = true;
      socket.write(closeFrame);
      return closed;
    },
    closed,
  };
}

/** How long the first of these frames is, head and all; infinite while that can't be told. A server's have no mask. */
function frameLength(bytes: Buffer): number {
  if (bytes.length < 2) return Infinity;
  const short = (bytes[1] ?? 0) & 0x7f;
  if (short < 126) return 2 + short;
  if (short === 126) return bytes.length < 4 ? Infinity : 4 + bytes.readUInt16BE(2);
  return bytes.length < 10 ? Infinity : 10 + Number(bytes.readBigUInt64BE(2));
}
