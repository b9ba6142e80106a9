/** Nothing came back. The message says why, in words for whoever typed the URL. */
export class NoAnswer extends Error {
  override readonly name = 'NoAnswer';
}

/** What came back, its body read whole. */
export interface Answer {
  status: number;
  headers: Headers;
  /** The body, if it is JSON. */
  json: unknown;
}

/** More than any answer that is looked at here. */
const maxBytes = 256 * 1024;

/**
 * Asks once. A redirect is an answer, and not followed: it could lead elsewhere with what was sent.
 *
 * @param patienceMs for head and body together
 * @throws {NoAnswer} none came, or one without end
 */
export async function ask(url: URL, patienceMs: number, request: RequestInit = {}): Promise<Answer> {
  try {
    const signal = AbortSignal.timeout(patienceMs);
    const response = await fetch(url, { ...request, redirect: 'manual', signal });
    const json = parseJson(await readText(response));
    return { status: response.status, headers: response.headers, json };
  } catch (error) {
    throw error instanceof NoAnswer ? error : new NoAnswer(reasonOf(error), { cause: error });
  }
}

/** @returns the path of an answer in JSON, undefined where it leads nowhere */
export function pick(json: unknown, ...path: string[]): unknown {
  let value = json;
  for (const name of path) {
    if (typeof value !== 'object' || value === null) return undefined;
    // Of an object each member may be asked for.
    value = (value as Record<string, unknown>)[name];
  }
  return value;
}

export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Why a request came to nothing. fetch hides the system's code in `cause`; messages may repeat the request. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return 'the request failed';
  if (error.name === 'TimeoutError' || error.name === 'AbortError') return 'no answer in time';
  const { cause } = error;
  const code = codeOf(cause) ?? codeOf(error);
  if (code === undefined) return 'the request failed';
  return reasons[code] ?? (/CERT|SSL|TLS|ISSUER/.test(code) ? `TLS fails (${code})` : `it failed (${code})`);
}

const reasons: Readonly<Record<string, string>> = {
  ENOTFOUND: 'the host name is unknown',
  EAI_AGAIN: 'the host name cannot be looked up now',
  ECONNREFUSED: 'nothing listens there',
  ECONNRESET: 'the connection was cut off',
  UND_ERR_SOCKET: 'the connection was cut off',
  UND_ERR_CONNECT_TIMEOUT: 'no answer in time',
};

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

async function readText(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of response.body ?? []) {
    length += chunk.byteLength;
    if (length > maxBytes) throw new NoAnswer(`an answer of more than ${maxBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
