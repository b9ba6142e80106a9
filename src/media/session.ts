import type { WebSocket } from 'ws';
import { maxMessageBytes } from './audio-frame.ts';
import { type Frame, formatStopAudio, type MalformedWhy, malformed, parseFrame } from './frames.ts';

/**
 * How the WebSocket server is to treat media sockets (ws's options). Fragments and chunks are bounded because each
 * costs far more memory than the byte it may carry. `closeTimeout` bounds every close, whoever begins it: a peer
 * that doesn't answer ours, or reads nothing any more, is cut off (ws's default is 30 s).
 */
export const mediaSocketOptions = {
  maxPayload: maxMessageBytes,
  maxFragments: 1024,
  maxBufferedChunks: 4096,
  perMessageDeflate: false,
  closeTimeout: 1_000,
};

export interface SessionLimits {
  /** How often the peer is pinged, in milliseconds; twice in `idleMs` at the least. */
  readonly pingMs: number;
  /** How long a peer may be silent, without a frame or a pong, in milliseconds. Noticed at the next ping. */
  readonly idleMs: number;
  /** The send mark: how many bytes may wait in the socket. 1 MiB is 16 s of audio. */
  readonly sendMarkBytes: number;
  /** How long more than half the send mark may wait, in milliseconds. */
  readonly slowMs: number;
  /** How many malformed messages in a row end the session. */
  readonly malformedInARow: number;
}

const defaultLimits: SessionLimits = {
  pingMs: 30_000,
  idleMs: 60_000,
  sendMarkBytes: 1024 * 1024,
  slowMs: 10_000,
  malformedInARow: 100,
};

/** What a session counts. Handed in, so that a call's next socket goes on counting. Bytes are those of messages. */
export interface SessionCounters {
  framesIn: number;
  bytesIn: number;
  framesOut: number;
  bytesOut: number;
  malformed: number;
  /** How often the send mark turned a message away. */
  refused: number;
  /** The most that has waited in the socket. */
  maxBufferedBytes: number;
}

export function createCounters(): SessionCounters {
  return {
    framesIn: 0,
    bytesIn: 0,
    framesOut: 0,
    bytesOut: 0,
    malformed: 0,
    refused: 0,
    maxBufferedBytes: 0,
  };
}

export interface SessionEnd {
  /** The close code: ours, else the peer's; 1005 for none, 1006 when the connection broke. */
  readonly code: number;
  /** Our words; empty when the peer closed. */
  readonly reason: string;
  /** Whether this side closed it, be it for a violation of the protocol. */
  readonly ours: boolean;
}

export interface SessionOptions {
  readonly limits?: Partial<SessionLimits>;
  readonly counters: SessionCounters;
  /** Each frame but the malformed ones. None comes once a close has begun. */
  readonly onFrame: (frame: Exclude<Frame, { kind: 'malformed' }>) => void;
  readonly onMalformed: (why: MalformedWhy) => void;
  /** What onFrame threw. The session goes on. */
  readonly onError: (error: unknown) => void;
  /** The session is over: no frame comes or goes any more. Called once; our own close may go on for a second. */
  readonly onClose: (end: SessionEnd) => void;
}

export type Session = ReturnType<typeof openSession>;

/** Room above the send mark for StopAudio. */
const stopSpareBytes = 16 * 1024;

/** ws's names for violations that it doesn't close with 1002. */
const violations: Record<string, number> = {
  WS_ERR_INVALID_UTF8: 1007,
  WS_ERR_TOO_MANY_BUFFERED_PARTS: 1008,
  WS_ERR_UNSUPPORTED_MESSAGE_LENGTH: 1009,
};

/**
 * The life of one media WebSocket, whoever dialled it. Call it in the same tick as the socket opens: frames may have
 * come with the upgrade, and those without a listener are lost.
 *
 * @param socket an open WebSocket
 */
