import { join } from 'node:path';
import { freePort, localEnv, root } from '../dev-app.ts';
import type { Processors } from './processors.ts';
import { type MeasuredServer, startServer } from './server.ts';

/** What its calls are for: the echo that it ships with, or playing. */
export type CallsFor = 'echo' | 'play';

/**
 * Starts the app as `npm start` does. It lets in sockets without a binding: each is a call of its own, which ends with
 * it, so that nothing of one measurement is left for the next.
 *
 * @param simulator the environment that makes the simulator its ACS
 * @param telemetry what it reports to; empty: to nobody
 */
export async function startApp(
  simulator: Record<string, string>,
  telemetry: string,
  parted: Processors | undefined,
  callsFor: CallsFor = 'echo',
): Promise<MeasuredServer> {
  const port = await freePort(0);
  if (port === undefined) throw new Error('no port is free on 127.0.0.1');
  return startServer({
    file: `${root}/src/main.ts`,
    imports: [
      ...(callsFor === 'play' ? [join(import.meta.dirname, 'with-play-handler.ts')] : []),
      `${root}/src/telemetry.ts`,
    ],
    env: {
      ...localEnv(simulator, port),
      CALL_BINDING: 'optional',
      MAX_CALLS: '1000',
      APPLICATIONINSIGHTS_CONNECTION_STRING: telemetry,
      TELEMETRY_SAMPLING_RATIO: '1',
      // By default spans wait for 5 s: here what a measurement leaves behind must be out before the next.
      OTEL_BSP_SCHEDULE_DELAY: '1000',
    },
    port,
    parted,
  });
}
