import { existsSync } from 'node:fs';
import { join, relative } from 'node:path';
import { Option } from 'commander';
import { createCommand, DEFAULT_PORT, fromHere, parsePort, untilSignal } from '../simulator/cli.ts';
import { createSimulator } from '../simulator/simulator.ts';
import type { AppProcess } from './dev-app.ts';
import { freePort, localEnv, root, startApp } from './dev-app.ts';
import { watchSaves } from './saves.ts';

const program = createCommand('dev')
  .description(
    'Runs the app, restarted whenever a file of it is saved, with a local Azure Communication Services.',
  )
  .option('--port <port>', "the simulator's port", parsePort, DEFAULT_PORT)
  .addOption(new Option('--app-port <port>', "the app's port").env('PORT').default(8080).argParser(parsePort))
  .option(
    '--env-file <file>',
    'use a real ACS resource instead: only the app runs, with this file as its environment',
  )
  .parse();

const options = program.opts<{ port: number; appPort: number; envFile?: string }>();
process.exitCode = await (options.envFile === undefined ? runLocally() : runWithFile(options.envFile));

/** The simulator in this process, the app in another: it restarts, the simulator goes on. */
async function runLocally(): Promise<number> {
  if (options.port !== 0 && options.port === options.appPort) {
    return fail(
      `The simulator and the app need a port each: --port and --app-port are both ${options.port}.`,
    );
  }
  const [port, appPort] = await Promise.all([freePort(options.port), freePort(options.appPort)]);
  if (port === undefined || appPort === undefined) {
    const taken = [...(port ? [] : [options.port]), ...(appPort ? [] : [options.appPort])];
    const ports = `Port ${taken.join(' and port ')} is in use (another npm run dev?)`;
    return fail(`${ports}: --port takes another for the simulator, --app-port for the app.`);
  }
  const simulator = await createSimulator({ port, app: `http://127.0.0.1:${appPort}/api/incoming-call` });
  console.log(`
  simulator  ${simulator.url}  a local Azure Communication Services
  app        http://127.0.0.1:${appPort}  restarts when you save

  Next, in another terminal: npm run call${port === DEFAULT_PORT ? '' : ` -- --simulator ${simulator.url}`}
  What happens on a call is in src/handler.ts. Change it, save, call again. Ctrl-C ends both.
`);
  const env = localEnv(simulator.env(), appPort);
  // What distinguishes calls and apps in a log of many, or says a thing twice, is in the way here.
  const hide = [
    ...['callConnectionId', 'correlationId', 'event', 'type', 'signal', 'drainMs'],
    ...[
      'version',
      'nodeVersion',
      'callBinding',
      'wsRefuse',
      'maxCallSeconds',
      'idleCallSeconds',
      'drainSeconds',
    ],
  ];
  const code = await keepRunning(() => startApp({ env, hide }));
  await simulator.close();
  return code;
}

async function runWithFile(file: string): Promise<number> {
  const envFile = fromHere(file);
  if (!existsSync(envFile)) return fail(`There is no file ${file}.`);
  console.log(`\n  The app runs with ${file}, and restarts when you save. Ctrl-C ends it.\n`);
  // Whatever the file says: a restart doesn't wait for calls, and an app that is killed would leave them behind.
  const env = { DRAIN_SECONDS: '0', ...process.env };
  return keepRunning(() => startApp({ env, envFile }), envFile);
}

/**
 * Starts the app again at each save, until told to end. One that has crashed waits for the next save.
 *
 * @param also a file outside of src that belongs to it
 */
async function keepRunning(start: () => AppProcess, ...also: string[]): Promise<number> {
  const saves = watchSaves([join(root, 'src'), ...also]);
  const ending = untilSignal();
  for (;;) {
    const save = saves.next();
    const app = start();
    let isStopping = false;
    void app.exited.then((code) => {
      if (!isStopping) console.error(`The app ended with ${code}. Mend it and save: it starts again.`);
    });
    const file = await Promise.race([ending, save]);
    isStopping = true;
    if (file === undefined) {
      saves.close();
      await app.stop();
      return 0;
    }
    console.log(`${relative(root, file)} was saved: the app starts again.`);
    await app.stop(3_000);
  }
}

function fail(why: string): number {
  console.error(why);
  return 1;
}
