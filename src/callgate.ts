// The whole app, wired: which part is handed which.

import { addRoutes, callIdsOf } from './app.ts';
import { createBindings } from './auth/binding.ts';
import { createGate, type Decision } from './auth/gate.ts';
import { CannotVerify } from './auth/refusals.ts';
import { createSigningKeys, type SigningKeysOptions } from './auth/signing-keys.ts';
import { createAuthenticate } from './auth/strategy.ts';
import { asAcsError, createAcsClient } from './calls/acs-client.ts';
import type { Handler } from './calls/call.ts';
import { type CallsOptions, createCalls } from './calls/calls.ts';
import { createIncomingCalls, type IncomingCallsOptions } from './calls/incoming.ts';
import type { Config } from './config.ts';
import type { Logger } from './log.ts';
import { closeServer, createHttpServer, listen } from './server.ts';
import { noTelemetry, type Stats, type Telemetry } from './telemetry/telemetry.ts';

export interface CallgateOptions {
  config: Config;
  handler: Handler;
  log: Logger;
  /** What the app tells beside its log. */
  telemetry?: Pick<Telemetry, 'upgrade' | 'within' | 'tag'>;
  /** Durations other than the standard ones. */
  signingKeys?: Partial<SigningKeysOptions>;
  calls?: Partial<Pick<CallsOptions, 'limits' | 'admitMs' | 'reportMs' | 'now' | 'playbackClock'>>;
  incoming?: Partial<Pick<IncomingCallsOptions, 'answerMs' | 'rememberMs' | 'now'>>;
}

export type Callgate = ReturnType<typeof createCallgate>;

/** Wires the app. Nothing happens before `start`. */
export function createCallgate(options: CallgateOptions) {
  const { config, handler, log, telemetry = noTelemetry, ...durations } = options;
  const { token, publicUrl } = config;
  const { within, tag } = telemetry;
  const keys = token && createSigningKeys({ jwksUrl: token.jwksUrl, log, ...durations.signingKeys });
  const bindings = config.callSigningKeys && createBindings({ keys: config.callSigningKeys });
  const client = config.acs && createAcsClient(config.acs);
  const ready = () => keys?.ready ?? false;

  const calls = createCalls({
    handler,
    client,
    maxCalls: config.maxCalls,
    maxCallMs: config.maxCallMs,
    idleMs: config.idleCallMs,
    within,
    log,
    ...durations.calls,
  });
  const gate = createGate({
    authenticate: keys && token ? createAuthenticate({ keys, expected: token }) : cannotVerify,
    bindings,
    callBinding: config.callBinding,
    wsRefuse: config.wsRefuse,
    admit: calls.admit,
    admitEvents: calls.admitEvents,
    onUpgrade,
    describe: calls.tagsOf,
    log,
  });
  const { server, app, sockets } = createHttpServer(gate);
  const incomingCalls =
    client && bindings && publicUrl
      ? createIncomingCalls({
          ...{ calls, client, bindings, publicUrl, ready, within, tag, log },
          ...durations.incoming,
        })
      : undefined;
  addRoutes(app, { gate, calls, eventGridKeys: config.eventGridKeys, incomingCalls, ready, tag, log });

  function onUpgrade({ request, binding, ...decision }: Decision) {
    const { traceparent } = request.headers;
    // Headers prove nothing: they count only for who was let in, and where nothing better is known.
    const claimed = decision.outcome === 'accepted' ? callIdsOf(request).correlationId : undefined;
    telemetry.upgrade({
      ...decision,
      route: /^\/ws($|\?)/.test(request.url ?? '') ? '/ws' : '/ws/:binding',
      call: binding?.callId,
      correlationId: (binding && calls.tagsOf(binding).correlationId) ?? claimed,
      traceparent: typeof traceparent === 'string' ? traceparent : undefined,
    });
  }

  /** Learns at the start whether the managed identity works, rather than with the first call. */
  async function signIn() {
    if (!client || !config.acs || 'connectionString' in config.acs) return;
    try {
      await client.signIn(AbortSignal.timeout(30_000));
      log.info('signed in to ACS with the managed identity');
    } catch (error) {
      const help = 'Check AZURE_CLIENT_ID on Azure; elsewhere run az login or azd auth login';
      log.error({ why: asAcsError(error).message, help }, 'cannot sign in to ACS: no call can be answered');
    }
  }

  return {
    /** Listens and fetches the first keys. @returns the port @throws the system's error, such as EADDRINUSE */
    async start() {
      const port = await listen(server, config.port, config.host);
      keys?.start();
      void signIn();
      return port;
    },
    /** Resolves when tokens can be verified; never where the configuration lacks what that takes. */
    whenReady: keys?.whenReady ?? new Promise<void>(() => {}),
    /** How many calls there are. */
    get size() {
      return calls.size;
    },
    /** Numbers to report. They are gathered when they are asked for. */
    stats(): Stats {
      const { fetched = 0, failed = 0, waiting = 0, ageMs } = keys?.stats ?? {};
      const { totals, ...now } = calls.stats;
      return {
        ...now,
        upgradesWaiting: waiting,
        keysAgeMs: ageMs,
        totals: { ...totals, keysFetched: fetched, keysFailed: failed },
      };
    },
    /**
     * Takes no more calls, lets those that are running go on, then ends the rest and closes everything.
     *
     * @param drainMs how long running calls may go on, in milliseconds
     * @param hangUpMs how long the hang-ups after that may take, in milliseconds
     */
    async stop(drainMs: number, hangUpMs = 5_000) {
      await calls.drain(drainMs, hangUpMs);
      keys?.close();
      await closeServer(server, sockets);
    },
  };
}

async function cannotVerify(): Promise<never> {
  throw new CannotVerify('not_configured');
}
