import { wait } from '../wait.ts';

/** What came of a request: an answer, or the error in its place. */
export interface Outcome {
  status?: number;
  headers?: Headers;
  text: string;
  error?: string;
}

/**
 * Sends a request to the app. Never rejects: no answer is an outcome too.
 *
 * @param options.timeoutMs how long the answer may take, in milliseconds
 * @param options.signal gives up at once
 */
export async function send(
  url: string,
  { method = 'POST', body, headers = {}, timeoutMs, signal }: SendOptions,
): Promise<Outcome> {
  try {
    const response = await fetch(url, {
      method,
      headers,
      ...(body !== undefined && { body }),
      redirect: 'manual', // neither Event Grid nor ACS follows one
      signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
    });
    return { status: response.status, headers: response.headers, text: await response.text() };
  } catch (error) {
    return { text: '', error: describe(error) };
  }
}

export interface SendOptions {
  method?: string;
  body?: string;
  headers?: Record<string, string>;
  timeoutMs: number;
  signal: AbortSignal;
}

/** The reason in a few words; fetch hides it in `cause`. */
function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause;
  if (cause instanceof Error) return 'code' in cause ? String(cause.code) : cause.message;
  return error.name === 'TimeoutError' ? 'no answer in time' : error.message;
}

/**
 * Tries until `attempt` says that it is done, pausing in between; gives up when the pauses are used up or `signal`
 * fires.
 *
 * @param pausesMs the pauses between attempts, in milliseconds
 */
export async function retry(
  pausesMs: readonly number[],
  signal: AbortSignal,
  attempt: (number: number) => Promise<boolean>,
): Promise<boolean> {
  for (let number = 1; !signal.aborted; number++) {
    if (await attempt(number)) return true;
    const ms = pausesMs[number - 1];
    if (ms === undefined) return false;
    await wait(ms, signal);
  }
  return false;
}
