import { randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import { WebSocketServer } from 'ws';

/**
 * The floor of playing: a server of nothing but ws, which lets everybody in and sends one and the same frame, at most
 * 500 ms ahead of the clock. It runs in a process of its own.
 */
const aheadMs = 500;
const frameMs = 20;
const tickMs = 100;
const data = randomBytes(960).toString('base64');
const frame = Buffer.from(`{"Kind":"AudioData","AudioData":{"Data":"${data}"},"StopAudio":null}`);

const server = createServer((_request, response) => response.end());
const sockets = new WebSocketServer({ server, perMessageDeflate: false });
sockets.on('connection', (socket) => {
  let heardAt = performance.now();
  const timer = setInterval(() => {
    heardAt = Math.max(heardAt, performance.now());
    for (; heardAt + frameMs - performance.now() <= aheadMs; heardAt += frameMs) {
      socket.send(frame, { binary: false });
    }
  }, tickMs);
  socket.on('error', () => {}); // its end is all that there is to know
  socket.on('message', () => {}); // what the caller says is read, as by everybody else
  socket.on('close', () => clearInterval(timer));
});
server.listen(Number(process.env.PORT), '127.0.0.1');
