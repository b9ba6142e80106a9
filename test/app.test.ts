import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { connect } from 'node:net';
import { describe, it, type TestContext } from 'node:test';
import { WebSocket } from 'ws';
import { createCallgate } from '../src/callgate.ts';
import { loadConfig } from '../src/config.ts';
import { handler } from '../src/handler.ts';
import { createLog } from '../src/log.ts';
import { createIssuer } from './support/issuer.ts';

/** The app as a gate alone: it lets sockets in, and answers no calls. */
async function startApp(t: TestContext, env: Record<string, string> = {}) {
  const issuer = await createIssuer();
  const config = loadConfig({
    ACS_AUDIENCE: issuer.audience,
    ACS_ISSUER: issuer.issuer,
    CALL_BINDING: 'optional',
    PORT: '0',
    ...env,
  });
  const app = createCallgate({ config, handler, log: createLog('silent') });
  const port = await app.start();
  await app.whenReady;
  t.after(async () => {
    await app.stop(0);
    await issuer.close();
  });
  return { issuer, app, port };
}

interface Ask {
  method?: string;
  path: string;
  headers?: Record<string, string>;
}

async function ask(port: number, { method = 'GET', path, headers = {} }: Ask) {
  const sent = request({ port, host: '127.0.0.1', method, path, headers, agent: false });
  sent.end();
  sent.once('upgrade', (_response, socket) => socket.destroy());
  const [response] = (await Promise.race([once(sent, 'response'), once(sent, 'upgrade')])) as [
    IncomingMessage,
  ];
  const chunks = response.statusCode === 101 ? [] : await response.toArray();
  return { status: response.statusCode, headers: response.headers, body: Buffer.concat(chunks).toString() };
}

const upgrade = {
  Connection: 'Upgrade',
  Upgrade: 'websocket',
  'Sec-WebSocket-Version': '13',
  'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
};

describe('an upgrade', () => {
  it('is let in on /ws alone, to the letter', async (t) => {
    const { issuer, port } = await startApp(t);
    const headers = { ...upgrade, Authorization: `Bearer ${issuer.token()}` };
    assert.equal((await ask(port, { path: '/ws', headers })).status, 101);
    assert.equal((await ask(port, { path: '/ws?a=/b', headers })).status, 101);

    const others = ['/WS', '/ws/', '//ws', '/ws/../ws', '/ws/.websocket', '/ws/x', '/ws.', '/ws%2f', '/%77s'];
    for (const path of [
      ...others,
      '/',
      '/.websocket',
      '/api/incoming-calls',
      `/ws/${'a'.repeat(73)}`,
      '/healthz/ws',
    ]) {
      assert.equal((await ask(port, { path, headers })).status, 404, path);
    }
    const encoded = `/ws/${'a'.repeat(71)}%41`;
    assert.equal((await ask(port, { path: encoded, headers })).status, 404, 'to the letter');
    assert.equal((await ask(port, { path: 'http://x/ws', headers })).status, 404, 'so is another form');
    assert.equal((await ask(port, { path: '/healthz', headers })).status, 200, 'a GET elsewhere is a GET');
  });

  it('is one only as a GET for a WebSocket', async (t) => {
    const { issuer, port } = await startApp(t);
    const headers = { ...upgrade, Authorization: `Bearer ${issuer.token()}` };
    const plain = await ask(port, { path: '/ws' });
    assert.deepEqual([plain.status, plain.headers.upgrade], [426, 'websocket']);
    assert.equal((await ask(port, { path: `/ws/${'a'.repeat(72)}` })).status, 426);
    for (const Upgrade of ['h2c', 'websocket, h2c', 'TLS/1.0']) {
      assert.equal((await ask(port, { path: '/ws', headers: { ...headers, Upgrade } })).status, 426, Upgrade);
    }
    const post = await ask(port, { method: 'POST', path: '/ws', headers });
    assert.deepEqual([post.status, post.headers.allow], [405, 'GET']);
    const event = await ask(port, { method: 'POST', path: '/api/incoming-call', headers: upgrade });
    assert.equal(event.status, 503, 'a POST with an Upgrade header is a POST');
  });

  it('needs HTTP/1.1 and one Host', async (t) => {
    const { issuer, port } = await startApp(t);
    const fields = { ...upgrade, Authorization: `Bearer ${issuer.token()}` };
    for (const [version, hosts, status] of [
      ['1.1', ['x'], 101],
      ['1.0', ['x'], 426],
      ['1.1', [], 400],
      ['1.1', ['x', 'y'], 426],
    ] as const) {
      const socket = connect(port, '127.0.0.1');
      t.after(() => socket.destroy());
      const lines = [...hosts.map((host) => ['Host', host]), ...Object.entries(fields)];
      socket.write(
        [`GET /ws HTTP/${version}`, ...lines.map(([name, value]) => `${name}: ${value}`), '', ''].join(
          '\r\n',
        ),
      );
      const [answer] = await once(socket, 'data');
      assert.match(String(answer), new RegExp(`^HTTP/1.1 ${status} `), `${version} ${hosts}`);
    }
  });

  it('is refused with 400 and the versions we speak if it speaks another', async (t) => {
    const { issuer, port } = await startApp(t);
    const headers = { ...upgrade, Authorization: `Bearer ${issuer.token()}`, 'Sec-WebSocket-Version': '12' };
    const { status, headers: answer } = await ask(port, { path: '/ws', headers });
    assert.equal(status, 400);
    assert.match(String(answer['sec-websocket-version']), /13/);
  });

  it('gets no subprotocol, whatever it offers', async (t) => {
    const { issuer, port } = await startApp(t);
    const socket = new WebSocket(`ws://127.0.0.1:${port}/ws`, ['bearer', 'x'], {
      headers: { Authorization: `Bearer ${issuer.token()}` },
    });
    t.after(() => socket.terminate());
    const [error] = await once(socket, 'error');
    assert.match(String(error), /no subprotocol/, 'ws as a client insists on one: it saw that none came');
  });

  it('loses no frame that came in one segment with it', async (t) => {
    const { issuer, port } = await startApp(t);
    const socket = connect(port, '127.0.0.1');
    t.after(() => socket.destroy());
    const lines = Object.entries({ Host: 'x', ...upgrade, Authorization: `Bearer ${issuer.token()}` });
    const head = ['GET /ws HTTP/1.1', ...lines.map(([name, value]) => `${name}: ${value}`), '', ''].join(
      '\r\n',
    );
    socket.write(Buffer.concat([Buffer.from(head), ...[1, 2, 3].map((n) => frame(audio(`AAA${n}`)))]));
    let received = '';
    for await (const chunk of socket) {
      received += chunk;
      if (received.includes('AAA3')) break;
    }
    assert.deepEqual(received.match(/AAA\d/g), ['AAA1', 'AAA2', 'AAA3']);
  });

  it('beyond MAX_CALLS gets 429, and a slot is free again when its socket is gone', async (t) => {
    const { issuer, app, port } = await startApp(t, { MAX_CALLS: '1' });
    const headers = { Authorization: `Bearer ${issuer.token()}` };
    const first = new WebSocket(`ws://127.0.0.1:${port}/ws`, { headers });
    await once(first, 'open');
    const refused = await ask(port, { path: '/ws', headers: { ...upgrade, ...headers } });
    assert.equal(refused.status, 429);
    assert.ok(refused.headers['retry-after']);
    first.close();
    await once(first, 'close');
    assert.equal(app.size, 0);
    assert.equal((await ask(port, { path: '/ws', headers: { ...upgrade, ...headers } })).status, 101);
  });
});

