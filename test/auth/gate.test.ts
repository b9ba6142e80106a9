import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, it } from 'node:test';
import { AtCapacity, BindingRefused, CannotVerify, Draining, type Refusal } from '../../src/auth/refusals.ts';
import { brokenTokens } from '../support/issuer.ts';
import { type Answer, closing, connectRaw, startGate, textFrame, upgradeHead } from './gate-server.ts';

/** Both doors answer a refusal alike. */
function assertRefused(answer: Answer, status: number, code?: string) {
  assert.equal(answer.status, status, answer.body);
  assert.equal(answer.headers.connection, 'close');
  assert.match(answer.headers['content-type'] ?? '', /^application\/json/);
  const { error }: { error: { code: string; message: string } } = JSON.parse(answer.body);
  assert.deepEqual(Object.keys(error), ['code', 'message']);
  if (code !== undefined) assert.equal(error.code, code);
  const challenge = answer.headers['www-authenticate'];
  if (status === 401) assert.match(challenge ?? '', /^Bearer/);
  else assert.equal(challenge, undefined);
  if (status === 503 || status === 429) assert.match(answer.headers['retry-after'] ?? '', /^\d+$/);
}

/** So many upgrades that all wait for the first keys, and then go on in the same tick. */
async function together(all: Awaited<ReturnType<typeof startGate>>, count: number): Promise<Answer[]> {
  all.issuer.fault = 'slow';
  const fetched = all.issuer.fetched();
  let arrived = 0;
  const allArrived = Promise.withResolvers<void>();
  all.server.on('upgrade', () => {
    arrived += 1;
    if (arrived === count) allArrived.resolve();
  });
  const good = all.bearer(all.issuer.token());
  const answers = Array.from({ length: count }, () => all.upgrade(all.media(), good));
  await Promise.all([fetched, allArrived.promise]);
  all.issuer.release();
  return Promise.all(answers);
}

describe('the gate lets in', () => {
  it('a socket with a token and a binding: the handler knows who it is', async (t) => {
    let user: unknown;
    let caller: ReturnType<typeof all.gate.caller>;
    const all = await startGate(t, {
      onSocket: (_socket, request) => {
        user = request.user;
        caller = all.gate.caller(request);
      },
    });
    const call = all.bindings.issue();
    const claims = { sub: 'somebody' };
    const answer = await all.upgrade(`/ws/${call.media}`, all.bearer(all.issuer.token({ claims })));
    assert.equal(answer.status, 101);
    assert.partialDeepStrictEqual(user, claims);
    assert.partialDeepStrictEqual(caller, {
      claims: user,
      binding: { callId: call.callId, issuedAt: call.issuedAt },
    });
  });

  it('whatever the query says', async (t) => {
    const { upgrade, media, bearer, issuer } = await startGate(t);
    assert.equal((await upgrade(`${media()}?a=/ws/x?b`, bearer(issuer.token()))).status, 101);
  });

  it('a callback, before its body is read', async (t) => {
    let seen: unknown[] = [];
    const all = await startGate(t, {
      onCallback: (request, response) => {
        seen = [request.user, request.body, all.gate.caller(request)];
        response.sendStatus(200);
      },
    });
    const { callId, issuedAt, events } = all.bindings.issue();
    const answer = await all.callBack(`/api/callbacks/${events}`, all.bearer(all.issuer.token()));
    assert.equal(answer.status, 200);
    const [user, body, caller] = seen;
    assert.partialDeepStrictEqual(user, { aud: all.issuer.audience });
    assert.equal(body, undefined);
    assert.partialDeepStrictEqual(caller, { claims: user, binding: { callId, issuedAt } });
  });

  it('both without a binding, where that is optional; one that is there must hold', async (t) => {
    const all = await startGate(t, { callBinding: 'optional' });
    const good = all.bearer(all.issuer.token());
    assert.equal((await all.upgrade('/ws', good)).status, 101);
    assert.equal((await all.upgrade(all.media(), good)).status, 101);
    assertRefused(await all.upgrade(`/ws/${'A'.repeat(72)}`, good), 403, 'bad_binding');
    assert.equal((await all.callBack('/api/callbacks', good)).status, 200);
    assertRefused(await all.callBack(`/api/callbacks/${'A'.repeat(72)}`, good), 403, 'bad_binding');
    assertRefused(await all.callBack('/api/callbacks/x', good), 403, 'bad_binding');
  });
});

