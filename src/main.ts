// Start and stop. The only file whose import does something.

import about from '../package.json' with { type: 'json' };
import { createCallgate } from './callgate.ts';
import { type Config, ConfigError, loadConfig } from './config.ts';
import { handler } from './handler.ts';
import { createLog, describeError } from './log.ts';
import { errorKeys, event, msSince } from './telemetry/event.ts';
import { telemetry } from './telemetry.ts';

/** "Wrong configuration" in sysexits.h. */
const exConfig = 78;

const config = readConfig();
const log = createLog(config.logLevel, telemetry.records);
telemetry.report(log);
for (const warning of config.warnings) log.warn(warning);

const callgate = createCallgate({ config, handler, log, telemetry });
telemetry.watch(callgate.stats);
let stopping = false;
let crashing = false;
process.on('SIGTERM', stop);
process.on('SIGINT', stop);
process.on('uncaughtException', crash);
process.on('unhandledRejection', crash);
callgate.whenReady.then(() => {
  log.info(event('callgate.ready', { readyMs: Math.round(performance.now()) }), 'ready');
});

try {
  const port = await callgate.start();
  log.info({ port, publicUrl: config.publicUrl, ...started() }, 'listening');
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

function started() {
  return event('callgate.started', {
    version: about.version,
    nodeVersion: process.version,
    callBinding: config.callBinding,
    wsRefuse: config.wsRefuse,
    maxCalls: config.maxCalls,
    maxCallSeconds: config.maxCallMs / 1000,
    idleCallSeconds: config.idleCallMs / 1000,
    drainSeconds: config.drainMs / 1000,
  });
}

/** The first signal drains; the second ends at once. */
async function stop(signal: NodeJS.Signals) {
  if (stopping) process.exit(1);
  stopping = true;
  const begun = performance.now();
  log.info(
    { ...event('callgate.stopping', { signal, calls: callgate.size }), drainMs: config.drainMs },
    'stopping',
  );
  await callgate.stop(config.drainMs);
  log.info(event('callgate.stopped', { stoppingMs: msSince(begun) }), 'stopped');
  await telemetry.flush(3_000);
  process.exit(0);
}

/** Nobody knows what an error that nobody handled has left behind: the process ends, but not without a hang-up. */
async function crash(error: unknown) {
  if (crashing) return;
  crashing = true;
  // First of all, since what follows may fail in its turn.
  process.exitCode = 1;
  setTimeout(() => process.exit(1), 10_000).unref();
  log.fatal(
    { ...event('callgate.crashed', errorKeys(error)), error: describeError(error) },
    'an error that nobody handled: the process ends, and with it every call',
  );
  await callgate.stop(0, 3_000);
  await telemetry.flush(3_000);
  process.exit(1);
}
