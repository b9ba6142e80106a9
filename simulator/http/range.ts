import type { Effect } from '../rest/operation.ts';

/**
 * Bytes, or those that a Range header asks for: one range, from its first byte to its last or to the end, as the SDKs
 * ask for it. Any other header is left out of account, as RFC 9110, 14.2 has it.
 */
export function rangeOf(bytes: Buffer, range: string | undefined, type: string): Effect {
  const headers = { 'content-type': type, 'accept-ranges': 'bytes' };
  const asked = /^bytes=(\d+)-(\d*)$/.exec(range ?? '');
  if (!asked) return { headers, body: bytes };
  const first = Number(asked[1]);
  const last = Math.min(asked[2] ? Number(asked[2]) : Number.POSITIVE_INFINITY, bytes.length - 1);
  if (first > last) {
    const message = 'The range is beyond the end.';
    const contentRange = `bytes */${bytes.length}`;
    return { status: 416, headers: { 'content-range': contentRange }, body: { status: 416, message } };
  }
  const contentRange = `bytes ${first}-${last}/${bytes.length}`;
  return {
    status: 206,
    headers: { ...headers, 'content-range': contentRange },
    body: bytes.subarray(first, last + 1),
  };
}