describe('the gate refuses, at both doors', () => {
  it('every broken token with 401 and the challenge of RFC 6750', async (t) => {
    const all = await startGate(t);
    const { events } = all.bindings.issue();
    for (const [what, raw] of Object.entries(brokenTokens(all.issuer))) {
      // Node's client sends no such header.
      if (/[^\x20-\x7e]/.test(raw)) continue;
      await t.test(what, async () => {
        for (const answer of [
          await all.upgrade(all.media(), all.bearer(raw)),
          await all.callBack(`/api/callbacks/${events}`, all.bearer(raw)),
        ]) {
          assertRefused(answer, 401, 'invalid_token');
          assert.match(
            answer.headers['www-authenticate'] ?? '',
            /^Bearer error="invalid_token", error_description="[\x20\x21\x23-\x5b\x5d-\x7e]+"$/,
          );
        }
      });
    }
    assert.equal(all.accepted.length, 0);
    assert.equal(all.sockets.clients.size, 0);
    assert.equal(all.issuer.fetches, 1);
  });

  it('a missing token, another scheme, two headers and a token in the query', async (t) => {
    const { issuer, upgrade, callBack, media, bindings, accepted } = await startGate(t);
    const token = issuer.token();
    const cases: [headers: Record<string, string | string[]>, code: string, challenge: RegExp][] = [
      [{}, 'missing_token', /^Bearer$/],
      [{ authorization: 'Bearer' }, 'missing_token', /^Bearer$/],
      [{ authorization: `Basic ${token}` }, 'missing_token', /^Bearer$/],
      [
        { authorization: [`Bearer ${token}`, `Bearer ${token}`] },
        'invalid_request',
        /^Bearer error="invalid_request", error_description="[^"\\]+"$/,
      ],
    ];
    for (const [headers, code, challenge] of cases) {
      for (const query of ['', `?access_token=${token}`]) {
        const upgraded = await upgrade(media() + query, headers);
        const calledBack = await callBack(`/api/callbacks/${bindings.issue().events}${query}`, headers);
        for (const answer of [upgraded, calledBack]) {
          assertRefused(answer, 401, code);
          assert.match(answer.headers['www-authenticate'] ?? '', challenge);
        }
      }
    }
    assert.equal(accepted.length, 0);
  });

  it('a header of 15 KB', async (t) => {
    const { upgrade, media } = await startGate(t);
    assertRefused(await upgrade(media(), { authorization: 'a'.repeat(15_000) }), 401, 'missing_token');
    assertRefused(await upgrade(media(), { authorization: `Bearer ${'a'.repeat(15_000)}` }), 401);
  });

  it('a binding that is missing, forged or for the other door with 403, once a well-formed token is there', async (t) => {
    const all = await startGate(t);
    const { media, events } = all.bindings.issue();
    const good = all.bearer(all.issuer.token());
    const ask = (binding: string | undefined, headers: Record<string, string>) =>
      Promise.all([
        all.upgrade(binding ? `/ws/${binding}` : '/ws', headers),
        all.callBack(binding ? `/api/callbacks/${binding}` : '/api/callbacks', headers),
      ]);
    const forged = media.replace(/^./, (first) => (first === 'A' ? 'B' : 'A'));
    for (const answer of await ask(undefined, good)) assertRefused(answer, 403, 'no_binding');
    for (const answer of await ask(forged, good)) assertRefused(answer, 403, 'bad_binding');
    for (const answer of await ask(undefined, {})) assertRefused(answer, 401, 'missing_token');
    for (const answer of await ask(forged, all.bearer('x'))) assertRefused(answer, 401, 'invalid_token');
    assertRefused(await all.upgrade(`/ws/${events}`, good), 403, 'bad_binding');
    assertRefused(await all.callBack(`/api/callbacks/${media}`, good), 403, 'bad_binding');
  });

  it('what it cannot check because the signing key of bindings is not there: 503', async (t) => {
    const all = await startGate(t, { bindings: undefined });
    const good = all.bearer(all.issuer.token());
    assertRefused(await all.upgrade(all.media(), good), 503, 'cannot_verify');
    assertRefused(await all.callBack(`/api/callbacks/${all.bindings.issue().events}`, good), 503);
    assertRefused(await all.upgrade('/ws', good), 403, 'no_binding');
    assertRefused(await all.upgrade(all.media()), 401);
  });

  it('in this order: token, binding, claims and signature, then what the app says', async (t) => {
    const order: string[] = [];
    const refusing = (refusal: Refusal) => () => {
      order.push('app');
      return refusal;
    };
    const all = await startGate(t, {
      authenticate: (token) => {
        order.push('claims');
        return token.header.kid === 'good'
          ? Promise.resolve({})
          : Promise.reject(new CannotVerify('no_keys'));
      },
      admit: refusing(new Draining()),
      admitEvents: refusing(new BindingRefused('too_late')),
    });
    const bad = all.bearer(all.issuer.token({ header: { kid: 'bad' } }));
    const good = all.bearer(all.issuer.token({ header: { kid: 'good' } }));
    assertRefused(await all.upgrade('/ws', all.bearer('x')), 401);
    assertRefused(await all.upgrade('/ws', good), 403);
    assert.deepEqual(order, []);
    assertRefused(await all.upgrade(all.media(), bad), 503, 'cannot_verify');
    assert.deepEqual(order, ['claims']);
    assertRefused(await all.upgrade(all.media(), good), 503, 'draining');
    assertRefused(await all.callBack(`/api/callbacks/${all.bindings.issue().events}`, good), 403, 'too_late');
    assert.deepEqual(order, ['claims', 'claims', 'app', 'claims', 'app']);
  });

  const refusals: [refusal: Refusal, status: number, code: string][] = [
    [new BindingRefused('call_ended'), 403, 'call_ended'],
    [new BindingRefused('too_late'), 403, 'too_late'],
    [new Draining(), 503, 'draining'],
    [new AtCapacity(), 429, 'at_capacity'],
  ];
  for (const [refusal, status, code] of refusals) {
    it(`what the app refuses: ${code}`, async (t) => {
      const all = await startGate(t, { admit: () => refusal, admitEvents: () => refusal });
      const good = all.bearer(all.issuer.token());
      assertRefused(await all.upgrade(all.media(), good), status, code);
      assertRefused(await all.callBack(`/api/callbacks/${all.bindings.issue().events}`, good), status, code);
    });
  }

  it('all it cannot decide because something is broken: 503, with the cause in the log alone', async (t) => {
    const fault = () => {
      throw new TypeError('inner life');
    };
    const all = await startGate(t, { admit: fault, admitEvents: fault });
    const good = all.bearer(all.issuer.token());
    const answer = await all.upgrade(all.media(), good);
    assertRefused(answer, 503, 'cannot_verify');
    assert.doesNotMatch(answer.body, /inner life/);
    assertRefused(await all.callBack(`/api/callbacks/${all.bindings.issue().events}`, good), 503);
    assert.match(JSON.stringify(all.lines), /inner life/);
  });
});

