// The routes, in the order in which a request meets them.

import type { IncomingMessage } from 'node:http';
import type { ErrorRequestHandler, Request, RequestHandler, Response } from 'express';
import type { Application } from 'express-ws';
import type { WebSocket } from 'ws';
import type { Gate } from './auth/gate.ts';
import { closeUnauthorized, sendRefusal } from './auth/refusal-answers.ts';
import { Refusal } from './auth/refusals.ts';
import type { CallIds } from './calls/acs-client.ts';
import { createCallbacks } from './calls/callbacks.ts';
import type { Calls } from './calls/calls.ts';
import { answerOptions, createEventGrid } from './calls/event-grid.ts';
import type { IncomingCalls } from './calls/incoming.ts';
import { createLogLimiter, describeError, type Logger } from './log.ts';
import { isMediaPath } from './server.ts';
import { event } from './telemetry/event.ts';
import type { Telemetry } from './telemetry/telemetry.ts';

export interface RouteOptions {
  gate: Gate;
  calls: Calls;
  /** Undefined: no event is taken. */
  eventGridKeys: readonly string[] | undefined;
  /** Undefined: no call is answered. */
  incomingCalls: IncomingCalls | undefined;
  /** Whether a call could be taken now. */
  ready: () => boolean;
  /** Told of the call that a callback is about. */
  tag: Telemetry['tag'];
  log: Logger;
}

/** Adds all routes to the app. Those of the sockets come first: middleware before them would lose first frames. */
export function addRoutes(app: Application, options: RouteOptions): void {
  const { gate, calls, eventGridKeys, incomingCalls, ready, tag, log } = options;
  const bindingOf = (request: IncomingMessage) => {
    const caller = gate.caller(request);
    return caller && 'claims' in caller ? caller.binding : undefined;
  };

  function connect(socket: WebSocket, request: Request) {
    const caller = gate.caller(request);
    if (caller && 'claims' in caller) {
      calls.connect(socket, caller.binding, callIdsOf(request), caller.checkMs);
    } else {
      closeUnauthorized(socket, caller?.closeReason ?? 'Unauthorized');
    }
  }
  app.ws('/ws', connect);
  app.ws('/ws/:binding', connect);
  app.all(['/ws', '/ws/:binding'], upgradeRequired);

  app.get('/healthz', (_request, response) => sendProbe(response, 200, 'ok'));
  app.get('/readyz', (_request, response) => {
    const isReady = ready() && !calls.draining;
    sendProbe(response, isReady ? 200 : 503, isReady ? 'ready' : 'not ready');
  });

  app
    .route('/api/incoming-call')
    .options(answerOptions)
    .post(createEventGrid({ keys: eventGridKeys, incomingCalls, log }))
    .all(onlyMethods('OPTIONS, POST'));
  app
    .route(['/api/callbacks', '/api/callbacks/:binding'])
    .post(gate.callbacks, createCallbacks({ calls, bindingOf, tag, log }))
    .all(onlyMethods('POST'));

  app.use((_request, response) => {
    sendError(response, { status: 404, code: 'not_found', message: 'There is nothing here' });
  });
  app.use(answerError(log));
}

/** Not by `json`, which would answer 304 to a probe that asks for it. */
function sendProbe(response: Response, code: number, status: string): void {
  response.status(code).type('json').end(JSON.stringify({ status }));
}

const upgradeRequired: RequestHandler = (request, response, next) => {
  if (!isMediaPath(request.url)) next();
  else if (request.method !== 'GET' && request.method !== 'HEAD') sendMethods(response, 'GET');
  else {
    response.set({ Upgrade: 'websocket', Connection: 'Upgrade, close' });
    sendError(response, { status: 426, code: 'upgrade_required', message: 'A WebSocket is expected here' });
  }
};

const onlyMethods =
  (allowed: string): RequestHandler =>
  (_request, response) =>
    sendMethods(response, allowed);

function sendMethods(response: Response, allowed: string): void {
  response.set('Allow', allowed);
  sendError(response, { status: 405, code: 'method_not_allowed', message: `Allowed here: ${allowed}` });
}

/** Turns errors into answers. */
function answerError(log: Logger): ErrorRequestHandler {
  const mayLog = createLogLimiter();

  /** Those of the gate it has logged itself: what comes here is from Event Grid's door. */
  function logRefusal({ status, reason, message }: Refusal) {
    const line = mayLog(reason);
    if (!line) return;
    const { suppressed } = line;
    const facts = { purpose: 'incoming-call', reason, status, checkMs: undefined, suppressed };
    log.warn(event('request.refused', facts), `refused: ${message}`);
  }

  return (error, _request, response, _next) => {
    if (response.headersSent) {
      response.destroy();
    } else if (error instanceof Refusal) {
      logRefusal(error);
      sendRefusal(response, error);
    } else {
      const answer = errorAnswer(Number(error?.status));
      if (answer.status === 500) log.error({ error: describeError(error) }, 'a request failed');
      sendError(response, answer);
    }
  };
}

interface ErrorAnswer {
  status: number;
  code: string;
  /** Goes outside: nothing of the input is in it. */
  message: string;
}

/** What is said of an error with a status of Express's or ours; one without is our fault. */
function errorAnswer(status: number): ErrorAnswer {
  if (status === 413) return { status, code: 'too_large', message: 'The body is too large' };
  if (status === 415)
    return { status, code: 'unsupported_media_type', message: 'The body must be plain JSON' };
  if (status >= 400 && status < 500)
    return { status: 400, code: 'bad_request', message: 'The request cannot be read' };
  return { status: 500, code: 'internal', message: 'Something went wrong here' };
}

function sendError(response: Response, { status, code, message }: ErrorAnswer): void {
  if (!response.get('Connection')) response.set('Connection', 'close');
  response.status(status).json({ error: { code, message } });
}

/** What ACS says of the call in an upgrade's headers. Unverified: any holder of a token can write them. */
export function callIdsOf({ headers }: IncomingMessage): Partial<CallIds> {
  const read = (name: string) => {
    const value = headers[name];
    return typeof value === 'string' && /^[\w.:-]{1,256}$/.test(value) ? value : undefined;
  };
  const callConnectionId = read('x-ms-call-connection-id');
  return {
    ...(callConnectionId !== undefined && { callConnectionId }),
    correlationId: read('x-ms-call-correlation-id'),
  };
}
