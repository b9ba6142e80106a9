// A program under telemetry: requests in and out, upgrades, a call, numbers. Its output is what a span says of itself.

import { once } from 'node:events';
import { createServer, get } from 'node:http';
import { trace } from '@opentelemetry/api';
import express from 'express';
import { telemetry } from '../../src/telemetry.ts';

const call = '0af7651916cd43dd8448eb211c80319c';
const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';

const app = express();
const baggage: unknown[] = [];
app.get(['/healthz', '/readyz'], ({ headers }, response) => {
  baggage.push(headers.baggage);
  response.end();
});
app.post('/api/incoming-call', async (_request, response) => {
  telemetry.records?.write(
    JSON.stringify({
      level: 'warn',
      time: new Date().toISOString(),
      event: 'request.refused',
      reason: 'wrong_key',
    }),
  );
  await ask(`${origin}/readyz`);
  response.end();
});
app.post('/api/callbacks/:binding', (_request, response) => {
  telemetry.tag({ call, correlationId: 'a-correlation' });
  response.end();
});
app.use((_request, response) => void response.status(404).end());
const server = createServer(app).listen(0, '127.0.0.1');
await once(server, 'listening');
const address = server.address();
const origin = `http://127.0.0.1:${typeof address === 'object' && address?.port}`;

/** Reads the answer too: only then is the span over. */
async function ask(url: string, options?: RequestInit) {
  const response = await fetch(url, options);
  await response.text();
}
// What it can't make anything of ends nothing.
telemetry.records?.write('no line of a log');
await ask(`${origin}/healthz?probe=secret-query`);
await ask(`${origin}/api/incoming-call`, { method: 'POST', headers: { baggage: 'a=secret-baggage' } });
await ask(`${origin}/secret-path?of=secret-query`, {
  headers: { 'user-agent': 'secret-agent', traceparent },
});
await ask(`${origin}/secret-path/:binding`);
await ask(`${origin}/api/callbacks/secret-binding?q=secret-query`, { method: 'POST' });
await telemetry.within({ call, callConnectionId: 'a-connection' }, async () => {
  const path = '/calling/callConnections/secret-id/participants/4:+15550100?api-version=secret-query';
  const [response] = await once(get(`${origin}${path}`, { headers: { host: 'secret-host' } }), 'response');
  response.resume();
  await once(response, 'end');
});
server.close();
server.closeAllConnections();
await ask(`${origin}/calling/keys`).catch(() => {});

const route = '/ws/:binding';
telemetry.upgrade({ route, outcome: 'accepted', status: 101, checkMs: 2, call, traceparent });
telemetry.upgrade({
  route,
  outcome: 'refused',
  status: 403,
  checkMs: 1,
  reason: 'bad_binding',
  call,
  traceparent,
});
const time = new Date().toISOString();
telemetry.records?.write(
  JSON.stringify({ level: 'info', time, event: 'call.ended', call, reason: 'HungUp', lastedMs: 1500 }),
);
telemetry.watch(() => ({
  ...{ calls: 3, maxCalls: 500, upgradesWaiting: 2, bufferedBytes: 10, keysAgeMs: 61_000 },
  totals: {
    ...{ framesIn: 7, framesOut: 5, bytesIn: 70, bytesOut: 50, malformed: 0, refused: 1 },
    ...{ keysFetched: 1, keysFailed: 0, events: { CallConnected: 1 }, duplicates: 0 },
  },
}));

const span = trace.getTracer('test').startSpan('a span');
console.log(JSON.stringify({ isRecording: span.isRecording(), baggage }));
await telemetry.flush(10_000);
process.exit();