describe('a token whose issuer has another clock', () => {
  const issuedAt = Date.UTC(2026, 0, 1);
  const hoursMs = 3_600_000;

  for (const [when, clock, status] of [
    ['5 s before its nbf', issuedAt - 5_000, 101],
    ['a millisecond earlier', issuedAt - 5_001, 401],
    ['a millisecond less than 5 s after its exp', issuedAt + hoursMs + 4_999, 101],
    ['5 s after its exp', issuedAt + hoursMs + 5_000, 401],
  ] as const) {
    it(`is ${status === 101 ? 'good' : 'refused'} at both doors ${when}`, async (t) => {
      t.mock.timers.enable({ apis: ['Date'], now: clock });
      const all = await startGate(t);
      const claims = { nbf: issuedAt / 1000, exp: (issuedAt + hoursMs) / 1000 };
      const headers = all.bearer(all.issuer.token({ claims }));
      const { media, events } = all.bindings.issue();
      const answers = [
        await all.upgrade(`/ws/${media}`, headers),
        await all.callBack(`/api/callbacks/${events}`, headers),
      ];
      assert.deepEqual(
        answers.map((answer) => answer.status),
        status === 101 ? [101, 200] : [401, 401],
      );
    });
  }
});

describe('while keys are fetched, the gate', () => {
  it('answers 503 before the first ones if the issuer is down, and lets in as soon as it is back', async (t) => {
    const all = await startGate(t, { warm: false });
    const good = all.bearer(all.issuer.token());
    all.issuer.fault = 'down';
    assertRefused(await all.upgrade(all.media(), good), 503, 'cannot_verify');
    assertRefused(await all.callBack(`/api/callbacks/${all.bindings.issue().events}`, good), 503);
    assert.equal(all.issuer.fetches, 1);
    all.issuer.fault = undefined;
    all.clock.time += 5000;
    assert.equal((await all.upgrade(all.media(), good)).status, 101);
  });

  it('goes on with known ones if the issuer is down', async (t) => {
    const all = await startGate(t);
    all.issuer.fault = 'down';
    all.clock.time += 60 * 60_000;
    assertRefused(
      await all.upgrade(all.media(), all.bearer(all.issuer.token({ header: { kid: 'x' } }))),
      503,
    );
    assert.equal((await all.upgrade(all.media(), all.bearer(all.issuer.token()))).status, 101);
  });

  it('takes a new one without a restart', async (t) => {
    const all = await startGate(t);
    all.issuer.rotate();
    all.clock.time += 5000;
    assert.equal((await all.upgrade(all.media(), all.bearer(all.issuer.token()))).status, 101);
    assert.equal(all.issuer.fetches, 2);
  });

  it('serves 100 upgrades at once with one fetch', async (t) => {
    const all = await startGate(t, { warm: false });
    const answers = await together(all, 100);
    assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([101]));
    assert.equal(all.issuer.fetches, 1);
  });

  it('lets valid tokens in throughout a flood of 500 unknown kids, which costs 10 fetches at most', async (t) => {
    const all = await startGate(t);
    const good = all.bearer(all.issuer.token());
    const path = all.media();
    for (let round = 0; round < 5; round += 1) {
      all.clock.time += 5000;
      const forged = Array.from({ length: 100 }, (_, i) =>
        all.upgrade(path, all.bearer(all.issuer.token({ header: { kid: `unknown ${round} ${i}` } }))),
      );
      assert.equal((await all.upgrade(path, good)).status, 101);
      for (const answer of await Promise.all(forged)) assertRefused(answer, 401, 'invalid_token');
    }
    assert.ok(all.issuer.fetches <= 10, `${all.issuer.fetches} fetches`);
  });

  it('drops who goes away: no call, no slot, no crash', async (t) => {
    let slots = 0;
    const all = await startGate(t, { onSocket: () => (slots += 1) });
    all.issuer.fault = 'slow';
    const { kid } = all.issuer.rotate();
    all.clock.time += 5000;
    const fetched = all.issuer.fetched();
    const token = all.issuer.token({ header: { kid } });
    for (let i = 0; i < 10; i += 1) {
      const upgraded = once(all.server, 'upgrade');
      const client = await connectRaw(all.port, upgradeHead(all.media(), token));
      const [request] = await upgraded;
      const closed = closing(request.socket);
      client.resetAndDestroy();
      await closed;
    }
    await fetched;
    all.issuer.release();
    assert.equal((await all.upgrade(all.media(), all.bearer(token))).status, 101);
    assert.equal(slots, 1);
    assert.equal(all.sockets.clients.size, 1);
  });
});

