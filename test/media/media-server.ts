import { once } from 'node:events';
import net from 'node:net';
import type { TestContext } from 'node:test';
import { type ServerOptions, WebSocket, WebSocketServer } from 'ws';
import type { Frame, MalformedWhy } from '../../src/media/frames.ts';
import {
  createCounters,
  mediaSocketOptions,
  openSession,
  type Session,
  type SessionCounters,
  type SessionEnd,
  type SessionLimits,
} from '../../src/media/session.ts';

/** One session on the server's side, with all that it has said so far. */
export type Peer = {
  /** The server's end of the WebSocket. */
  socket: WebSocket;
  session: Session;
  frames: Frame[];
  malformed: MalformedWhy[];
  errors: unknown[];
  ends: SessionEnd[];
  counters: SessionCounters;
  /** Settles with the first end. */
  ended: Promise<SessionEnd>;
  onFrame: (frame: Frame) => void;
};

type MediaServerOptions = {
  limits?: Partial<SessionLimits>;
  ws?: ServerOptions & { closeTimeout?: number };
  /** One for all sockets; else each has its own. */
  counters?: SessionCounters;
};

/** A WebSocket server on a port of its own, each of whose sockets is a session. */
export async function createMediaServer(
  t: TestContext,
  { limits = {}, ws = {}, counters }: MediaServerOptions = {},
) {
  const server = new WebSocketServer({ ...mediaSocketOptions, ...ws, host: '127.0.0.1', port: 0 });
  const arrivals: ((peer: Peer) => void)[] = [];
  server.on('connection', (socket) => {
    const { promise: ended, resolve } = Promise.withResolvers<SessionEnd>();
    const peerCounters = counters ?? createCounters();
    const peer: Peer = {
      socket,
      frames: [],
      malformed: [],
      errors: [],
      ends: [],
      counters: peerCounters,
      ended,
      onFrame: (frame) => peer.frames.push(frame),
      session: openSession(socket, {
        limits,
        counters: peerCounters,
        onFrame: (frame) => peer.onFrame(frame),
        onMalformed: (why) => peer.malformed.push(why),
        onError: (error) => peer.errors.push(error),
        onClose(end) {
          peer.ends.push(end);
          resolve(end);
        },
      }),
    };
    arrivals.shift()?.(peer);
  });
  await once(server, 'listening');
  t.after(() => {
    for (const client of server.clients) client.terminate();
    server.close();
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  const { port } = address;

  function arrival(): Promise<Peer> {
    return new Promise((resolve) => arrivals.push(resolve));
  }

  return {
    /** A client of ws, the TCP socket under it, and its session on the server. */
    async connect() {
      const arrived = arrival();
      const tcp = net.connect(port, '127.0.0.1');
      const client = new WebSocket(`ws://127.0.0.1:${port}/`, { createConnection: () => tcp });
      client.on('error', () => {});
      t.after(() => client.terminate());
      await once(client, 'open');
      return { client, tcp, peer: await arrived };
    },
    /** A TCP socket that has sent an upgrade and, in the same segment, what follows it. */
    async connectRaw(...following: Buffer[]) {
      const arrived = arrival();
      const tcp = net.connect({ port, host: '127.0.0.1', allowHalfOpen: true });
      tcp.on('error', () => {});
      t.after(() => tcp.destroy());
      const head = [
        'GET / HTTP/1.1',
        'Host: localhost',
        'Connection: Upgrade',
        'Upgrade: websocket',
        'Sec-WebSocket-Version: 13',
        'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==',
        '\r\n',
      ].join('\r\n');
      tcp.write(Buffer.concat([Buffer.from(head), ...following]));
      return { tcp, peer: await arrived };
    },
  };
}

/** A WebSocket frame as a client sends it, masked with zeros (RFC 6455 section 5.2). */
export function clientFrame(
  payload: string | Buffer,
  { opcode = 1, length = Buffer.byteLength(payload) } = {},
): Buffer {
  const head = Buffer.from([0x80 | opcode, 0x80 | (length < 126 ? length : 127)]);
  const extended = Buffer.alloc(length < 126 ? 0 : 8);
  if (extended.length > 0) extended.writeBigUInt64BE(BigInt(length));
  return Buffer.concat([head, extended, Buffer.alloc(4), Buffer.from(payload)]);
}
