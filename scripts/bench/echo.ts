import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { CallAutomationClient } from '@azure/communication-call-automation';
import { WebSocketServer } from 'ws';

/**
 * An app that does as little as there is to do: it answers every call and sends back whatever it hears. It runs in a
 * process of its own, with the simulator's environment, and tells the one that started it where its webhook is.
 */
const client = new CallAutomationClient(process.env.ACS_CONNECTION_STRING ?? '', {
  allowInsecureConnection: true,
});

const server = createServer(async (request, response) => {
  const body = await text(request);
  if (request.url === '/incoming') response.end(await takeEvent(JSON.parse(body)));
  else response.end();
});

const sockets = new WebSocketServer({ server, perMessageDeflate: false });
sockets.on('connection', (socket) => {
  socket.on('error', () => {}); // its end is all that there is to know
  socket.on('message', (data) => {
    const { kind, audioData } = JSON.parse(data.toString());
    if (kind !== 'AudioData') return;
    socket.send(`{"Kind":"AudioData","AudioData":{"Data":"${audioData.data}"},"StopAudio":null}`);
  });
});

server.listen(0, '127.0.0.1', () => process.send?.({ origin: `127.0.0.1:${port()}` }));
process.on('disconnect', () => process.exit());

/** Answers the call that an event announces, and Event Grid's question whether this is its webhook. */
async function takeEvent([event]: { eventType: string; data: Record<string, string> }[]): Promise<string> {
  const { validationCode, incomingCallContext } = event?.data ?? {};
  if (validationCode !== undefined) return JSON.stringify({ validationResponse: validationCode });
  if (incomingCallContext === undefined) return '';
  await client.answerCall(incomingCallContext, `http://127.0.0.1:${port()}/events`, {
    mediaStreamingOptions: {
      transportType: 'websocket',
      transportUrl: `ws://127.0.0.1:${port()}/media`,
      contentType: 'audio',
      audioChannelType: 'mixed',
      startMediaStreaming: true,
      enableBidirectional: true,
      audioFormat: 'Pcm24KMono',
    },
  });
  return '';
}

function port(): number {
  return (server.address() as AddressInfo).port; // a TCP server has no other kind
}
