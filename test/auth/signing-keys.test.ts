import assert from 'node:assert/strict';
import { AsyncLocalStorage } from 'node:async_hooks';
import type { KeyObject } from 'node:crypto';
import { describe, it, type TestContext } from 'node:test';
import { pino } from 'pino';
import { CannotVerify, InvalidToken } from '../../src/auth/refusals.ts';
import { createSigningKeys } from '../../src/auth/signing-keys.ts';
import { createIssuer, createSigningKey, type Fault, type Issuer } from '../support/issuer.ts';
import { createRecordedLog } from './recorded-log.ts';

type Options = Partial<Parameters<typeof createSigningKeys>[0]>;

/** An issuer, its keys as the app has them, and a clock that stands until it is told. */
async function setUp(t: TestContext, options: Options = {}) {
  const issuer = await createIssuer();
  const clock = { time: 1_000_000 };
  const { log, lines } = createRecordedLog();
  const keys = createSigningKeys({ jwksUrl: issuer.jwksUrl, log, now: () => clock.time, ...options });
  t.after(async () => {
    keys.close();
    await issuer.close();
  });
  return { issuer, clock, keys, lines };
}

/** The same, with the first keys there. */
async function setUpWarm(t: TestContext, options: Options = {}) {
  const all = await setUp(t, options);
  all.keys.start();
  await all.keys.whenReady;
  return all;
}

type Keys = Awaited<ReturnType<typeof setUp>>['keys'];

/** What became of a look-up, however it says so: `find` answers at once where it can. */
async function find(keys: Keys, kid: string) {
  return keys.find(kid);
}
const isUnknown = (error: unknown) => error instanceof InvalidToken && error.reason === 'unknown_key';
const cannotTell = (reason: string) => (error: unknown) =>
  error instanceof CannotVerify && error.reason === reason;

function isRightKey(issuer: Issuer, key: KeyObject | Promise<KeyObject>) {
  assert.ok(!(key instanceof Promise), 'at once');
  assert.ok(key.equals(issuer.key.publicKey));
}

describe('the signing keys', () => {
  it('are there after the first fetch, and answer at once', async (t) => {
    const { issuer, keys } = await setUp(t);
    assert.equal(keys.ready, false);
    keys.start();
    await keys.whenReady;
    assert.equal(keys.ready, true);
    isRightKey(issuer, keys.find(issuer.key.kid));
    assert.equal(issuer.fetches, 1);
  });

  it('are fetched by the first token if nobody else did', async (t) => {
    const { issuer, keys } = await setUp(t);
    isRightKey(issuer, await find(keys, issuer.key.kid));
  });

  it('are fetched once for 100 tokens that come at once', async (t) => {
    const { issuer, keys } = await setUp(t);
    const found = await Promise.all(Array.from({ length: 100 }, () => keys.find(issuer.key.kid)));
    for (const key of found) isRightKey(issuer, key);
    assert.equal(issuer.fetches, 1);
  });

  it('are fetched in the context of no request, also those that follow on what one asked for', async (t) => {
    const current = new AsyncLocalStorage<string>();
    const issuer = await createIssuer();
    const contexts: unknown[] = [];
    const fetchedTwice = Promise.withResolvers<void>();
    const log = pino({}, { write: () => contexts.push(current.getStore()) === 2 && fetchedTwice.resolve() });
    const keys = createSigningKeys({ jwksUrl: issuer.jwksUrl, log, refreshMs: 20 });
    t.after(async () => {
      keys.close();
      await issuer.close();
    });
    await current.run('a request', () => find(keys, issuer.key.kid));
    await fetchedTwice.promise;
    assert.deepEqual(contexts.slice(0, 2), [undefined, undefined]);
  });

  it('are refreshed ahead of need', async (t) => {
    const { issuer } = await setUpWarm(t, { refreshMs: 20 });
    await issuer.fetched();
    await issuer.fetched();
  });

  it('are tried again after a pause while there are none', async (t) => {
    const { issuer, keys } = await setUp(t, { pauseMs: 20 });
    issuer.fault = 'down';
    keys.start();
    await issuer.fetched();
    await issuer.fetched();
    issuer.fault = undefined;
    await keys.whenReady;
  });

  it('keep no process alive', async (t) => {
    await setUpWarm(t);
    assert.ok(!process.getActiveResourcesInfo().includes('Timeout'));
  });

  it('are fetched no more once closed', async (t) => {
    const { issuer, clock, keys } = await setUpWarm(t, { refreshMs: 1 });
    keys.close();
    const { fetches } = issuer;
    clock.time += 60_000;
    await assert.rejects(find(keys, 'unknown'), cannotTell('no_keys'));
    assert.equal(issuer.fetches, fetches);
    isRightKey(issuer, keys.find(issuer.key.kid));
  });
});