describe('an accept', () => {
  it('loses no frame that came with the upgrade', async (t) => {
    const frames: string[] = [];
    const got = Promise.withResolvers<void>();
    const all = await startGate(t, {
      onSocket: (socket) =>
        socket.on('message', (data) => {
          frames.push(String(data));
          if (frames.length === 3) got.resolve();
        }),
    });
    const head = Buffer.from(upgradeHead(all.media(), all.issuer.token()));
    const client = await connectRaw(all.port, Buffer.concat([head, ...['a', 'b', 'c'].map(textFrame)]));
    await got.promise;
    assert.deepEqual(frames, ['a', 'b', 'c']);
    client.destroy();
  });

  it('is counted where it happens: of 50 upgrades at once 5 pass a cap of 5', async (t) => {
    let live = 0;
    const all = await startGate(t, {
      warm: false,
      admit: () => (live >= 5 ? new AtCapacity() : undefined),
      onSocket: (socket) => {
        live += 1;
        socket.once('close', () => {
          live -= 1;
        });
      },
    });
    const answers = await together(all, 50);
    const statuses = answers.map(({ status }) => status);
    assert.equal(statuses.filter((status) => status === 101).length, 5);
    assert.equal(statuses.filter((status) => status === 429).length, 45);
    assert.equal(live, 5);
  });

  it('is answered once, even if a listener for the new socket throws', async (t) => {
    const all = await startGate(t);
    all.sockets.on('connection', () => {
      throw new Error('of a listener');
    });
    const client = await connectRaw(all.port, upgradeHead(all.media(), all.issuer.token()));
    let text = '';
    client.on('data', (chunk) => {
      text += chunk;
    });
    await once(client, 'close');
    assert.match(text, /^HTTP\/1\.1 101 /);
    assert.equal(text.match(/HTTP\/1\.1/g)?.length, 1, text);
    assert.match(JSON.stringify(all.lines.at(-1)), /of a listener/);
  });

  it('of a callback leaves what is thrown later to Express', async (t) => {
    const all = await startGate(t, {
      onCallback: () => {
        throw Object.assign(new Error('of a handler'), { status: 418 });
      },
    });
    const path = `/api/callbacks/${all.bindings.issue().events}`;
    const answer = await all.callBack(path, all.bearer(all.issuer.token()));
    assert.equal(answer.status, 418);
  });
});

