import { createPublicKey, type KeyObject } from 'node:crypto';
import { JwksClient } from 'jwks-rsa';

/** The usable keys of a set by `kid`, and how many entries were not. */
export interface KeySet {
  keys: ReadonlyMap<string, KeyObject>;
  ignored: number;
}

/**
 * Fetches a JSON Web Key Set.
 *
 * @param options.jwksUrl where it is
 * @param options.maxBytes how long it may be, inflated
 * @param options.signal bounds the time for head and body together
 * @throws any error: not reachable, not status 200, a redirect, too long, not JSON, or no usable key in it
 */
export async function fetchKeySet(options: {
  jwksUrl: string;
  maxBytes: number;
  signal: AbortSignal;
}): Promise<KeySet> {
  const client = new JwksClient({
    jwksUri: options.jwksUrl,
    // Without its rate limit each unknown kid is a fetch, with it a flood of them locks real ones out; and one
    // `null` in the set loses all of it. So the cache is signing-keys.ts, and the filter is here.
    cache: false,
    rateLimit: false,
    // It is handed the URL alone: jwks-rsa's `timeout` doesn't apply.
    fetcher: (url) => fetchJson(url, options),
  });
  const entries = await client.getKeys();
  if (!Array.isArray(entries)) throw new Error('the document has no array of keys');
  return selectKeys(entries);
}

async function fetchJson(url: string, { maxBytes, signal }: { maxBytes: number; signal: AbortSignal }) {
  const response = await fetch(url, { redirect: 'error', signal, headers: { accept: 'application/json' } });
  const chunks: Uint8Array[] = [];
  let length = 0;
  if (response.status !== 200) {
    await response.body?.cancel();
    throw new Error(`the answer has status ${response.status}`);
  }
  // fetch inflates as it goes: a small answer that would grow without end is left off here too.
  for await (const chunk of response.body ?? []) {
    length += chunk.byteLength;
    if (length > maxBytes) throw new Error(`the document is longer than ${maxBytes} bytes`);
    chunks.push(chunk);
  }
  return JSON.parse(Buffer.concat(chunks).toString('utf8'));
}

/**
 * Takes from a set what can verify RS256. One bad entry costs only itself.
 *
 * @throws {Error} nothing usable in it
 */
export function selectKeys(entries: readonly unknown[]): KeySet {
  const keys = new Map<string, KeyObject>();
  const ambiguous = new Set<string>();
  for (const entry of entries) {
    const usable = usableKey(entry);
    if (!usable) continue;
    if (keys.has(usable.kid)) ambiguous.add(usable.kid);
    keys.set(usable.kid, usable.key);
  }
  // Of two keys with one name nobody can say which is meant.
  for (const kid of ambiguous) keys.delete(kid);
  if (keys.size === 0) throw new Error('the document has no usable key');
  return { keys, ignored: entries.length - keys.size };
}

/** RSA of 2048 bits or more, for signatures, for RS256 (RFC 7517, section 4). jwks-rsa would take 1024 bits. */
function usableKey(entry: unknown): { kid: string; key: KeyObject } | undefined {
  if (typeof entry !== 'object' || entry === null) return undefined;
  // Of an object each member may be asked for.
  const { kty, kid, use, alg, key_ops, n, e } = entry as Record<string, unknown>;
  if (kty !== 'RSA' || typeof kid !== 'string' || kid === '') return undefined;
  if (use !== undefined && use !== 'sig') return undefined;
  if (alg !== undefined && alg !== 'RS256') return undefined;
  if (key_ops !== undefined && !(Array.isArray(key_ops) && key_ops.includes('verify'))) return undefined;
  if (typeof n !== 'string' || typeof e !== 'string') return undefined;
  const key = publicKey({ kty, n, e });
  const { modulusLength = 0, publicExponent = 0n } = key?.asymmetricKeyDetails ?? {};
  // With an exponent of 1 every message would be its own signature.
  return key && modulusLength >= 2048 && publicExponent > 1n ? { kid, key } : undefined;
}

function publicKey(key: { kty: 'RSA'; n: string; e: string }): KeyObject | undefined {
  try {
    return createPublicKey({ key, format: 'jwk' });
  } catch {
    return undefined;
  }
}