describe('what is no upgrade', () => {
  it('is answered in small JSON that repeats nothing', async (t) => {
    const { port } = await startApp(t);
    const { status, headers, body } = await ask(port, { path: '/<script>secret' });
    assert.equal(status, 404);
    assert.match(String(headers['content-type']), /^application\/json/);
    assert.deepEqual(JSON.parse(body), { error: { code: 'not_found', message: 'There is nothing here' } });
    assert.equal(headers['x-powered-by'], undefined);
  });

  it('finds the routes by their exact names and methods', async (t) => {
    const { port } = await startApp(t);
    for (const path of ['/Healthz', '/healthz/', '/api/incoming-call/', '/API/callbacks', '/readyz/x']) {
      assert.equal((await ask(port, { path })).status, 404, path);
    }
    assert.equal((await ask(port, { path: '/api/incoming-call' })).headers.allow, 'OPTIONS, POST');
    assert.equal((await ask(port, { method: 'PUT', path: '/api/callbacks/x' })).status, 405);
  });

  it('sees the probes: alive at once, ready with the first keys', async (t) => {
    const issuer = await createIssuer();
    issuer.fault = 'slow';
    const config = loadConfig({ ACS_AUDIENCE: issuer.audience, ACS_ISSUER: issuer.issuer, PORT: '0' });
    const app = createCallgate({ config, handler, log: createLog('silent') });
    const asked = issuer.fetched();
    const port = await app.start();
    t.after(async () => {
      await app.stop(0);
      await issuer.close();
    });
    await asked;
    const headers = { 'If-None-Match': '*' };
    assert.equal((await ask(port, { path: '/healthz', headers })).status, 200, 'and never 304');
    assert.equal((await ask(port, { path: '/readyz' })).status, 503);
    issuer.release();
    await app.whenReady;
    assert.equal((await ask(port, { path: '/readyz' })).status, 200);
  });

  it('is a gate alone where no calls are answered: callbacks in, events 503', async (t) => {
    const { issuer, port } = await startApp(t);
    const headers = { Authorization: `Bearer ${issuer.token()}`, 'Content-Type': 'application/json' };
    const answers = ['/api/callbacks', '/api/incoming-call'].map(async (path) => {
      const response = await fetch(`http://127.0.0.1:${port}${path}`, {
        method: 'POST',
        headers,
        body: '[]',
      });
      return response.status;
    });
    assert.deepEqual(await Promise.all(answers), [200, 503]);
  });
});

const audio = (data: string) =>
  JSON.stringify({
    kind: 'AudioData',
    audioData: { timestamp: '2026-01-01T00:00:00Z', data, silent: false },
  });

/** A masked text frame of up to 125 bytes (RFC 6455, 5.2), with a mask of zeros. */
function frame(text: string): Buffer {
  const payload = Buffer.from(text);
  return Buffer.concat([Buffer.from([0x81, 0x80 | payload.length, 0, 0, 0, 0]), payload]);
}
