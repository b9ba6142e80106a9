// Start and stop. The only file whose import does something.

import { createCallgate } from './callgate.ts';
import { type Config, ConfigError, loadConfig } from './config.ts';
import { handler } from './handler.ts';
import { createLog, describeError } from './log.ts';
import { flushTelemetry } from './telemetry.ts';

/** "Wrong configuration" in sysexits.h. */
const exConfig = 78;

const config = readConfig();
const log = createLog(config.logLevel);
for (const warning of config.warnings) log.warn(warning);

const callgate = createCallgate({ config, handler, log });
let stopping = false;
let crashing = false;
process.on('SIGTERM', stop);
process.on('SIGINT', stop);
process.on('uncaughtException', crash);
process.on('unhandledRejection', crash);
callgate.whenReady.then(() => log.info('ready'));

try {
  const port = await callgate.start();
  log.info({ port, publicUrl: config.publicUrl, maxCalls: config.maxCalls }, 'listening');
} catch (error) {
  log.fatal({ error: describeError(error) }, 'cannot listen');
  process.exit(1);
}

function readConfig(): Config {
  try {
    return loadConfig(process.env);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    console.error(error.message);
    process.exit(exConfig);
  }
}

/** The first signal drains; the second ends at once. */
async function stop(signal: NodeJS.Signals) {
  if (stopping) process.exit(1);
  stopping = true;
  log.info({ signal, calls: callgate.size, drainMs: config.drainMs }, 'stopping');
  await callgate.stop(config.drainMs);
  await flushTelemetry(3_000);
  log.info('stopped');
  process.exit(0);
}

/** Nobody knows what an error that nobody handled has left behind: the process ends, but not without a hang-up. */
async function crash(error: unknown) {
  if (crashing) return;
  crashing = true;
  log.fatal(
    { error: describeError(error) },
    'an error that nobody handled: the process ends, and with it every call',
  );
  setTimeout(() => process.exit(1), 10_000).unref();
  await callgate.stop(0, 3_000);
  await flushTelemetry(3_000);
  process.exit(1);
}
