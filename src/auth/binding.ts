import { createHmac, createSecretKey, type KeyObject, randomBytes, timingSafeEqual } from 'node:crypto';

/** Which of its two addresses a binding stands in. One doesn't pass for the other. */
export type Purpose = 'media' | 'events';

/** Which call an address belongs to. */
export interface Binding {
  /** 32 hexadecimal digits. */
  callId: string;
  /** When the call was answered, in milliseconds since 1970. */
  issuedAt: number;
}

/** The last path segments for `transportUrl` (media) and `callbackUri` (events) of one call. Both are secrets. */
export interface IssuedBinding extends Binding {
  media: string;
  events: string;
}

export type Bindings = ReturnType<typeof createBindings>;

const idLength = 16;
const timeLength = 6;

/**
 * What a binding looks like, from start to end: 54 bytes are 72 characters of base64url without spare bits, so
 * each has one form only.
 */
export const bindingShape = /^[A-Za-z0-9_-]{72}$/;

/**
 * Ties the addresses given to ACS to a call: its token names the resource only, so whoever receives other calls
 * of the resource holds tokens that would do. A binding is a random call id, the time of answering, and an
 * HMAC-SHA256 over purpose, id and time.
 *
 * @param options.keys the first signs, all verify (two during a rotation)
 * @param options.now clock in milliseconds
 */
export function createBindings({ keys, now = Date.now }: { keys: readonly string[]; now?: () => number }) {
  const [signer, ...others] = keys.map((key) => createSecretKey(key, 'utf8'));
  if (!signer) throw new TypeError('A binding needs a key');
  const verifiers = [signer, ...others];

  return {
    /** Makes the addresses of a new call. */
    issue(): IssuedBinding {
      const issuedAt = Math.floor(now());
      const body = Buffer.alloc(idLength + timeLength);
      randomBytes(idLength).copy(body);
      body.writeUIntBE(issuedAt, idLength, timeLength);
      const seal = (purpose: Purpose) =>
        Buffer.concat([body, mac(signer, purpose, body)]).toString('base64url');
      return { ...read(body), media: seal('media'), events: seal('events') };
    },

    /**
     * Reads a path segment. Total: anything may be handed in.
     *
     * @returns the call it belongs to, or undefined if it wasn't made here for this purpose
     */
    open(segment: string, purpose: Purpose): Binding | undefined {
      if (!bindingShape.test(segment)) return undefined;
      const bytes = Buffer.from(segment, 'base64url');
      const body = bytes.subarray(0, idLength + timeLength);
      const seal = bytes.subarray(idLength + timeLength);
      // Every key is tried: the time taken doesn't tell which one fits.
      const fits = verifiers.map((key) => timingSafeEqual(mac(key, purpose, body), seal));
      return fits.includes(true) ? read(body) : undefined;
    },
  };
}

const mac = (key: KeyObject, purpose: Purpose, body: Uint8Array): Buffer =>
  createHmac('sha256', key).update(purpose).update(body).digest();

const read = (body: Buffer): Binding => ({
  callId: body.toString('hex', 0, idLength),
  issuedAt: body.readUIntBE(idLength, timeLength),
});
