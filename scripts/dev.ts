import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { Command, Option } from 'commander';
import { DEFAULT_PORT, isPortInUse, parsePort, untilSignal } from '../simulator/cli.ts';
import type { Simulator } from '../simulator/simulator.ts';
import { createSimulator } from '../simulator/simulator.ts';
import type { AppProcess } from './dev-app.ts';
import { freePort, localEnv, startApp } from './dev-app.ts';

const WATCH = ['--watch', '--watch-preserve-output'];

const program = new Command('npm run dev --')
  .description(
    'Runs the app, restarted whenever a file of it is saved, with a local Azure Communication Services.',
  )
  .option('--port <port>', "the simulator's port", parsePort, DEFAULT_PORT)
  .addOption(new Option('--app-port <port>', "the app's port").env('PORT').default(8080).argParser(parsePort))
  .option(
    '--env-file <file>',
    'use a real ACS resource instead: only the app runs, with this file as its environment',
  )
  .showHelpAfterError()
  .parse();

const { port, appPort, envFile } = program.opts<{ port: number; appPort: number; envFile?: string }>();
process.exitCode = await (envFile === undefined ? runLocally() : runWithFile(envFile));

/** The simulator in this process, the app in another: it restarts, the simulator goes on. */
async function runLocally(): Promise<number> {
  if ((await freePort(appPort)) === undefined)
    return fail(`Port ${appPort} is in use: --app-port takes another.`);
  const simulator = await startSimulator();
  if (!simulator) return fail(`Port ${port} is in use (another npm run dev?): --port takes another.`);
  console.log(`
  simulator  ${simulator.url}  a local Azure Communication Services
  app        http://127.0.0.1:${appPort}  restarts when you save

  Next, in another terminal: npm run call
  What happens on a call is in src/handler.ts. Change it, save, call again. Ctrl-C ends both.
`);
  // What distinguishes calls in a log of many is in the way here.
  const hide = ['callConnectionId', 'correlationId'];
  // The same key over all restarts: calls that run find their way back in.
  const key = { CALL_SIGNING_KEY: randomBytes(32).toString('base64url') };
  const code = await run(
    startApp({ nodeOptions: WATCH, env: { ...key, ...localEnv(simulator.env(), appPort) }, hide }),
  );
  await simulator.close();
  return code;
}

async function startSimulator(): Promise<Simulator | undefined> {
  try {
    return await createSimulator({ port, app: `http://127.0.0.1:${appPort}/api/incoming-call` });
  } catch (error) {
    if (isPortInUse(error)) return undefined;
    throw error;
  }
}

async function runWithFile(file: string): Promise<number> {
  const path = resolve(process.env.INIT_CWD ?? '.', file);
  if (!existsSync(path)) return fail(`There is no file ${file}.`);
  console.log(`\n  The app runs with ${file}, and restarts when you save. Ctrl-C ends it.\n`);
  return run(startApp({ nodeOptions: [...WATCH, `--env-file=${path}`], env: process.env }));
}

/** Until it ends by itself or we are told to. */
async function run(app: AppProcess): Promise<number> {
  const code = await Promise.race([app.exited, untilSignal().then(() => 0)]);
  await app.stop();
  return code ?? 1;
}

function fail(why: string): number {
  console.error(why);
  return 1;
}
