// What the app does while the issuer of the keys is in trouble: each row of the README's table.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { describe, it, type TestContext } from 'node:test';
import { WebSocket } from 'ws';
import type { SigningKeysOptions } from '../../src/auth/signing-keys.ts';
import { handler } from '../../src/handler.ts';
import { type App, startApp } from '../support/app.ts';
import { createIssuer, type Fault } from '../support/issuer.ts';

const readme = await readFile(new URL('../../README.md', import.meta.url), 'utf8');
const [, table = ''] = readme.split('| the issuer |');
const rows = table
  .split('\n\n', 1)
  .join()
  .split('\n')
  .slice(2)
  .map((line) => line.split('|').map((cell) => cell.trim()));

/** What a row says of those who come, of the app and of the log. */
interface Row {
  known: string;
  fresh: string;
  call: string;
  ready: string;
  log: string;
}
const expectations = new Map(
  rows.map(([, name = '', known = '', fresh = '', call = '', ready = '', log = '']): [string, Row] => [
    name,
    { known, fresh, call, ready, log },
  ]),
);

/** The app, with an issuer apart from the local ACS, and a clock that can be put forward. */
async function setUp(
  t: TestContext,
  { atStart, ...options }: Partial<SigningKeysOptions> & { atStart?: Fault } = {},
) {
  const issuer = await createIssuer();
  t.after(() => issuer.close());
  issuer.fault = atStart;
  const clock = { ahead: 0 };
  const app = await startApp(t, {
    handler,
    env: {
      ACS_ISSUER: issuer.issuer,
      ACS_JWKS_URL: issuer.jwksUrl,
      ACS_AUDIENCE: issuer.audience,
      CALL_BINDING: 'optional',
    },
    signingKeys: { now: () => Date.now() + clock.ahead, pauseMs: 50, ...options },
    ready: atStart === undefined,
  });
  const old = issuer.token();
  // A set younger than the pause is not fetched again for an unknown key.
  clock.ahead += 5_000;
  return { issuer, app, clock, old };
}
type Place = Awaited<ReturnType<typeof setUp>>;

/** Opens a socket. @returns it, and the status of the answer */
async function open({ url }: App, token: string): Promise<{ status: number; socket: WebSocket }> {
  const headers = { authorization: `Bearer ${token}` };
  const socket = new WebSocket(`${url.replace('http', 'ws')}/ws`, { headers });
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  socket.once('open', () => resolve(101));
  socket.once('unexpected-response', (_request, response) => {
    resolve(response.statusCode ?? 0);
    socket.on('error', () => undefined).terminate();
  });
  socket.once('error', reject);
  return { status: await promise, socket };
}

/** What becomes of a token, at both doors: they have one answer. */
async function admission(app: App, token: string): Promise<string> {
  const { status, socket } = await open(app, token);
  socket.close();
  const response = await fetch(`${app.url}/api/callbacks`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: '[]',
  });
  if (status === 101 && response.status === 200) return 'let in';
  assert.equal(response.status, status);
  assert.ok(Number(response.headers.get('retry-after')) > 0);
  return String(status);
}

/** The state of things as a row of the table has it. @param log the cell of the log, whose line is awaited */
async function observe({ app, old, issuer }: Place, log: string): Promise<Row> {
  const fresh = issuer.token();
  const known = await admission(app, old);
  const [event, serving] = [...log.matchAll(/`(?:serving: )?([\w.]+)`/g)].map(([, word]) => word);
  const observed = {
    known,
    fresh: await admission(app, fresh),
    call: await ring(app),
    ready: String((await fetch(`${app.url}/readyz`)).status),
    log,
  };
  const line = await app.log.until(
    (each) => each.event === event && (serving === undefined || String(each.serving) === serving),
  );
  if (event === 'keys.failed') assert.ok(String(line.cause).length > 5);
  return observed;
}

