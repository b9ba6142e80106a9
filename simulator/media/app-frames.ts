/** A frame that the app sent on the media WebSocket. */
export type AppFrame =
  | { kind: 'audio'; pcm: Buffer }
  | { kind: 'stop' }
  /** Not heard, and why. */
  | { kind: 'unheard'; why: string };

const MAX_PACKET = 64 * 1024; // Microsoft documents packets of up to 64 KB
const unheard = (why: string): AppFrame => ({ kind: 'unheard', why });

/**
 * Reads a text frame to ACS. Three casings of keys and kinds circulate (.NET's, the JavaScript SDK's and one in
 * between): all are taken. Total: what is no audio says why.
 */
export function parseAppFrame(text: string): AppFrame {
  let message: unknown;
  try {
    message = JSON.parse(text);
  } catch {
    return unheard('not JSON');
  }
  const kind = field(message, 'kind');
  if (typeof kind !== 'string') return unheard('no kind');
  if (kind.toLowerCase() === 'stopaudio') return { kind: 'stop' };
  if (kind.toLowerCase() !== 'audiodata') return unheard('an unknown kind');
  const data = field(field(message, 'audiodata'), 'data');
  if (typeof data !== 'string') return unheard('no data');
  const pcm = Buffer.from(data, 'base64');
  // Node skips what isn't base64; the length tells.
  if (pcm.length !== Buffer.byteLength(data, 'base64')) return unheard('not base64');
  if (pcm.length === 0) return unheard('empty');
  if (pcm.length % 2 === 1) return unheard('an odd number of bytes, so not 16-bit PCM');
  if (pcm.length > MAX_PACKET) return unheard('a packet of more than 64 KB');
  if (pcm.toString('latin1', 0, 4) === 'RIFF') return unheard('a WAV file, not bare PCM');
  return { kind: 'audio', pcm };
}

/** A field whatever the case of its name. */
function field(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null) return undefined;
  const found = Object.entries(value).find(([key]) => key.toLowerCase() === name);
  return found?.[1];
}
