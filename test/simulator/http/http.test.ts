import assert from 'node:assert/strict';
import { request } from 'node:http';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Answer } from '../../../simulator/http/http.ts';
import { createLocalServer } from '../../../simulator/http/http.ts';
import { createSimulator } from '../../../simulator/simulator.ts';

interface Sent {
  method?: string;
  headers?: Record<string, string>;
}

/** fetch tidies targets and sets Host itself. */
async function ask(port: number, target: string, { method = 'GET', headers = {} }: Sent = {}) {
  const { promise, resolve, reject } = Promise.withResolvers<{ status: number | undefined; text: string }>();
  request({ host: '127.0.0.1', port, path: target, method, headers }, async (response) => {
    const pieces = await response.setEncoding('utf8').toArray();
    resolve({ status: response.statusCode, text: pieces.join('') });
  })
    .once('error', reject)
    .end();
  return promise;
}

async function start(
  t: TestContext,
  answers: Record<string, Answer> = {},
  maxBytes?: number,
): Promise<number> {
  const { server, port } = await createLocalServer({
    port: 0,
    ...(maxBytes !== undefined && { maxBytes }),
    handle: async ({ path }) => answers[path] ?? { status: 204 },
  });
  t.after(() => server.close().closeAllConnections());
  return port;
}

test('a page of another origin is refused, and one of this origin is not', async (t) => {
  const port = await start(t);
  const from = async (origin: string, host = `127.0.0.1:${port}`) =>
    (await ask(port, '/', { method: 'POST', headers: { origin, host } })).status;
  assert.equal(await from(`http://127.0.0.1:${port}`), 204);
  assert.equal(await from(`http://localhost:${port}`, `localhost:${port}`), 204);
  const foreign = [
    'https://evil.example',
    `http://evil.example:${port}`,
    `http://127.0.0.1:${port}.evil.example`,
    `http://evil.example/127.0.0.1:${port}`,
    'http://127.0.0.1:1', // another server on this machine
    `http://localhost:${port}`, // not the one that was asked
    'null', // a sandboxed frame, a file
    '',
  ];
  for (const origin of foreign) assert.equal(await from(origin), 403, origin);
});

test('a body that is too large is read to its end, so that who sends it sees the refusal', async (t) => {
  const port = await start(t, {}, 10);
  const headers = { 'content-type': 'application/json' };
  const sending = request({ host: '127.0.0.1', port, method: 'POST', headers });
  const { promise, resolve, reject } = Promise.withResolvers<{
    status: number | undefined;
    early: boolean;
  }>();
  sending.once('error', reject).once('response', (response) => {
    resolve({ status: response.resume().statusCode, early: !sending.writableEnded });
  });
  sending.write('x'.repeat(11));
  for (let turn = 0; turn < 5; turn++) await ask(port, '/'); // whatever is answered too early is answered by now
  sending.end('x');
  assert.deepEqual(await promise, { status: 413, early: false });
});

test('an answer that cannot be written ends its request, and nothing else', async (t) => {
  const circular: Record<string, unknown> = {};
  circular.self = circular;
  const port = await start(t, {
    '/name': { status: 200, headers: { 'a b': 'x' } },
    '/value': { status: 200, headers: { a: 'x\ny' }, body: {} },
    '/status': { status: 1000 },
    '/body': { status: 200, body: circular },
  });
  for (const target of ['/name', '/value', '/status', '/body']) {
    await assert.rejects(ask(port, target), { code: 'ECONNRESET' }, target);
  }
  assert.equal((await ask(port, '/')).status, 204);
});

test('what follows an answer follows even if nobody waits for the answer any more', async (t) => {
  const gone = Promise.withResolvers<void>();
  const followed = Promise.withResolvers<void>();
  const { server, port } = await createLocalServer({
    port: 0,
    async handle() {
      asking.destroy();
      await gone.promise;
      return { status: 204, after: followed.resolve };
    },
  });
  t.after(() => server.close().closeAllConnections());
  server.on('request', (_request, response) => response.once('close', gone.resolve));
  const asking = request({ host: '127.0.0.1', port }).on('error', () => {});
  asking.end();
  await followed.promise;
});

test('a target that is no URL is refused in the shape of an error of ACS', async (t) => {
  const port = await start(t);
  for (const target of ['//', '/\\', '//[', '///', 'http://[']) {
    const { status, text } = await ask(port, target);
    assert.equal(status, 400, target);
    assert.equal(JSON.parse(text).error.code, 'BadRequest', target);
  }
});

test('no target makes the simulator answer 500 or throw', async (t) => {
  const simulator = await createSimulator();
  t.after(() => simulator.close());
  const port = Number(new URL(simulator.url).port);
  const unit = fc.oneof(
    fc.constantFrom('/', '\\', '//', ':', '?', '#', '[', ']', '@', '%', '%00', '%E0%A4', '..', '*'),
    fc.integer({ min: 0x21, max: 0x7e }).map((code) => String.fromCharCode(code)),
  );
  const start = fc.constantFrom(
    '',
    '/',
    '//',
    '/_simulator',
    '/_simulator/calls/',
    '/calling/',
    'http://',
    '/\\',
  );
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom('GET', 'POST', 'DELETE'),
      start,
      fc.string({ unit, maxLength: 12 }),
      async (method, prefix, rest) => {
        const headers = { 'content-type': 'application/json' };
        const { status = 0 } = await ask(port, prefix + rest, { method, headers });
        assert.ok((status >= 200 && status < 500) || status === 501, `${method} ${prefix}${rest}: ${status}`);
      },
    ),
    {
      numRuns: 300,
      examples: [
        ['GET', '//', ''],
        ['POST', '/\\', ''],
      ],
    },
  );
});
