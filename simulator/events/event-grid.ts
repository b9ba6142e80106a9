import { randomUUID } from 'node:crypto';
import { retry, send } from '../http/post.ts';
import type { Announced } from '../journal.ts';
import { wait } from '../wait.ts';
import type { EventSchema } from './announcements.ts';
import { eventGridEvent } from './announcements.ts';
import type { EventFate } from './event-faults.ts';
import { befalls, copiesOf } from './event-faults.ts';

/** No second attempt after these: the event is dropped, and the call with it. */
const FINAL = [400, 401, 403, 413];

const names: Record<Announced, string> = { call: 'IncomingCall', recording: 'RecordingFileStatusUpdated' };

/** An event for the app's webhook, and what may befall it. */
export interface Announcement extends EventFate {
  webhook: string;
  event: unknown;
  schema: EventSchema;
  what: Announced;
  /** Fires when it isn't true any more, such as that a call rings: from then on no further attempt is made. */
  until: AbortSignal;
}

/** One Event Grid subscription for each webhook that calls are announced to. */
export interface EventGrid {
  /**
   * Validates the webhook first if that hasn't been done, then delivers with Event Grid's retries.
   *
   * @returns false where the webhook didn't take it; what is lost, or on its way, may yet be taken
   */
  announce(announcement: Announcement): Promise<boolean>;
}

/**
 * @param options.key the secret that each delivery carries in `x-event-grid-key`
 * @param options.retryMs pauses before the next attempts, in milliseconds
 * @param options.timeoutMs how long an answer may take, in milliseconds
 * @param options.signal ends everything, answers that are awaited too
 */
export function createEventGrid({
  key,
  retryMs = [10_000, 30_000],
  timeoutMs = 30_000,
  now = Date.now,
  signal,
}: {
  key: string;
  signal: AbortSignal;
  retryMs?: readonly number[] | undefined;
  timeoutMs?: number | undefined;
  now?: () => number;
}): EventGrid {
  const validated = new Set<string>();

  /** Event Grid's handshake: nothing is delivered to a webhook that hasn't agreed to it. */
  async function validate({ webhook, schema, note, until }: Announcement): Promise<boolean> {
    const name = `${schema} ${webhook}`;
    if (validated.has(name)) return true;
    const handshake = schema === 'cloud-events' ? offerCloudEvents : offerEventGrid;
    return retry(retryMs, until, async () => {
      const { agreed, status, error } = await handshake(webhook);
      if (agreed) validated.add(name);
      const why = agreed
        ? undefined
        : (error ?? 'the webhook did not answer the validation as Event Grid asks');
      note({ type: 'announced', what: 'validation', status, error: why });
      return agreed;
    });
  }

  async function offerEventGrid(webhook: string) {
    const validationCode = randomUUID();
    const data = { validationCode, validationUrl: 'https://simulator.invalid/validate' };
    const event = eventGridEvent(
      'Microsoft.EventGrid.SubscriptionValidationEvent',
      '',
      '2',
      new Date(now()),
      data,
    );
    const outcome = await send(webhook, {
      body: JSON.stringify([event]),
      headers: {
        'content-type': 'application/json; charset=utf-8',
        'aeg-event-type': 'SubscriptionValidation',
      },
      timeoutMs,
      signal,
    });
    return {
      ...outcome,
      agreed: outcome.status === 200 && validationResponse(outcome.text) === validationCode,
    };
  }

  async function offerCloudEvents(webhook: string) {
    const origin = 'eventgrid.azure.net';
    const outcome = await send(webhook, {
      method: 'OPTIONS',
      headers: { 'webhook-request-origin': origin, 'webhook-request-rate': '120' },
      timeoutMs,
      signal,
    });
    const allowed = outcome.headers?.get('webhook-allowed-origin');
    return { ...outcome, agreed: outcome.status === 200 && (allowed === '*' || allowed === origin) };
  }

  async function deliver({ webhook, event, schema, what, note, until }: Announcement): Promise<boolean> {
    const contentType = schema === 'cloud-events' ? 'application/cloudevents+json' : 'application/json';
    let taken = false;
    await retry(retryMs, until, async () => {
      const { status, error } = await send(webhook, {
        body: JSON.stringify(event),
        headers: {
          'content-type': `${contentType}; charset=utf-8`,
          'aeg-event-type': 'Notification',
          'x-event-grid-key': key,
        },
        timeoutMs,
        signal,
      });
      note({ type: 'announced', what, status, error });
      taken = status !== undefined && status >= 200 && status < 300;
      return taken || (status !== undefined && FINAL.includes(status));
    });
    return taken;
  }

  /** Delivers, unless it befalls the event to be lost, or to come late: then perhaps when it isn't true any more. */
  async function dispatch(announcement: Announcement): Promise<boolean> {
    const name = names[announcement.what];
    if (befalls(announcement, 'loseEvents', name)) return true;
    if (!befalls(announcement, 'delayEvents', name)) return deliver(announcement);
    void wait(announcement.faults().delayEvents?.ms ?? 0, signal).then(() =>
      deliver({ ...announcement, until: signal }),
    );
    return true;
  }

  return {
    async announce(announcement) {
      if (!(await validate(announcement))) return false;
      const copies = copiesOf(announcement, names[announcement.what]);
      const taken = await Promise.all(Array.from({ length: copies }, () => dispatch(announcement)));
      return taken.includes(true);
    },
  };
}

function validationResponse(text: string): unknown {
  try {
    return (JSON.parse(text) as { validationResponse?: unknown } | null)?.validationResponse; // any shape will do
  } catch {
    return undefined;
  }
}
