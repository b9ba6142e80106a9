import { createServer } from 'node:http';
import { WebSocketServer } from 'ws';

/**
 * The floor that Node gives: a server of nothing but ws, which lets everybody in and sends back what it hears. It runs in
 * a process of its own.
 */
const server = createServer((_request, response) => response.end());
const sockets = new WebSocketServer({ server, perMessageDeflate: false });
sockets.on('connection', (socket) => {
  socket.on('error', () => {}); // its end is all that there is to know
  socket.on('message', (data) => socket.send(data, { binary: false }));
});
server.listen(Number(process.env.PORT), '127.0.0.1');
