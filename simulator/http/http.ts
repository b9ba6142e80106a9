import type { IncomingMessage, RequestListener, Server, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { Certificate } from '../tokens/certificate.ts';
import { RestError } from './rest-error.ts';

/** A request with its whole body. */
export interface Request {
  method: string;
  /** The path and query exactly as they were sent: what a signature covers. */
  target: string;
  path: string;
  query: URLSearchParams;
  headers: IncomingMessage['headers'];
  body: Buffer;
  /** Whether it came over TLS. */
  secure: boolean;
}

/** An answer. */
export interface Answer {
  status: number;
  headers?: Record<string, string>;
  /** JSON, unless it is bytes. */
  body?: unknown;
  /** Resets the connection in place of an answer. */
  cut?: boolean;
  /** Runs once the answer is out, or can't be any more. */
  after?: (() => void) | undefined;
}

/** Answers a request, or throws a RestError. */
export type Handler = (request: Request) => Promise<Answer>;

/** How a server takes what it is sent. */
interface Reception {
  /** Makes it https. */
  certificate?: Certificate;
  /** Paths whose body may be a form: those that take it for the secret in it alone. */
  takesForm?: (path: string) => boolean;
  /** The largest body. */
  maxBytes?: number;
  handle: Handler;
}

/**
 * An HTTP server for this machine alone: it listens on 127.0.0.1, and refuses whatever a web page in a browser could
 * send it: a Host that isn't this machine's (DNS rebinding), an Origin that isn't this server's, a body that isn't JSON
 * (a forged form).
 *
 * @returns the server, once it listens
 * @throws the error of `listen`: EADDRINUSE where the port is taken
 */
export async function createLocalServer({
  port,
  ...reception
}: { port: number } & Reception): Promise<{ server: Server; port: number }> {
  const { certificate } = reception;
  const listener: RequestListener = (incoming, response) => {
    respond(incoming, reception)
      .catch(toAnswer)
      .then((answer) => write(response, answer))
      .catch(() => response.destroy()); // what can't be written, such as a body that is no JSON, ends this request alone
  };
  const server = certificate ? createSecureServer(certificate, listener) : createServer(listener);
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once('error', reject);
  server.listen(port, '127.0.0.1', resolve);
  await promise;
  const address = server.address();
  return { server, port: typeof address === 'object' && address ? address.port : port };
}

async function respond(
  incoming: IncomingMessage,
  { certificate, takesForm = () => false, maxBytes = 64 * 1024 * 1024, handle }: Reception,
): Promise<Answer> {
  const secure = certificate !== undefined;
  const { method = 'GET', url = '/', headers } = incoming;
  const host = headers.host ?? '';
  if (!/^(127\.0\.0\.1|localhost|\[::1\])(:\d+)?$/i.test(host)) {
    throw new RestError(421, 'MisdirectedRequest', 'The simulator serves this machine only: use 127.0.0.1.');
  }
  // A browser names the page's origin with each POST and DELETE, even one that it sends without asking first (RFC 6454, 7).
  const ownOrigin = `${secure ? 'https' : 'http'}://${host}`;
  if (headers.origin !== undefined && headers.origin.toLowerCase() !== ownOrigin.toLowerCase()) {
    throw new RestError(403, 'Forbidden', 'The simulator serves no page of another origin.');
  }
  const parsed = URL.parse(url, 'http://127.0.0.1');
  if (!parsed) throw new RestError(400, 'BadRequest', 'The request target is not a URL.');
  const body = await readBody(incoming, maxBytes);
  const { pathname: path, searchParams: query } = parsed;
  if (body.length > 0 && !takesForm(path)) requireJson(headers);
  return handle({ method, target: url, path, query, headers, body, secure });
}

/** @throws {RestError} 415 unless the request says that its body, which may be empty, is JSON */
export function requireJson(headers: Request['headers']): void {
  if (/^application\/([\w.-]+\+)?json\b/i.test(headers['content-type'] ?? '')) return;
  throw new RestError(415, 'UnsupportedMediaType', 'The body has to be JSON, and to say so in Content-Type.');
}

async function readBody(incoming: IncomingMessage, maxBytes: number): Promise<Buffer> {
  const pieces: Buffer[] = [];
  let size = 0;
  for await (const piece of incoming) {
    size += piece.length;
    if (size <= maxBytes) pieces.push(piece); // the rest is read all the same: who still sends may never see an answer
  }
  if (size <= maxBytes) return Buffer.concat(pieces);
  throw new RestError(413, 'RequestEntityTooLarge', `The body has more than ${maxBytes} bytes.`);
}

function toAnswer(error: unknown): Answer {
  if (error instanceof RestError) {
    const { status, code, message, headers } = error;
    return { status, headers, body: { error: { code, message } } };
  }
  return { status: 500, body: { error: { code: 'InternalServerError', message: String(error) } } };
}

function write(response: ServerResponse, { status, headers = {}, body, cut, after }: Answer): void {
  // Who hung up meanwhile gets no answer; what it was about goes on all the same.
  if (after && response.closed) after();
  else if (after) response.once('close', after);
  if (cut || response.destroyed) {
    response.destroy();
    return;
  }
  if (body === undefined) {
    response.writeHead(status, headers).end();
    return;
  }
  const isBytes = Buffer.isBuffer(body);
  response
    .writeHead(status, { 'content-type': 'application/json; charset=utf-8', ...headers })
    .end(isBytes ? body : JSON.stringify(body));
}