async function ring(app: App): Promise<string> {
  const { status } = await app.announce(app.simulator.placeCall({ announce: false }).announcement);
  return status === 200 ? 'answered' : String(status);
}

/** The log has no more than two lines of a kind in one. */
const minuteMs = 60_000;

/** The issuer is well again: the keys are fetched without anybody asking for it, and the log says so. */
async function recover({ app, issuer, clock }: Place) {
  clock.ahead += minuteMs;
  const before = app.log.lines.length;
  issuer.body = undefined;
  issuer.release();
  await app.log.until((line) => line.event === 'keys.fetched' && app.log.lines.indexOf(line) >= before);
}

/** Has a fault come over an issuer that was well, with a key that nobody has seen yet. */
async function strike(place: Place, fault: Fault | { body: unknown }) {
  if (typeof fault === 'string') place.issuer.fault = fault;
  else place.issuer.body = fault.body;
  place.issuer.rotate({ keep: true });
  place.clock.ahead += minuteMs;
  return place;
}

/** How each row comes about. */
const cases: Record<string, (t: TestContext) => Promise<Place>> = {
  'is down at the start': (t) => setUp(t, { atStart: 'down' }),
  'goes down later': async (t) => strike(await setUp(t), 'down'),
  async 'stays down for 24 hours'(t) {
    const place = await strike(await setUp(t), 'down');
    place.clock.ahead += 24 * 60 * 60_000;
    return place;
  },
  'is slow: 3 s and more': async (t) => strike(await setUp(t, { fetchMs: 500 }), 'slow'),
  'serves nonsense, or more than 256 KiB': async (t) => strike(await setUp(t), { body: { keys: [null, 7] } }),
  async 'rotates its keys under load'(t) {
    const place = await setUp(t);
    const { issuer, app } = place;
    const { fetches } = issuer;
    issuer.rotate({ keep: true });
    issuer.fault = 'slow';
    const admissions = (token: () => string) =>
      Promise.all(Array.from({ length: 20 }, () => admission(app, token())));
    const fresh = admissions(issuer.token);
    await issuer.fetched();
    // Those with the known key don't wait for the new one.
    const known = await admissions(() => place.old);
    issuer.release();
    assert.deepEqual(new Set([...known, ...(await fresh)]), new Set(['let in']));
    assert.equal(issuer.fetches, fetches + 1, 'one fetch for all');
    return place;
  },
  async 'comes back'(t) {
    const place = await strike(await setUp(t), 'down');
    assert.equal(await admission(place.app, place.issuer.token()), '503');
    await recover(place);
    return place;
  },
};

describe('where the issuer', { concurrency: true, timeout: 120_000 }, () => {
  it('is in trouble there is a case for each row of the README', () => {
    assert.deepEqual([...expectations.keys()], Object.keys(cases));
  });

  for (const [name, expected] of expectations) {
    it(`${name}: it is as the README says, and so is what recovers it`, async (t) => {
      const place = await cases[name]?.(t);
      assert.ok(place);
      assert.deepEqual(await observe(place, expected.log), expected);
      if (!expected.log.includes('keys.failed')) return;
      await recover(place);
      const back = expectations.get('comes back');
      assert.ok(back);
      assert.deepEqual(await observe(place, back.log), back);
    });
  }

  for (const fault of ['down', 'slow', 'garbled', 'huge'] as const) {
    it(`fails (${fault}) while a call runs, the call goes on`, async (t) => {
      const place = await setUp(t, { fetchMs: fault === 'slow' ? 500 : 3_000 });
      const { socket } = await open(place.app, place.old);
      await strike(place, fault);
      place.clock.ahead += 48 * 60 * 60_000;
      assert.equal(await admission(place.app, place.issuer.token()), '503');
      socket.send('{"kind":"AudioData","audioData":{"data":"AAAA"}}');
      const [echo] = await once(socket, 'message');
      assert.match(String(echo), /AAAA/);
      socket.close();
    });
  }
});
