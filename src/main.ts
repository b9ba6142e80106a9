// Start and stop. The only file whose import does something.

import { addRoutes } from './app.ts';
import { createBindings } from './auth/binding.ts';
import { createGate } from './auth/gate.ts';
import { AtCapacity, BindingRefused, CannotVerify, Draining, type Refusal } from './auth/refusals.ts';
import { createSigningKeys } from './auth/signing-keys.ts';
import { createAuthenticate } from './auth/strategy.ts';
import { type AcsClient, createAcsClient } from './calls/acs-client.ts';
import { createCalls, type NotAdmitted } from './calls/calls.ts';
import { createIncomingCalls } from './calls/incoming.ts';
import { type Config, ConfigError, loadConfig } from './config.ts';
import { handler } from './handler.ts';
import { createLog, describeError } from './log.ts';
import { createHttpServer, listen } from './server.ts';
import { flushTelemetry } from './telemetry.ts';

const config = readConfig();
const log = createLog(config.logLevel);
for (const warning of config.warnings) log.warn(warning);

const keys = config.token && createSigningKeys({ jwksUrl: config.token.jwksUrl, log });
const bindings = config.callSigningKeys && createBindings({ keys: config.callSigningKeys });
const client = config.acs && createAcsClient(config.acs);
const ready = () => keys?.ready ?? false;
const calls = createCalls({
  handler,
  client,
  maxCalls: config.maxCalls,
  maxCallMs: config.maxCallMs,
  idleMs: config.idleCallMs,
  log,
});
const gate = createGate({
  authenticate: keys && config.token ? createAuthenticate({ keys, expected: config.token }) : refuseAll,
  bindings,
  callBinding: config.callBinding,
  wsRefuse: config.wsRefuse,
  admit: (binding) => notAdmitted(calls.admit(binding)),
  mayCallBack: (binding) =>
    binding && !calls.mayReport(binding) ? new BindingRefused('too_late') : undefined,
  log,
});
const { server, app, sockets } = createHttpServer(gate);
addRoutes(app, {
  gate,
  calls,
  eventGridKeys: config.eventGridKeys,
  incomingCalls:
    client && bindings && config.publicUrl
      ? createIncomingCalls({ calls, client, bindings, publicUrl: config.publicUrl, ready, log })
      : undefined,
  ready,
  log,
});

let stopping = false;
process.on('SIGTERM', stop);
process.on('SIGINT', stop);
process.on('unhandledRejection', crash);
process.on('uncaughtException', crash);

try {
  const port = await listen(server, config.port, config.host);
  log.info({ port, publicUrl: config.publicUrl, maxCalls: config.maxCalls }, 'listening');
} catch (error) {
  log.fatal({ error: describeError(error) }, 'cannot listen');
  process.exit(1);
}
keys?.start();
keys?.whenReady.then(() => log.info('ready'));
if (client) await signIn(client);

/** Exit code 78: wrong configuration (sysexits.h). */
function readConfig(): Config {
  try {
    return loadConfig(process.env);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    console.error(error.message);
    process.exit(78);
  }
}

function notAdmitted(why: NotAdmitted | undefined): Refusal | undefined {
  switch (why) {
    case 'ended':
      return new BindingRefused('call_ended');
    case 'late':
      return new BindingRefused('too_late');
    case 'draining':
      return new Draining();
    case 'full':
      return new AtCapacity();
    case undefined:
      return undefined;
  }
}

async function refuseAll(): Promise<never> {
  throw new CannotVerify('not_configured');
}

/** Learns at the start whether the identity works, rather than with the first call. */
async function signIn(acs: AcsClient) {
  try {
    await acs.signIn(AbortSignal.timeout(30_000));
    log.info('signed in to ACS');
  } catch (error) {
    log.error(
      { error: describeError(error) },
      'cannot sign in to ACS: no call can be answered until this works',
    );
  }
}

/** The first signal drains, the second ends at once. */
async function stop(signal: NodeJS.Signals) {
  if (stopping) process.exit(1);
  stopping = true;
  log.info(
    { signal, calls: calls.size, drainMs: config.drainMs },
    'stopping: running calls may go on for a while',
  );
  await calls.drain(config.drainMs, 5_000);
  keys?.close();
  for (const socket of sockets.clients) socket.terminate();
  server.close();
  server.closeAllConnections();
  await flushTelemetry(3_000);
  log.info('stopped');
  process.exit(0);
}

/** What nobody caught leaves the process in a state that nobody knows. */
async function crash(error: unknown) {
  log.fatal({ error: describeError(error) }, 'an error that nobody handled: the process ends');
  await flushTelemetry(3_000);
  process.exit(1);
}
