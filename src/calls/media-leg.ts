// A call's audio, whichever socket carries it at the moment.

import type { WebSocket } from 'ws';
import { createLogLimiter, type Logger } from '../log.ts';
import type { AudioBudget } from '../media/audio-queue.ts';
import { type AudioFrame, defaultFormat, type Frame, formatAudio } from '../media/frames.ts';
import { createPlayer } from '../media/playback.ts';
import { createCounters, openSession, type Session, type SessionEnd } from '../media/session.ts';

export interface MediaLegOptions {
  audioBudget: AudioBudget;
  idleMs: number;
  log: () => Logger;
  onFrame: (frame: Frame) => void;
  onError: (error: unknown) => void;
  /** The last socket ended, other than by `close`. */
  onLost: (end: SessionEnd) => void;
}

/** The media of one call. */
export function createMediaLeg(options: MediaLegOptions) {
  const { audioBudget, idleMs, log, onFrame, onError, onLost } = options;
  const mayLog = createLogLimiter({ burst: 3, windowMs: 60_000 });
  const counters = createCounters();
  let format = defaultFormat;
  let session: Session | undefined;

  const player = createPlayer({
    budget: audioBudget,
    format: () => format,
    write: (pcm) => session?.send(formatAudio(pcm)) ?? false,
  });

  /** Takes a socket; the one before it is closed. */
  function attach(socket: WebSocket) {
    const replaced = session;
    const mine = openSession(socket, {
      counters,
      limits: { idleMs },
      onMalformed(why) {
        const line = mayLog('malformed');
        if (line) log().warn({ why, ...line }, 'malformed message on the media socket');
      },
      onError,
      onFrame(frame) {
        if (frame.kind === 'metadata') format = frame.format;
        onFrame(frame);
      },
      onClose(end) {
        if (session !== mine) return;
        session = undefined;
        onLost(end);
      },
    });
    session = mine;
    replaced?.close(1008, 'Another socket of this call took over');
  }

  function send(audio: AudioFrame | Uint8Array): boolean {
    if (session?.open && !player.playing) return session.send(formatAudio(audio));
    counters.refused += 1;
    return false;
  }

  return {
    get format() {
      return format;
    },
    counters,
    get connected() {
      return session !== undefined;
    },
    attach,
    send,
    play: player.play,
    stop() {
      player.stop();
      session?.stopAudio();
    },
    /** Ends the audio for good: playbacks settle as stopped, the socket is closed. */
    close(code: number, reason: string) {
      player.close();
      const last = session;
      session = undefined;
      last?.close(code, reason);
    },
  };
}
