import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';
import type {
  AnswerCallOptions,
  CallConnection,
  MediaStreamingOptions,
  TranscriptionOptions,
} from '@azure/communication-call-automation';
import { CallAutomationClient } from '@azure/communication-call-automation';
import express from 'express';
import type { WebSocket } from 'ws';
import { WebSocketServer } from 'ws';

/** What Microsoft's packages make of the simulator: a small app that answers every call and echoes. */
export interface App {
  webhook: string;
  callbacks: string;
  client: CallAutomationClient;
  /** Requests as they came. */
  deliveries: { path: string; headers: IncomingMessage['headers']; body: unknown }[];
  upgrades: IncomingMessage[];
  sockets: WebSocket[];
  connections: CallConnection[];
}

export interface AppOptions {
  connectionString: string;
  /** What the webhook says to an event, before answering the call. By default 200. */
  status?: (attempt: number) => number;
  /** What the callback URI says. By default 200. */
  callbackStatus?: (attempt: number) => number;
  /** False leaves the call ringing. */
  answers?: boolean;
  /** Whether upgrades are accepted, or with which status they are refused. */
  upgradeStatus?: number;
  media?: Partial<MediaStreamingOptions> | null;
  /** Has what is said written down; without it, nothing is. */
  transcription?: Partial<TranscriptionOptions>;
  /** What the app says besides when it answers. */
  answer?: AnswerCallOptions;
  /** What the app does with a frame. By default it echoes audio in .NET's casing. */
  onFrame?: (text: string, socket: WebSocket) => void;
  onSocket?: (socket: WebSocket) => void;
  handshake?: boolean;
}

export async function startApp(t: TestContext, options: AppOptions): Promise<App> {
  const { onFrame = echo, answers = true, status = () => 200, callbackStatus = () => 200 } = options;
  const web = express();
  const server = createServer(web);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`; // a TCP server has no other kind
  const client = new CallAutomationClient(options.connectionString, {
    allowInsecureConnection: true,
    retryOptions: { maxRetries: 0 },
  });
  const app: App = {
    webhook: `http://${host}/incoming`,
    callbacks: `http://${host}/callbacks`,
    client,
    deliveries: [],
    upgrades: [],
    sockets: [],
    connections: [],
  };
  let events = 0;
  let callbacks = 0;

  web.use(express.json({ type: ['application/json', 'application/*+json'] }));
  web.use((request, _response, next) => {
    app.deliveries.push({ path: request.path, headers: request.headers, body: request.body });
    next();
  });
  web.options('/incoming', (_request, response) => {
    response.set('WebHook-Allowed-Origin', 'eventgrid.azure.net').set('WebHook-Allowed-Rate', '120').end();
  });
  web.post('/incoming', async (request, response) => {
    const event = Array.isArray(request.body) ? request.body[0] : request.body;
    if (event.eventType === 'Microsoft.EventGrid.SubscriptionValidationEvent') {
      const { validationCode } = event.data;
      response.json({ validationResponse: options.handshake === false ? 'no' : validationCode });
      return;
    }
    events += 1;
    const said = status(events);
    const { incomingCallContext } = event.data; // of a recording's file there is none
    // A call that is announced twice can be answered once: the second 404 is as it should be.
    if (said === 200 && answers && incomingCallContext)
      await answer(incomingCallContext).catch(ignoreRefusal);
    response.status(said).end();
  });
  web.post('/callbacks', (_request, response) => {
    callbacks += 1;
    response.status(callbackStatus(callbacks)).end();
  });

  async function answer(context: string) {
    const media: MediaStreamingOptions = {
      transportType: 'websocket',
      transportUrl: `ws://${host}/media`,
      contentType: 'audio',
      audioChannelType: 'mixed',
      startMediaStreaming: true,
      enableBidirectional: true,
      audioFormat: 'Pcm24KMono',
      enableDtmfTones: true,
      ...options.media,
    };
    const transcription: TranscriptionOptions = {
      transportType: 'websocket',
      transportUrl: `ws://${host}/transcription`,
      locale: 'en-US',
      startTranscription: true,
      ...options.transcription,
    };
    const { callConnection } = await client.answerCall(context, app.callbacks, {
      operationContext: 'answer',
      ...options.answer,
      ...(options.media !== null && { mediaStreamingOptions: media }),
      ...(options.transcription && { transcriptionOptions: transcription }),
    });
    app.connections.push(callConnection);
  }

  const sockets = new WebSocketServer({
    server,
    verifyClient: (_info, done) =>
      options.upgradeStatus === undefined ? done(true) : done(false, options.upgradeStatus),
  });
  sockets.on('connection', (socket, request) => {
    app.upgrades.push(request);
    app.sockets.push(socket);
    socket.on('error', () => {});
    socket.on('message', (data) => onFrame(data.toString(), socket));
    options.onSocket?.(socket);
  });

  t.after(async () => {
    for (const socket of sockets.clients) socket.terminate();
    server.close();
    server.closeAllConnections();
    await once(server, 'close');
  });
  return app;
}

function ignoreRefusal(error: unknown): void {
  if (!(error instanceof Error && 'statusCode' in error)) throw error;
}

/** Sends audio back, in the casing of Microsoft's .NET samples. */
export function echo(text: string, socket: WebSocket): void {
  const frame = JSON.parse(text);
  if (frame.kind !== 'AudioData') return;
  socket.send(
    JSON.stringify({ Kind: 'AudioData', AudioData: { Data: frame.audioData.data }, StopAudio: null }),
  );
}
