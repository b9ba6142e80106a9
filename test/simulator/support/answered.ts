import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import type { CallAutomationEvent, CallConnection } from '@azure/communication-call-automation';
import { parseCallAutomationEvent } from '@azure/communication-call-automation';
import type { CallOptions, SimulatedCall } from '../../../simulator/calls/handle.ts';
import type { Simulator, SimulatorOptions } from '../../../simulator/simulator.ts';
import { createSimulator } from '../../../simulator/simulator.ts';
import type { App, AppOptions } from './app.ts';
import { startApp } from './app.ts';

type Kind = CallAutomationEvent['kind'];
type Named<K extends Kind> = Extract<CallAutomationEvent, { kind: K }>;

/** A call that an app of Microsoft's packages has answered, ten times as fast as the world. */
export interface AnsweredCall {
  simulator: Simulator;
  app: App;
  call: SimulatedCall;
  connection: CallConnection;
  /** The event of an operation, as the SDK parses it, once it has been delivered. */
  event<K extends Kind>(kind: K, operationContext?: string): Promise<Named<K>>;
  /** The names of the events so far, but for those of the call itself. */
  names(): string[];
}

export async function answeredCall(
  t: TestContext,
  { app: appOptions, ...callOptions }: Omit<CallOptions, 'app'> & { app?: Partial<AppOptions> } = {},
  options: SimulatorOptions = {},
): Promise<AnsweredCall> {
  const simulator = await createSimulator({ frameMs: 2, keyMs: 1, graceMs: 200, ...options });
  t.after(() => simulator.close());
  const app = await startApp(t, { connectionString: simulator.connectionString, media: null, ...appOptions });
  const call = simulator.placeCall({ ...callOptions, app: app.webhook });
  await call.until('event', ({ event, status }) => event === 'ParticipantsUpdated' && status === 200);
  const [connection] = app.connections;
  assert.ok(connection);
  return { simulator, app, call, connection, ...eventsOf(app, call) };
}

/** What an app is told of a call. */
export function eventsOf(app: App, call: SimulatedCall): Pick<AnsweredCall, 'event' | 'names'> {
  const find = <K extends Kind>(kind: K, operationContext?: string) =>
    app.deliveries
      .filter(({ path }) => path === '/callbacks')
      .map(({ body }) => parseCallAutomationEvent(JSON.stringify(body)))
      .find((event): event is Named<K> => {
        if (event.kind !== kind || event.callConnectionId !== call.callConnectionId) return false;
        if (operationContext === undefined) return true;
        return 'operationContext' in event && event.operationContext === operationContext;
      });

  return {
    async event(kind, operationContext) {
      await call.until(
        'event',
        ({ event, status }) => event === kind && status === 200 && find(kind, operationContext) !== undefined,
      );
      const event = find(kind, operationContext);
      assert.ok(event);
      return event;
    },
    names: () => call.report().events.filter((name) => !/^(Call|Participants)/.test(name)),
  };
}