describe('the log of refusals', () => {
  it('says what was wrong, and nothing secret', async (t) => {
    const all = await startGate(t);
    const raw = all.issuer.token({ claims: { exp: 1 }, header: { kid: 'a secret kid' } });
    const { media, events } = all.bindings.issue();
    await all.upgrade(`/ws/${media}?secret=1`, all.bearer(raw));
    await all.callBack(`/api/callbacks/${events}`, all.bearer(raw));
    await all.upgrade(`/ws/${events}`, all.bearer(raw));
    const refused = all.lines.filter(({ reason }) => reason !== undefined);
    assert.deepEqual(
      refused.map(({ level, purpose, status, reason, msg }) => ({ level, purpose, status, reason, msg })),
      [
        {
          level: 40,
          purpose: 'media',
          status: 401,
          reason: 'expired',
          msg: 'refused: The token has expired',
        },
        {
          level: 40,
          purpose: 'events',
          status: 401,
          reason: 'expired',
          msg: 'refused: The token has expired',
        },
        {
          level: 40,
          purpose: 'media',
          status: 403,
          reason: 'bad_binding',
          msg: 'refused: The binding in the address is not valid',
        },
      ],
    );
    const text = JSON.stringify(all.lines);
    for (const secret of [...raw.split('.'), media, events, 'secret']) assert.ok(!text.includes(secret));
  });

  it('shows both ids where the audience is wrong', async (t) => {
    const all = await startGate(t);
    const aud = '8d0f5c3e-4a53-4c1b-9c8e-0f1a2b3c4d5e';
    await all.upgrade(all.media(), all.bearer(all.issuer.token({ claims: { aud } })));
    await all.upgrade(all.media(), all.bearer(all.issuer.token({ claims: { aud: '/subscriptions/x' } })));
    const [guid, other] = all.lines.filter(({ reason }) => reason === 'audience');
    assert.deepEqual([guid?.tokenAudience, guid?.expectedAudience], [aud, all.issuer.audience]);
    assert.equal(other?.tokenAudience, 'not a GUID');
  });

  it('has 50 lines of a kind at most in 10 s', async (t) => {
    const all = await startGate(t);
    await Promise.all(Array.from({ length: 120 }, () => all.callBack('/api/callbacks')));
    await all.callBack('/api/callbacks', all.bearer('x'));
    const count = (kind: string) => all.lines.filter(({ reason }) => reason === kind).length;
    assert.equal(count('no_token'), 50);
    assert.equal(count('malformed'), 1);
  });
});
