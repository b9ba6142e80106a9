// What a stranger sees of the app: how it is reached, what it answers, whom it refuses.

import { randomUUID } from 'node:crypto';
import { isLoopback } from '../../src/config-values.ts';
import { ask, pick } from './ask.ts';
import { type Finding, ok, type Patient, unchecked, wrong } from './check.ts';
import { knock } from './knock.ts';

export function checkHttps({ url }: Patient): Finding {
  if (url.protocol === 'https:') return ok('https');
  if (isLoopback(url)) return ok('http on this machine, which only a local ACS can reach');
  return wrong('plain http', 'ACS and Event Grid call https addresses only: name the https URL of the app');
}

/** Whether it is Callgate that answers. The other questions to the app depend on this one. */
export async function checkAlive({ url, settings, patienceMs }: Patient): Promise<Finding> {
  const { status, json } = await ask(new URL('/healthz', url), patienceMs);
  if (status === 200 && pick(json, 'status') === 'ok') return ok('/healthz answers 200');
  if (status === 403 && settings.RESTRICT_ACCESS === 'true') {
    return unchecked(
      'App Service lets in nobody from here, as RESTRICT_ACCESS says',
      'to look from outside, let your own address in for a while (access restrictions of the site)',
    );
  }
  const found = `/healthz answers ${status}, and not as Callgate does`;
  if (status === 403) {
    return wrong(
      found,
      'something before the app refuses you: access restrictions (RESTRICT_ACCESS), a firewall',
    );
  }
  if (status >= 300 && status < 500) {
    return wrong(
      found,
      'see that the URL is right, that the app is deployed (azd deploy), and that a tunnel asks for no sign-in',
    );
  }
  return wrong(found, 'the app does not run: its log says why (azd monitor --logs)');
}

export async function checkReady({ url, patienceMs }: Patient): Promise<Finding> {
  const { status } = await ask(new URL('/readyz', url), patienceMs);
  if (status === 200) return ok('/readyz answers 200: the app has keys to verify tokens with');
  return wrong(
    `/readyz answers ${status}: no call can be taken now`,
    'the app is about to stop, or could not fetch the signing keys: its log says which (ACS_ISSUER, ACS_JWKS_URL)',
  );
}

/** A bare upgrade: it has to arrive as one, and to be refused as one. A plain GET would be answered 426. */
export async function checkWebSocket({ url, patienceMs }: Patient): Promise<Finding> {
  const { status, challenge, json, closeCode } = await knock(new URL('/ws', url), patienceMs);
  if (status === 101 && closeCode === 4401) return ok('accepted and closed with 4401 (WS_REFUSE=close)');
  if (status === 101) {
    return wrong(
      'a WebSocket without a token is let in',
      'this is not Callgate, or not its gate: take it off the net',
    );
  }
  const isOurs = pick(json, 'error', 'code') === 'missing_token' && /^Bearer\b/i.test(challenge ?? '');
  if (status === 401 && isOurs) return ok('an upgrade without a token gets 401 and a challenge');
  if (status === 401) {
    return wrong(
      'an upgrade gets a 401 that is not of Callgate',
      'turn off what asks for a sign-in before the app does: App Service authentication, a tunnel that is not anonymous',
    );
  }
  return wrong(
    `an upgrade gets ${status} instead of 401`,
    'see that what stands before the app passes Upgrade and Connection on (on App Service: web sockets on)',
  );
}

const validation = 'Microsoft.EventGrid.SubscriptionValidationEvent';

/** Event Grid's question before it delivers anything (https://learn.microsoft.com/azure/event-grid/end-point-validation-event-grid-events-schema). */
export async function checkHandshake(patient: Patient): Promise<Finding> {
  const validationCode = randomUUID();
  const { status, json } = await deliver(patient, validation, { validationCode });
  if (status === 200 && pick(json, 'validationResponse') === validationCode) {
    return ok("Event Grid's handshake is answered");
  }
  return wrong(
    status === 200
      ? "Event Grid's handshake is answered without its code"
      : `Event Grid's handshake gets ${status}`,
    'no subscription can be made so: see that POST /api/incoming-call gets through to the app',
  );
}

/** An event that means nothing to the app: without the key, and with it where it is known to be for this app. */
export async function checkEventKey(patient: Patient): Promise<Finding> {
  const { status } = await deliver(patient, 'Callgate.Doctor', {});
  if (status === 503)
    return wrong(
      'the app has no EVENT_GRID_KEY',
      'set it; on App Service see that the Key Vault reference is resolved (environment variables of the site)',
    );
  if (status !== 401)
    return wrong(
      `an event without the key gets ${status} instead of 401`,
      'anyone could announce calls: take the app off the net',
    );
  const key = keyFor(patient);
  if (key === undefined) return ok('an event without the key gets 401');

  const { status: withKey } = await deliver(patient, 'Callgate.Doctor', {}, key);
  if (withKey === 200) return ok('an event without the key gets 401, with it 200');
  if (withKey === 401)
    return wrong(
      'the app has another EVENT_GRID_KEY',
      'restart the app with the one that is set here, or set the one of the app',
    );
  return wrong(
    `an event with the key gets ${withKey}`,
    'the app answers no calls: its log says at the start what it lacks (ACS_ENDPOINT, PUBLIC_URL, CALL_SIGNING_KEY)',
  );
}

/** The secret goes to nobody but the app that it is for, and not in the clear. */
function keyFor({ url, settings }: Patient): string | undefined {
  const isItsOwn = URL.parse(settings.PUBLIC_URL ?? '')?.origin === url.origin;
  const isPrivate = url.protocol === 'https:' || isLoopback(url);
  return isItsOwn && isPrivate ? settings.EVENT_GRID_KEY?.split(',')[0]?.trim() || undefined : undefined;
}

function deliver({ url, patienceMs }: Patient, eventType: string, data: object, key?: string) {
  const event = {
    id: randomUUID(),
    topic: '',
    subject: '',
    eventType,
    eventTime: new Date().toISOString(),
    data,
    dataVersion: '1',
    metadataVersion: '1',
  };
  return ask(new URL('/api/incoming-call', url), patienceMs, {
    method: 'POST',
    headers: {
      'content-type': 'application/json; charset=utf-8',
      'aeg-event-type': eventType === validation ? 'SubscriptionValidation' : 'Notification',
      ...(key !== undefined && { 'x-event-grid-key': key }),
    },
    body: JSON.stringify([event]),
  });
}