describe('an unknown kid', () => {
  it('is refused without a fetch while the set is younger than 5 s', async (t) => {
    const { issuer, clock, keys } = await setUpWarm(t);
    clock.time += 4999;
    await assert.rejects(find(keys, 'unknown'), isUnknown);
    assert.equal(issuer.fetches, 1);
  });

  it('causes one fetch after that, whose keys are taken over whole', async (t) => {
    const { issuer, clock, keys } = await setUpWarm(t);
    const old = issuer.key.kid;
    const { kid } = issuer.rotate();
    clock.time += 5000;
    isRightKey(issuer, await find(keys, kid));
    assert.equal(issuer.fetches, 2);
    await assert.rejects(find(keys, old), isUnknown, 'a key that is served no more is no key any more');
    assert.equal(issuer.fetches, 2);
  });

  it('is not missed because a slow answer was old when it came', async (t) => {
    const { issuer, clock, keys } = await setUp(t);
    issuer.fault = 'slow';
    const { kid } = issuer.key;
    const fetched = issuer.fetched();
    const found = find(keys, kid);
    await fetched;
    clock.time += 5000;
    issuer.release();
    await found;
    isRightKey(issuer, await find(keys, issuer.rotate().kid));
    assert.equal(issuer.fetches, 2);
  });

  it('is looked for whatever the wall clock says, be it set back', async (t) => {
    t.mock.timers.enable({ apis: ['Date'], now: Date.now() });
    const issuer = await createIssuer();
    const keys = createSigningKeys({ jwksUrl: issuer.jwksUrl, log: createRecordedLog().log, pauseMs: 0 });
    t.after(async () => {
      keys.close();
      await issuer.close();
    });
    await keys.find(issuer.key.kid);
    t.mock.timers.setTime(Date.now() - 3_600_000);
    const { kid } = issuer.rotate();
    await keys.find(kid);
  });

  it('is refused if that fetch has no such key either', async (t) => {
    const { issuer, clock, keys } = await setUpWarm(t);
    clock.time += 5000;
    await assert.rejects(find(keys, 'unknown'), isUnknown);
    assert.equal(issuer.fetches, 2);
  });

  it("can't be told while the issuer is away, which costs one fetch in 5 s", async (t) => {
    const { issuer, clock, keys } = await setUpWarm(t);
    issuer.fault = 'down';
    clock.time += 5000;
    await assert.rejects(find(keys, 'unknown'), cannotTell('no_keys'));
    assert.equal(issuer.fetches, 2);
    clock.time += 4999;
    await assert.rejects(find(keys, 'unknown'), cannotTell('no_keys'));
    assert.equal(issuer.fetches, 2);
    clock.time += 1;
    await assert.rejects(find(keys, 'unknown'), cannotTell('no_keys'));
    assert.equal(issuer.fetches, 3);
    isRightKey(issuer, keys.find(issuer.key.kid));
  });

  it('in 500 forms costs no more than 10 fetches, and known keys never wait', async (t) => {
    const { issuer, clock, keys } = await setUpWarm(t);
    clock.time += 5000;
    const forged = Array.from({ length: 500 }, (_, i) => assert.rejects(find(keys, `unknown ${i}`)));
    isRightKey(issuer, keys.find(issuer.key.kid));
    await Promise.all(forged);
    assert.ok(issuer.fetches <= 3, `${issuer.fetches} fetches`);
  });

  it('waits with 199 others at most; a known one never does', async (t) => {
    const { issuer, clock, keys } = await setUpWarm(t);
    issuer.fault = 'slow';
    clock.time += 5000;
    const fetched = issuer.fetched();
    const waiting = Array.from({ length: 200 }, () => assert.rejects(find(keys, 'unknown'), isUnknown));
    assert.throws(() => keys.find('unknown'), cannotTell('too_many_waiting'));
    isRightKey(issuer, keys.find(issuer.key.kid));
    await fetched;
    issuer.release();
    await Promise.all(waiting);
    clock.time += 5000;
    await assert.rejects(find(keys, 'unknown'), isUnknown, 'there is room again');
  });

  for (const kid of ['__proto__', 'constructor', 'toString', '']) {
    it(`is one: ${kid || 'the empty one'}`, async (t) => {
      const { keys } = await setUpWarm(t);
      await assert.rejects(find(keys, kid), isUnknown);
    });
  }
});