export function openSession(socket: WebSocket, options: SessionOptions) {
  const { counters, onFrame, onMalformed, onError, onClose } = options;
  const limits = { ...defaultLimits, ...options.limits };
  const beatMs = Math.min(limits.pingMs, limits.idleMs / 2);
  const heart = setInterval(beat, beatMs);
  /** Pings since something came. Not a time: after a pause of this process its peers are not to blame. */
  let unanswered = 0;
  let slow: NodeJS.Timeout | undefined;
  let ours: { code: number; reason: string } | undefined;
  let malformedInARow = 0;
  let ended = false;

  /** Whether frames can still come and go. */
  function isOpen(): boolean {
    return !ours && socket.readyState === socket.OPEN;
  }

  function beat(): void {
    // Neither open nor gone: its own half ended (FIN), a peer may read no more, and ws waits without a timer.
    if (socket.readyState !== socket.OPEN) socket.terminate();
    else if (unanswered * beatMs >= limits.idleMs) close(1008, 'Nothing received for too long');
    else socket.ping();
    unanswered += 1;
  }

  /** Closes; only the first time counts. The reason: up to 123 bytes, for logs. */
  function close(code: number, reason: string): void {
    if (!isOpen()) return;
    ours = { code, reason };
    socket.close(code, reason);
    end(code);
  }

  function receive(message: Buffer, isBinary: boolean): void {
    counters.framesIn += 1;
    counters.bytesIn += message.length;
    const frame = isBinary ? malformed('binary') : parseFrame(message);
    if (frame.kind !== 'malformed') {
      malformedInARow = 0;
      onFrame(frame);
      return;
    }
    counters.malformed += 1;
    malformedInARow += 1;
    onMalformed(frame.why);
    if (malformedInARow >= limits.malformedInARow) close(1008, 'Too many malformed messages');
  }

  /** Closes a peer that lets more than half the mark wait for too long. What waits only shrinks between two sends. */
  function watch(waiting: number): void {
    if (waiting <= limits.sendMarkBytes / 2) {
      clearTimeout(slow);
      slow = undefined;
      return;
    }
    slow ??= setTimeout(() => {
      slow = undefined;
      if (socket.bufferedAmount > limits.sendMarkBytes / 2) close(1008, 'Reads too slowly');
    }, limits.slowMs);
  }

  function sendUpTo(mark: number, message: Buffer): boolean {
    if (!isOpen()) return false;
    const waiting = socket.bufferedAmount;
    watch(waiting);
    if (waiting + message.length > mark) {
      counters.refused += 1;
      return false;
    }
    socket.send(message, { binary: false });
    counters.framesOut += 1;
    counters.bytesOut += message.length;
    counters.maxBufferedBytes = Math.max(counters.maxBufferedBytes, socket.bufferedAmount);
    watch(socket.bufferedAmount);
    return true;
  }

  socket.on('message', (data, isBinary) => {
    if (ours || !Buffer.isBuffer(data)) return; // always a Buffer, says ws, unless told otherwise
    unanswered = 0;
    try {
      receive(data, isBinary);
    } catch (error) {
      onError(error);
    }
  });
  socket.on('pong', () => {
    unanswered = 0;
  });
  // ws has answered a violation with its close code by now. Without a listener it would end the process.
  socket.on('error', (error: Error & { code?: string }) => {
    const code = violations[error.code ?? ''] ?? 1002;
    ours ??= { code, reason: 'Protocol violation' };
    end(code);
  });
  socket.once('close', gone);
  if (socket.readyState === socket.CLOSED) queueMicrotask(() => gone(1006)); // too late for its event

  function gone(code: number): void {
    clearInterval(heart);
    end(code);
  }

  function end(code: number): void {
    if (ended) return;
    ended = true;
    clearTimeout(slow);
    onClose(ours ? { ...ours, ours: true } : { code, reason: '', ours: false });
  }

  return {
    get open() {
      return isOpen();
    },
    /** What waits in the socket. */
    get bufferedBytes() {
      return socket.bufferedAmount;
    },
    /** Sends a text message. False if it can't: no longer open, or it would wait beyond the send mark (counted). */
    send: (message: Buffer) => sendUpTo(limits.sendMarkBytes, message),
    /** Sends StopAudio, which gets through where audio doesn't: a full socket is when it is needed. */
    stopAudio: () => sendUpTo(limits.sendMarkBytes + stopSpareBytes, formatStopAudio()),
    close,
  };
}
