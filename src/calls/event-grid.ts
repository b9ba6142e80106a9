// The door that Event Grid knocks at: POST and OPTIONS /api/incoming-call.

import { createHash, timingSafeEqual } from 'node:crypto';
import type { RequestHandler, Response } from 'express';
import { CannotVerify, WrongEventGridKey } from '../auth/refusals.ts';
import { createBodyReader } from '../body.ts';
import { createLogLimiter, type Logger } from '../log.ts';
import {
  type Announcement,
  eventsOf,
  parseAnnouncement,
  parseIncomingCall,
  validationCode,
} from './events.ts';
import type { IncomingCalls, Outcome } from './incoming.ts';

export interface EventGridOptions {
  /** Secrets of which a delivery carries one in `x-event-grid-key`; undefined: no event is taken. */
  keys: readonly string[] | undefined;
  /** Undefined where this app answers no calls. */
  incomingCalls: IncomingCalls | undefined;
  log: Logger;
}

/** The only sender that is allowed to post CloudEvents here. */
const sender = 'eventgrid.azure.net';

/**
 * The handshake of a CloudEvents subscription
 * (https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/http-webhook.md, section 4).
 */
export const answerOptions: RequestHandler = (req, res) => {
  res.set('Allow', 'OPTIONS, POST');
  if (req.get('webhook-request-origin')?.toLowerCase() === sender) {
    res.set({ 'WebHook-Allowed-Origin': sender, 'WebHook-Allowed-Rate': '*' });
  }
  res.status(200).end();
};

/**
 * Middleware for deliveries, in the Event Grid schema and in CloudEvents. Every event needs the key. Only the
 * handshake does without, since nobody knows whether the secret header comes with it: for its sake a stranger's
 * body is read, up to 16 KiB.
 */
export function createEventGrid({ keys, incomingCalls, log }: EventGridOptions): RequestHandler {
  const readKnown = createBodyReader({ maxBytes: 1024 * 1024, typeRequired: true });
  const readStranger = createBodyReader({ maxBytes: 16 * 1024, typeRequired: true });
  const mayLog = createLogLimiter({ burst: 5, windowMs: 60_000 });
  const hasKey = createKeyCheck(keys ?? []);

  async function take(announcement: Announcement | undefined, answering: IncomingCalls): Promise<Outcome> {
    if (!announcement) {
      const line = mayLog('no event');
      if (line) log.warn(line, 'an element of a delivery is no event: skipped');
      return 'done';
    }
    if (announcement.type !== 'Microsoft.Communication.IncomingCall') {
      const type = announcement.type.slice(0, 256);
      log.debug({ type }, 'an event of Event Grid that is no incoming call: ignored');
      return 'done';
    }
    const call = parseIncomingCall(announcement.data);
    if (!call) {
      const line = mayLog('no context');
      if (line) log.warn(line, 'an incoming call without an incomingCallContext: it cannot be answered');
      return 'done';
    }
    return answering.announce(call);
  }

  function confirm(res: Response, code: string) {
    const line = mayLog('handshake');
    if (line) log.info(line, 'the handshake of an Event Grid subscription was answered');
    res.json({ validationResponse: code });
  }

  return async (req, res) => {
    const known = hasKey(req.get('x-event-grid-key'));
    const body = known ? await readKnown(req, res) : await readStranger(req, res).catch(() => undefined);
    const announcements = eventsOf(body).map(parseAnnouncement);

    const code = announcements.map(validationCode).find(Boolean);
    if (code && !(known && incomingCalls)) return confirm(res, code);
    if (!keys) throw new CannotVerify('not_configured');
    if (!known) throw new WrongEventGridKey();
    if (!incomingCalls) throw new CannotVerify('not_configured');

    const outcomes = await Promise.all(
      announcements.map((announcement) => take(announcement, incomingCalls)),
    );
    if (outcomes.includes('retry')) {
      res.status(503).json({ error: { code: 'try_again', message: 'Announce the call again' } });
    } else if (code) {
      confirm(res, code);
    } else {
      res.status(200).end();
    }
  };
}

/** Compares in constant time, whatever the lengths. */
function createKeyCheck(keys: readonly string[]) {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  const expected = keys.map(digest);
  return (given = '') => {
    const actual = digest(given);
    return expected.map((key) => timingSafeEqual(key, actual)).includes(true);
  };
}
