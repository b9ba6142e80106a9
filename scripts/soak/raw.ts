// Connections as those make them who keep to no protocol.

import { randomBytes } from 'node:crypto';
import { connect, type Socket } from 'node:net';

/** Connects to this machine, says something, and whatever comes of it is no error. */
export function dial(port: number, words: string): Socket {
  const socket = connect({ port, host: '127.0.0.1' });
  socket.on('error', () => {}); // 'close' follows
  if (words !== '') socket.write(words);
  return socket;
}

/** What a WebSocket begins with, but for the empty line at its end. */
export function upgradeHead(path: string, token: string): string {
  return [
    `GET ${path} HTTP/1.1`,
    'Host: 127.0.0.1',
    `Authorization: Bearer ${token}`,
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
    `Sec-WebSocket-Key: ${randomBytes(16).toString('base64')}`,
    '',
  ].join('\r\n');
}
