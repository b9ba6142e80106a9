import {
  createCommand,
  DEFAULT_PORT,
  isPortInUse,
  parsePort,
  parseSeed,
  parseUrl,
  untilSignal,
} from './cli.ts';
import { createSimulator } from './simulator.ts';

const program = createCommand('simulator')
  .description('A local Azure Communication Services. Prints the environment of an app that is to use it.')
  .option('--port <port>', 'port on 127.0.0.1', parsePort, DEFAULT_PORT)
  .option(
    '--app <url>',
    'incoming-call webhook of the app',
    parseUrl,
    'http://127.0.0.1:8080/api/incoming-call',
  )
  .option('--numbers <numbers...>', 'phone numbers of the resource, which the app may call from', [
    '+15550199',
  ])
  .option('--entra', 'a local Entra ID and https: the environment of an app with a managed identity')
  .option('--seed <number>', 'makes the faults that happen by chance happen again', parseSeed)
  .parse();

interface Options {
  port: number;
  app: string;
  numbers: string[];
  entra?: boolean;
  seed?: number;
}

const { port, ...options } = program.opts<Options>();

try {
  const simulator = await createSimulator({ port, ...options });
  // The environment alone goes to stdout, quoted for a shell, so that it can be kept in a file.
  for (const [name, value] of Object.entries(simulator.env())) console.log(`export ${name}='${value}'`);
  console.error(`
A local ACS runs at ${simulator.url} and announces calls to ${options.app}.
Start an app with the environment above, then: npm run call -- --simulator ${simulator.url}`);
  await untilSignal();
  await simulator.close();
} catch (error) {
  if (!isPortInUse(error)) throw error;
  console.error(`Port ${port} is in use: --port takes another.`);
  process.exitCode = 1;
}
