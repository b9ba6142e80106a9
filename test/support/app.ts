import { once } from 'node:events';
import { Writable } from 'node:stream';
import type { TestContext } from 'node:test';
import { pino } from 'pino';
import type { Simulator, SimulatorOptions } from '../../simulator/simulator.ts';
import { createSimulator } from '../../simulator/simulator.ts';
import { type Callgate, type CallgateOptions, createCallgate } from '../../src/callgate.ts';
import type { Call, Handler } from '../../src/calls/call.ts';
import { type Config, loadConfig } from '../../src/config.ts';
import { freePort } from './free-port.ts';
import { createLogLines, type LogLines } from './log-lines.ts';

export interface AppOptions
  extends Pick<CallgateOptions, 'calls' | 'incoming' | 'signingKeys' | 'telemetry'> {
  /** By default one that does nothing. */
  handler?: Handler;
  /** The environment beside what the simulator says. */
  env?: Record<string, string>;
  /** What the environment can't say, such as limits of less than a second. */
  config?: Partial<Config>;
  simulator?: SimulatorOptions;
  /** False: the app is returned before it has its first keys. */
  ready?: boolean;
}

/** The real app against a local ACS, in this process. */
export interface App {
  readonly simulator: Simulator;
  readonly callgate: Callgate;
  readonly url: string;
  /** Every line of the log so far. */
  readonly log: LogLines;
  /** Posts to the webhook as Event Grid does, with the right key unless told otherwise. */
  announce(body: unknown, headers?: Record<string, string>): Promise<Response>;
}

const patienceMs = 20_000;

/** Starts the app and a simulator for it; both end with the test. */
export async function startApp(t: TestContext, options: AppOptions = {}): Promise<App> {
  const { handler = () => {}, env = {}, config = {}, ready = true } = options;
  const { calls, incoming, signingKeys, telemetry } = options;
  const port = Number(await freePort());
  const url = `http://127.0.0.1:${port}`;
  const simulator = await createSimulator({
    app: `${url}/api/incoming-call`,
    waitMs: patienceMs,
    eventGridRetryMs: [],
    ...options.simulator,
  });
  const log = createLogLines(patienceMs);
  const stream = new Writable({
    write(chunk, _encoding, done) {
      log.add(String(chunk));
      done();
    },
  });
  const callgate = createCallgate({
    config: {
      ...loadConfig({ ...simulator.env(), PORT: String(port), PUBLIC_URL: url, ...env }),
      ...config,
    },
    handler,
    log: pino({ level: 'trace' }, stream),
    ...(calls && { calls }),
    ...(incoming && { incoming }),
    ...(signingKeys && { signingKeys }),
    ...(telemetry && { telemetry }),
  });
  try {
    await callgate.start();
  } catch (error) {
    await simulator.close();
    // Somebody was quicker to take the port that was free.
    if (error instanceof Error && 'code' in error && error.code === 'EADDRINUSE') return startApp(t, options);
    throw error;
  }
  t.after(async () => {
    await callgate.stop(0);
    await simulator.close();
  });
  if (ready) await callgate.whenReady;

  return {
    simulator,
    callgate,
    url,
    log,
    announce: (body, headers = {}) =>
      fetch(`${url}/api/incoming-call`, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          'x-event-grid-key': simulator.eventGridKey,
          ...headers,
        },
        body: typeof body === 'string' ? body : JSON.stringify(body),
      }),
  };
}

/** A handler that hands its first call to the test, and runs another one if there is one. */
export function catchCall(then: Handler = () => {}): { handler: Handler; call: Promise<Call>; runs: number } {
  const { promise, resolve } = Promise.withResolvers<Call>();
  const caught = {
    handler(call: Call) {
      caught.runs += 1;
      resolve(call);
      return then(call);
    },
    call: promise,
    runs: 0,
  };
  return caught;
}

/** Resolves when a call has ended. */
export async function end(call: Call): Promise<void> {
  if (!call.signal.aborted) await once(call.signal, 'abort');
}
