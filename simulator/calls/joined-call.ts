import { results } from '../events/results.ts';
import type { Exchange } from '../exchange.ts';
import { createCall } from './call.ts';
import type { Call, DialedOptions, JoinedCall, Setup } from './handle.ts';
import { createCallIds, createUser } from './identifiers.ts';

/** What the app joins, with what it asks of it. */
export interface Join {
  /** The call that it names; undefined where it joins a room or a group, which are always there. */
  serverCallId: string | undefined;
  setup: Setup;
}

/**
 * Joins the app to a call: it hears those who are in it, but not what they hear.
 *
 * @param joined the call that runs here. Where there is none, a stranger sits in the room or group.
 */
export function createJoinedCall(
  { serverCallId, setup }: Join,
  joined: Call | undefined,
  { outcome: _dialed, ...options }: DialedOptions,
  exchange: Exchange,
): JoinedCall {
  const app = createUser();
  const everyone = joined?.roster.all().map(({ identifier }) => identifier) ?? [];
  const [first = createUser(), ...others] = everyone.filter(({ rawId }) => rawId !== joined?.app.rawId);
  const call = createCall({
    ids: { ...createCallIds(), ...(joined && { serverCallId: joined.serverCallId }) },
    direction: 'joined',
    from: app,
    targets: [first],
    app,
    options,
    exchange,
  });

  async function enter() {
    if (call.over.aborted) return;

    if (call.fails('connect')) return call.end('the app could not join', results.failed);
    if (serverCallId !== undefined && !joined) return call.end('the app could not join', results.noCall);
    for (const other of others) call.roster.add(other);
    const proceed = await call.connect(setup, first);
    joined?.over.addEventListener('abort', () => call.end('the call that was joined is over'));
    if (joined?.over.aborted) call.end('the call that was joined is over');
    proceed();
  }

  call.claim(setup);
  return Object.assign(call, { enter: () => void enter() });
}
