// One run of the real app in which all happens that an operator asks about, and all that was secret in it.

import { once } from 'node:events';
import type { TestContext } from 'node:test';
import { WebSocket } from 'ws';
import type { SimulatedCall } from '../../simulator/calls/handle.ts';
import { exitOf, startBesideAcs } from '../support/process.ts';
import { startIngestion } from './ingestion.ts';
import { delayed } from './received.ts';

/** What a stranger writes into a request, wherever there is room. */
const written = 'secret-of-a-stranger';
/** The trace that requests say they belong to. */
export const claimedTrace = '4bf92f3577b34da6a3ce929d0e0e4736';
const traceparent = `00-${claimedTrace}-00f067aa0ba902b7-01`;
const callSigningKey = 'a-signing-key-of-calls-0123456789abcdef';
/** Lines of one refusal that the log takes in a window (createLogLimiter). */
const burst = 50;

/**
 * Runs the app until it is told to end. What was gathered by then is sent at the end alone.
 *
 * @returns what arrived, the calls by what became of them, and what may not have arrived
 */
export async function runEventfully(t: TestContext) {
  const ingestion = await startIngestion(t);
  const app = await startBesideAcs(t, {
    ...{ ...ingestion.env, ...delayed, CALL_SIGNING_KEY: callSigningKey, DRAIN_SECONDS: '0' },
    NODE_OPTIONS: '--import=./test/telemetry/later.ts',
  });
  const { simulator, url } = app;
  const token = await simulator.token();
  const secrets = new Map<string, string>(Object.entries({ token, written, callSigningKey }));
  secrets.set('the key of Event Grid', simulator.eventGridKey);
  secrets.set('the key of ACS', simulator.connectionString.split('accesskey=')[1] ?? '');
  const place = (from: string, to: string, seconds?: number) =>
    simulator.placeCall({ from, to, ...(seconds !== undefined && { seconds }) });

  // Two at once, of callers who hang up.
  const calls = [place('+15550111', '+15550112', 0.5), place('+15550121', '+15550122', 0.5)] as const;
  await Promise.all(calls.map(({ ended }) => ended));

  // One that ACS doesn't let the app answer: it says why in the words of the request.
  const echoed: string[] = [];
  const echo = {
    toJSON() {
      echoed.push(JSON.stringify(simulator.journal.entries.at(-1)));
      return { error: { code: 'BadRequest', message: echoed.at(-1) } };
    },
  };
  simulator.failNext('answerCall', { status: 400, body: echo });
  const unanswered = place('+15550131', '+15550132');
  await app.said('the call was not answered');
  unanswered.hangUp();

  // One that is still there at the end, and whose hang-up fails.
  const cutOff = place('+15550141', '+15550142');
  await cutOff.until('upgrade', ({ status }) => status === 101);
  const headers = { authorization: `Bearer ${token}`, traceparent };
  await cutOff.openMedia({ headers });

  const { media, events, eventsBinding } = addressesOf(cutOff);
  await refusedUpgrade(media, { traceparent });
  await refusedUpgrade(`${url.replace('http', 'ws')}/ws/${eventsBinding}`, headers);
  await refusedUpgrade(addressesOf(calls[0]).media, headers);

  const json = { 'content-type': 'application/json' };
  await visit(events, { method: 'POST', headers: { ...headers, ...json }, body: `{"${written}` });
  await visit(`${url}/healthz?of=${written}`);
  await visit(`${url}/readyz`);
  await visit(`${url}/${written}/secret-path?x=${written}`, { headers: { 'user-agent': written } });
  await visit(`${url}/api/callbacks/${written}?binding=${eventsBinding}`, {
    method: 'POST',
    headers: { ...headers, ...json },
    body: JSON.stringify([{ from: written }]),
  });
  const knock = () =>
    visit(`${url}/api/incoming-call?key=${simulator.eventGridKey}`, {
      method: 'POST',
      headers: { ...json, 'x-event-grid-key': written },
      body: '[]',
    });
  for (let times = 0; times <= burst; times += 1) await knock();
  app.child.kill('SIGHUP');
  await app.said('the clock jumped');
  await knock();

  simulator.failNext('terminate', { status: 403, body: echo });
  app.child.kill('SIGTERM');
  const exitCode = await exitOf(app.child);

  for (const call of simulator.calls) {
    const { from, to, incomingCallContext, serverCallId } = call;
    const numbers = { from: from.rawId.slice(2), to: to.rawId.slice(2) };
    const all = { ...numbers, incomingCallContext, serverCallId, ...addressesOf(call) };
    for (const [name, value] of Object.entries(all)) secrets.set(`${name} of ${call.id}`, value);
  }
  return {
    envelopes: ingestion.envelopes,
    text: ingestion.text,
    calls,
    unanswered,
    cutOff,
    echoed,
    secrets,
    exitCode,
  };
}

/** The addresses that the app made for a call, and the bindings in them. */
function addressesOf({ journal }: SimulatedCall) {
  const isAnswer = (entry: (typeof journal.entries)[number]) =>
    entry.type === 'request' && entry.operation === 'answerCall';
  const request = JSON.stringify(journal.entries.find(isAnswer));
  const read = (name: string) => new RegExp(`"${name}":"([^"]+)"`).exec(request)?.[1] ?? '';
  const [media, events] = [read('transportUrl'), read('callbackUri')];
  const bindingIn = (address: string) => address.split('/').at(-1) ?? '';
  return { media, events, mediaBinding: bindingIn(media), eventsBinding: bindingIn(events) };
}

export async function visit(address: string, request: RequestInit = {}): Promise<void> {
  const response = await fetch(address, request);
  await response.text();
}

export async function refusedUpgrade(address: string, headers: Record<string, string>): Promise<void> {
  const socket = new WebSocket(address, { headers });
  const [, response] = await once(socket, 'unexpected-response');
  response.resume();
  await once(response, 'close');
}