describe('an issuer that fails', () => {
  const faults: Fault[] = [
    'down',
    'slow',
    'hang after headers',
    'status',
    'garbled',
    'huge',
    'huge when inflated',
    'redirect',
  ];
  for (const fault of faults) {
    const fetchMs = fault === 'slow' || fault === 'hang after headers' ? 50 : 30_000;

    it(`(${fault}) before the first keys: nothing can be told`, async (t) => {
      const { issuer, keys } = await setUp(t, { fetchMs });
      issuer.fault = fault;
      await assert.rejects(find(keys, issuer.key.kid), cannotTell('no_keys'));
      assert.equal(keys.ready, false);
      await assert.rejects(find(keys, issuer.key.kid), cannotTell('no_keys'));
      assert.equal(issuer.fetches, 1, 'a failed fetch pauses');
    });

    it(`(${fault}) later: the last good set serves for 24 hours`, async (t) => {
      const { issuer, clock, keys } = await setUpWarm(t, { fetchMs });
      issuer.fault = fault;
      clock.time += 5000;
      await assert.rejects(find(keys, 'unknown'), cannotTell('no_keys'));
      clock.time += 24 * 60 * 60_000 - 5001;
      isRightKey(issuer, keys.find(issuer.key.kid));
      assert.equal(keys.ready, true);
      clock.time += 1;
      await assert.rejects(find(keys, issuer.key.kid), cannotTell('no_keys'));
      assert.equal(keys.ready, false);
    });
  }

  const nonsense: [what: string, body: unknown][] = [
    ['null', null],
    ['a number', 7],
    ['an array', []],
    ['no keys', {}],
    ['keys that are null', { keys: null }],
    ['keys that are an object', { keys: {} }],
    ['an empty set', { keys: [] }],
    ['a set without a usable key', { keys: [null, createSigningKey({ bits: 1024 }).jwk] }],
  ];
  for (const [what, body] of nonsense) {
    it(`(it serves ${what}) leaves the good set in place`, async (t) => {
      const { issuer, clock, keys } = await setUpWarm(t);
      issuer.body = body;
      clock.time += 5000;
      await assert.rejects(find(keys, 'unknown'), cannotTell('no_keys'));
      isRightKey(issuer, keys.find(issuer.key.kid));
    });
  }

  it('that is not there at all is no crash either', async (t) => {
    const { issuer, keys } = await setUp(t);
    const { kid } = issuer.key;
    const gone = await createIssuer();
    await gone.close();
    const lost = createSigningKeys({ jwksUrl: gone.jwksUrl, log: createRecordedLog().log });
    t.after(() => lost.close());
    await assert.rejects(async () => lost.find(kid), cannotTell('no_keys'));
    isRightKey(issuer, await find(keys, kid));
  });

  it('is heard of in the log, with the cause, at a limited rate', async (t) => {
    const { issuer, clock, keys, lines } = await setUpWarm(t);
    assert.equal(lines.length, 1);
    assert.deepEqual([lines[0]?.msg, lines[0]?.keys, lines[0]?.ignored], ['signing keys fetched', 1, 0]);
    issuer.fault = 'status';
    for (let i = 0; i < 5; i += 1) {
      clock.time += 5000;
      await assert.rejects(find(keys, 'unknown'), CannotVerify);
    }
    assert.equal(lines.length, 3);
    assert.equal(lines[1]?.cause, 'the answer has status 500');
    assert.equal(lines[1]?.serving, true);
    clock.time += 60_000;
    await assert.rejects(find(keys, 'unknown'), CannotVerify);
    assert.equal(lines[3]?.suppressed, 3);
  });

  it('that refuses connections is named by the code of the system', async (t) => {
    const gone = await createIssuer();
    await gone.close();
    const { log, lines } = createRecordedLog();
    const keys = createSigningKeys({ jwksUrl: gone.jwksUrl, log });
    t.after(() => keys.close());
    await assert.rejects(async () => keys.find('any'), CannotVerify);
    assert.equal(lines[0]?.cause, 'fetch failed: ECONNREFUSED');
  });
});
