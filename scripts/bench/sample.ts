import { createServer } from 'node:http';
import jwt from 'jsonwebtoken';
import { JwksClient } from 'jwks-rsa';
import { WebSocketServer } from 'ws';

/**
 * The documented sample's way (Microsoft Learn, "Secure webhook endpoints and WebSocket connections"): accept everybody,
 * then verify the token with jsonwebtoken and jwks-rsa; parse each frame and write the answer with JSON. In two things it
 * is kinder than the sample, which makes a key client for each token, and loses what comes while it verifies.
 */
const { PORT, ACS_AUDIENCE, ACS_ISSUER, ACS_JWKS_URL } = process.env;

const client = new JwksClient({ jwksUri: ACS_JWKS_URL ?? '' });
const keyOf: jwt.GetPublicKeyOrSecret = ({ kid }, callback) =>
  client.getSigningKey(kid, (error, key) => callback(error, key?.getPublicKey()));
const expected: jwt.VerifyOptions & { complete?: false } = {
  audience: ACS_AUDIENCE ?? '',
  issuer: ACS_ISSUER ?? '',
  algorithms: ['RS256'],
};

const server = createServer((_request, response) => response.end());
const sockets = new WebSocketServer({ server, perMessageDeflate: false });
sockets.on('connection', (socket, request) => {
  socket.on('error', () => {}); // its end is all that there is to know
  socket.on('message', (data) => {
    const { kind, audioData } = JSON.parse(data.toString());
    if (kind !== 'AudioData') return;
    socket.send(JSON.stringify({ Kind: 'AudioData', AudioData: { Data: audioData.data }, StopAudio: null }));
  });
  socket.pause();
  jwt.verify(request.headers.authorization?.split(' ')[1] ?? '', keyOf, expected, (error) => {
    socket.resume();
    if (error) socket.close(1008, 'Unauthorized');
  });
});
server.listen(Number(PORT), '127.0.0.1');
