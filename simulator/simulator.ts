import { randomBytes, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import type { CallOptions, DialedOptions, DialedOutcome, SimulatedCall } from './calls/handle.ts';
import { createSwitchboard } from './calls/switchboard.ts';
import { createControl } from './control/control.ts';
import type { ScenarioFile } from './control/scenario.ts';
import { createScenarioQueue } from './control/scenario-queue.ts';
import type { ScenarioProgress, ScenarioReport } from './control/scenario-run.ts';
import { createEventGrid } from './events/event-grid.ts';
import type { Durations, Exchange } from './exchange.ts';
import { defaultDurations } from './exchange.ts';
import { createFaultPlan } from './faults/fault-plan.ts';
import type { AnswerFault, CallFaults, FaultChanges, Faults } from './faults/faults.ts';
import type { Handler } from './http/http.ts';
import { createLocalServer } from './http/http.ts';
import type { Happening, Journal } from './journal.ts';
import { createJournal } from './journal.ts';
import { makeSpeech } from './media/speech.ts';
import { createTicker } from './media/ticker.ts';
import type { Sound } from './media/wav.ts';
import { createRecordingFiles } from './recordings/recording-files.ts';
import { createRest } from './rest/rest.ts';
import { createCredentialCheck } from './tokens/credentials.ts';
import { createDiscovery } from './tokens/discovery.ts';
import type { Entra } from './tokens/entra.ts';
import { createKeys } from './tokens/keys.ts';

/** All optional. */
export interface SimulatorOptions extends Partial<Durations> {
  /** Port on 127.0.0.1. By default any that is free. */
  port?: number;
  /** The app's incoming-call webhook; a call may name another. */
  app?: string;
  /** Who signs the tokens. By default the simulator's own URL. */
  issuer?: string;
  /** The resource's immutable id. By default a new GUID. */
  audience?: string;
  /** Starts a local Entra ID, and https: for apps that sign in with a managed identity. */
  entra?: boolean;
  /** The resource's phone numbers, which its app may call from. By default +15550199. */
  numbers?: readonly string[];
  /** What becomes of the calls that the app makes. By default they are accepted. */
  dialed?: DialedOutcome | DialedOptions;
  /** The secret that each Event Grid delivery carries. By default a new one. */
  eventGridKey?: string;
  /** Pauses between Event Grid's attempts, and how long an answer to it may take, in milliseconds. */
  eventGridRetryMs?: readonly number[];
  eventGridTimeoutMs?: number;
  /** What the key set takes while it is slow, in milliseconds. */
  slowKeysMs?: number;
  /** What the chance in faults depends on. By default another one each time: it is in `faults`. */
  seed?: number;
  /** Calls that are listed, and bytes of audio of those that have ended: the oldest of them are forgotten first. */
  keepCalls?: number;
  keepBytes?: number;
  /** Clocks in milliseconds: since 1970, and monotonic. */
  now?: () => number;
  clock?: () => number;
  /** Is told every happening, with the call's id where it belongs to one. */
  onHappening?: (happening: Happening, callId?: string) => void;
  /** Is told after each turn of the calls' clock how late the last frame of it was sent, in milliseconds. */
  onTurn?: (lateMs: number) => void;
}

/** A local Azure Communication Services. */
export interface Simulator {
  readonly url: string;
  readonly connectionString: string;
  readonly audience: string;
  readonly issuer: string;
  readonly jwksUrl: string;
  readonly eventGridKey: string;
  /** The local Entra ID, where it was asked for. */
  readonly entra: Entra | undefined;
  readonly numbers: readonly string[];
  /** The environment that makes an app take this simulator for ACS. */
  env(): Record<string, string>;
  /** Places a call. It is announced at once. */
  placeCall(options?: CallOptions): SimulatedCall;
  /** From now on this becomes of the calls that the app makes. The function takes it back. */
  setDialed(dialed: DialedOutcome | DialedOptions): () => void;
  /** The calls, whoever made them. */
  readonly calls: readonly SimulatedCall[];
  /** What happened in all calls, and outside of them. */
  readonly journal: Journal;
  readonly until: Journal['until'];
  readonly faults: Faults;
  /**
   * Changes some faults; the rest stay as they are.
   *
   * @throws ZodError, which names the field that is wrong
   */
  setFaults(changes: FaultChanges): void;
  /** Spoils the next answers of a REST operation. The function takes back what is left of it. */
  failNext(operation: string, fault?: AnswerFault): () => void;
  /**
   * Plays a call as a scenario has it, once those before it are over.
   *
   * @throws {ScenarioError} with every fault of a scenario that is none
   */
  runScenario(scenario: ScenarioFile): Promise<ScenarioReport>;
  /** Where the scenario is that runs. */
  readonly scenario: ScenarioProgress | undefined;
  /** From now on another key signs tokens. */
  rotateKeys(): Promise<void>;
  /** A token such as ACS sends, with 24 hours to live unless told otherwise. */
  token(lifetimeSeconds?: number): Promise<string>;
  /** Ends every call and everything else. */
  close(): Promise<void>;
}

/**
 * Starts a local ACS on 127.0.0.1: its REST API, tokens and keys, Event Grid, callback events and media.
 *
 * @throws the error of `listen`: EADDRINUSE where the port is taken
 */
export async function createSimulator(options: SimulatorOptions = {}): Promise<Simulator> {
  const { port = 0, now = Date.now, clock = () => performance.now() } = options;
  const { numbers = ['+15550199'], keepCalls = 1_000, keepBytes = 512 * 1024 * 1024 } = options;
  const audience = options.audience ?? randomUUID();
  const eventGridKey = options.eventGridKey ?? randomBytes(32).toString('base64url');
  const accessKey = randomBytes(64);
  const closing = new AbortController();
  const { signal } = closing;
  const spans: Durations = { ...defaultDurations, ...options };
  const ticker = createTicker({ periodMs: spans.frameMs, clock, onTurn: options.onTurn });
  const journal = createJournal({
    waitMs: spans.waitMs,
    now,
    also: (entry) => options.onHappening?.(entry, entry.callId),
  });
  const plan = createFaultPlan(options.seed);
  let speech: Sound | undefined;

  const ready = Promise.withResolvers<Handler>();
  const handle: Handler = async (request) => (await ready.promise)(request);
  const { server, port: bound } = await createLocalServer({ port, handle });
  const url = `http://127.0.0.1:${bound}`;
  // Who doesn't ask for it doesn't wait for it: making certificates takes a library of its own, and time.
  const opening = options.entra
    ? import('./tokens/entra.ts').then(({ createEntra }) => createEntra({ url, handle, now }))
    : undefined;
  const entra = await opening?.catch((error) => {
    server.close(); // nobody gets a handle to do it with
    throw error;
  });
  const issuer = options.issuer ?? url;
  const jwksUrl = `${url}/calling/keys`;
  const shared = { faults: () => plan.current, signal, now };
  const keys = await createKeys({ ...shared, issuer, audience });
  const eventGrid = createEventGrid({
    ...shared,
    key: eventGridKey,
    retryMs: options.eventGridRetryMs,
    timeoutMs: options.eventGridTimeoutMs,
  });

  const files = createRecordingFiles({ resourceId: audience });
  function exchangeFor(own?: CallFaults): Exchange {
    const fate = plan.forCall(own);
    return {
      ...shared,
      ...fate,
      app: options.app,
      numbers,
      keys: { ...keys, token: (lifetimeSeconds) => keys.token(lifetimeSeconds, fate.faults().token) },
      ticker,
      eventGrid,
      files,
      clock,
      speech: () => (speech ??= makeSpeech(24_000)),
      note: journal.take,
      durations: spans,
    };
  }
  const calls = createSwitchboard({ exchangeFor, keepCalls, keepBytes, dialed: options.dialed });
  const rest = createRest({
    ...shared,
    checkCredentials: createCredentialCheck({ accessKey, entra, now }),
    calls,
    files,
    note: (happening, names) => (calls.named(names)?.journal ?? journal).add(happening),
  });

  const simulator: Simulator = {
    url,
    connectionString: `endpoint=${url}/;accesskey=${accessKey.toString('base64')}`,
    audience,
    issuer,
    jwksUrl,
    eventGridKey,
    entra,
    journal,
    numbers,
    calls: calls.all,
    until: journal.until,
    get faults() {
      return plan.current;
    },
    env: () => ({
      ...(entra?.env() ?? { ACS_CONNECTION_STRING: simulator.connectionString }),
      ACS_AUDIENCE: audience,
      ACS_ISSUER: issuer,
      ACS_JWKS_URL: jwksUrl,
      EVENT_GRID_KEY: eventGridKey,
      ...(options.app !== undefined && { PUBLIC_URL: new URL(options.app).origin }),
    }),
    placeCall: calls.place,
    setDialed: calls.setDialed,
    setFaults: plan.change,
    failNext: rest.failNext,
    runScenario: (scenario) => scenarios.run(scenario),
    get scenario() {
      return scenarios.current;
    },
    rotateKeys: keys.rotate,
    token: (lifetimeSeconds = 24 * 3600) => keys.token(lifetimeSeconds),
    async close() {
      closing.abort();
      for (const call of calls.all) {
        call.end('the simulator closed');
        call.journal.close();
      }
      ticker.close();
      journal.close();
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await Promise.all([closed, entra?.close()]);
    },
  };

  const scenarios = createScenarioQueue({
    simulator,
    app: options.app,
    secondMs: 50 * spans.frameMs,
    signal,
  });
  const discovery = createDiscovery({
    ...shared,
    keys,
    issuer,
    jwksUrl,
    slowMs: options.slowKeysMs,
  });
  const control = createControl(simulator, options.app);
  ready.resolve(async (request) => {
    if (/^\/_simulator(\/|$)/.test(request.path)) return control(request);
    return discovery(request) ?? entra?.answer(request) ?? rest.handle(request);
  });
  return simulator;
}
