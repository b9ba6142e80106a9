// POST /api/callbacks/:binding: what ACS says of the calls that were answered. The gate stands before it.

import type { Request, RequestHandler } from 'express';
import type { Binding } from '../auth/binding.ts';
import { createBodyReader } from '../body.ts';
import { createLogLimiter, type Logger } from '../log.ts';
import type { Telemetry } from '../telemetry/telemetry.ts';
import type { Calls } from './calls.ts';
import { eventsOf, parseCallEvent } from './events.ts';

/**
 * Middleware for callbacks: answers 200 at once and hands each event on, in the order in which they came.
 *
 * @param options.bindingOf the binding that the gate let the request in with, if any
 */
export function createCallbacks(options: {
  calls: Pick<Calls, 'deliver' | 'tagsOf'>;
  bindingOf: (req: Request) => Binding | undefined;
  tag: Telemetry['tag'];
  log: Logger;
}): RequestHandler {
  const { calls, bindingOf, tag, log } = options;
  const mayLog = createLogLimiter({ burst: 5, windowMs: 60_000 });
  // Whether ACS sends a content type with its callbacks is unconfirmed.
  const read = createBodyReader({ maxBytes: 1024 * 1024, typeRequired: false });

  function skip(binding: Binding | undefined) {
    const line = mayLog('no event');
    if (line) log.warn({ call: binding?.callId, ...line }, 'an element of a callback is no event: skipped');
  }

  return async (req, res) => {
    const binding = bindingOf(req);
    // For the records of a request whose body can't be read.
    if (binding) tag(calls.tagsOf(binding));
    const body = await read(req, res);
    res.status(200).end();
    for (const element of eventsOf(body)) {
      const event = parseCallEvent(element);
      const tags = event && calls.deliver(event, binding);
      if (!event) skip(binding);
      else if (tags) tag(tags);
    }
  };
}
