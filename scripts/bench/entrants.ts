import { join } from 'node:path';
import { freePort } from '../dev-app.ts';
import { type CallsFor, startApp } from './app.ts';
import type { Processors } from './processors.ts';
import { type MeasuredServer, startServer } from './server.ts';
import type { Subject } from './subject.ts';

/** A kind of server to be measured. */
export interface Entrant {
  name: string;
  /** What it can do beside sending back what it hears. */
  can: readonly ('refuse' | 'play')[];
  start(callsFor: CallsFor): Promise<Subject>;
}

/** What all entrants are started with. */
export interface Surroundings {
  /** The environment that makes the simulator the ACS of an app. */
  simulator: Record<string, string>;
  /** One of its tokens. */
  token: string;
  parted: Processors | undefined;
}

/** Nothing but ws: the floor that Node gives. */
export const bareWs = (name: string, { token, parted }: Surroundings): Entrant => ({
  name,
  can: ['play'],
  async start(callsFor) {
    const file = callsFor === 'play' ? 'player.ts' : 'bare.ts';
    return { server: await startBeside(file, {}, parted), target: { path: '/ws', token } };
  },
});

/** What the documentation shows. */
export const documentedSample = (name: string, { simulator, token, parted }: Surroundings): Entrant => ({
  name,
  can: ['refuse'],
  start: async () => ({
    server: await startBeside('sample.ts', simulator, parted),
    target: { path: '/ws', token },
  }),
});

/** This app. @param telemetry what it reports to, and how it is known what has come of it; undefined: nobody */
export const thisApp = (
  name: string,
  { simulator, token, parted }: Surroundings,
  telemetry?: { connectionString: string } & Pick<Subject, 'records' | 'settled'>,
): Entrant => ({
  name,
  can: ['refuse', 'play'],
  async start(callsFor) {
    const server = await startApp(simulator, telemetry?.connectionString ?? '', parted, callsFor);
    const { records, settled } = telemetry ?? {};
    return { server, target: { path: '/ws', token }, records, settled };
  },
});

async function startBeside(
  file: string,
  env: Record<string, string>,
  parted: Processors | undefined,
): Promise<MeasuredServer> {
  const port = (await freePort(0)) ?? 0;
  return startServer({
    file: join(import.meta.dirname, file),
    env: { ...process.env, ...env, PORT: String(port) },
    port,
    parted,
  });
}
