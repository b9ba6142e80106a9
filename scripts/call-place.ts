import { DEFAULT_PORT } from '../simulator/cli.ts';
import { createSimulator } from '../simulator/simulator.ts';
import type { ControlClient } from './call-client.ts';
import { CallError, findSimulator, whenReady } from './call-client.ts';
import { freePort, localEnv, startApp } from './dev-app.ts';

/** Where calls are placed. */
export interface Place extends AsyncDisposable {
  readonly client: ControlClient;
  /** Where the app's log is to be read, if not here. */
  readonly log?: string;
}

/**
 * A simulator that runs, or one made for this, with an app.
 *
 * @param options.simulator the URL of the one to use
 * @param options.app the incoming-call webhook, if not the one that the simulator knows
 * @param options.progress is told what takes its time
 * @throws {CallError} if one of them isn't there
 */
export async function findPlace({
  simulator: url,
  app,
  progress,
}: {
  simulator?: string;
  app?: string;
  progress: (line: string) => void;
}): Promise<Place> {
  const running = await findSimulator(url ?? `http://127.0.0.1:${DEFAULT_PORT}`);
  if (!running && url !== undefined) throw new CallError(`No simulator answers at ${url}.`);
  if (!running) return startPlace(progress);
  const webhook = app ?? running.app;
  if (webhook === undefined) throw new CallError('That simulator knows no app: --app says which to call.');
  progress(`calling ${webhook} through the simulator at ${running.url}`);
  await whenReady(webhook, { timeoutMs: 15_000, onWait: () => progress('waiting for the app…') });
  return { client: running, log: 'the terminal it runs in', [Symbol.asyncDispose]: async () => {} };
}

async function startPlace(progress: (line: string) => void): Promise<Place> {
  progress('no npm run dev found: starting a simulator and the app');
  const port = (await freePort(0)) ?? 0;
  const app = `http://127.0.0.1:${port}/api/incoming-call`;
  const simulator = await createSimulator({ app });
  // What a trial call does is no telemetry of anyone's.
  const { APPLICATIONINSIGHTS_CONNECTION_STRING, ...env } = localEnv(simulator.env(), port);
  const child = startApp({ env: { LOG_LEVEL: 'warn', ...env }, log: process.stderr });
  const end = async () => {
    await child.stop();
    await simulator.close();
  };
  try {
    await whenReady(app, { timeoutMs: 30_000, exited: child.exited });
    const client = await findSimulator(simulator.url);
    if (!client) throw new CallError('The simulator did not start.');
    return { client, [Symbol.asyncDispose]: end };
  } catch (error) {
    await end();
    throw error;
  }
}
