// A call's audio, whichever socket carries it at the moment.

import type { WebSocket } from 'ws';
import { createLogLimiter, type Logger } from '../log.ts';
import type { AudioBudget } from '../media/audio-queue.ts';
import { type AudioFrame, defaultFormat, type Frame, formatAudio } from '../media/frames.ts';
import { createPlayer, type PlaybackClock } from '../media/playback.ts';
import { createCounters, openSession, type Session, type SessionEnd } from '../media/session.ts';
import { event, msSince } from '../telemetry/event.ts';

export interface MediaLegOptions {
  audioBudget: AudioBudget;
  playbackClock: PlaybackClock;
  idleMs: number;
  log: () => Logger;
  onFrame: (frame: Frame) => void;
  onError: (error: unknown) => void;
  /** The last socket ended, other than by `close`. */
  onLost: (end: SessionEnd) => void;
}

/** The media of one call. */
export function createMediaLeg(options: MediaLegOptions) {
  const { audioBudget, playbackClock, idleMs, log, onFrame, onError, onLost } = options;
  const mayLog = createLogLimiter({ burst: 3, windowMs: 60_000 });
  const mayLogBargeIn = createLogLimiter({ burst: 30, windowMs: 60_000 });
  const counters = createCounters();
  let format = defaultFormat;
  let session: Session | undefined;
  let connectedAt = 0;
  /** Whether a frame of the caller has come yet, and one of the app gone out. */
  let heard = false;
  let spoke = false;

  const player = createPlayer({
    budget: audioBudget,
    format: () => format,
    write: sendAudio,
    ...playbackClock,
  });

  /** Takes a socket; the one before it is closed. */
  function attach(socket: WebSocket) {
    const replaced = session;
    connectedAt = performance.now();
    const mine = openSession(socket, {
      counters,
      limits: { idleMs },
      onMalformed(why) {
        const line = mayLog('malformed');
        if (line) log().warn({ why, ...line }, 'malformed message on the media socket');
      },
      onError,
      onFrame(frame) {
        if (!heard && frame.kind === 'audio') sayHeard();
        if (frame.kind === 'metadata') format = frame.format;
        onFrame(frame);
      },
      onClose(end) {
        const { code, ours, reason } = end;
        log().info(event('call.media_disconnected', { code, ours, reason }), 'media disconnected');
        if (session !== mine) return;
        session = undefined;
        onLost(end);
      },
    });
    session = mine;
    replaced?.close(1008, 'Another socket of this call took over');
  }

  function sayHeard() {
    heard = true;
    const milestone = event('call.first_frame_in', { sinceConnectedMs: msSince(connectedAt) });
    log().info(milestone, 'the first audio came in');
  }

  function saySpoke() {
    spoke = true;
    const milestone = event('call.first_audio_out', { sinceConnectedMs: msSince(connectedAt) });
    log().info(milestone, 'the first audio went out');
  }

  function sendAudio(audio: AudioFrame | Uint8Array): boolean {
    const sent = session?.send(formatAudio(audio)) ?? false;
    if (sent && !spoke) saySpoke();
    return sent;
  }

  function send(audio: AudioFrame | Uint8Array): boolean {
    if (session?.open && !player.playing) return sendAudio(audio);
    counters.refused += 1;
    return false;
  }

  return {
    get format() {
      return format;
    },
    counters,
    /** The counters, and what became of playbacks. */
    get totals() {
      return {
        ...counters,
        playbackBehindMs: Math.round(player.behindMs),
        playbackRefusedMs: Math.round(player.refusedMs),
      };
    },
    /** What waits in the socket. */
    get bufferedBytes() {
      return session?.bufferedBytes ?? 0;
    },
    get connected() {
      return session !== undefined;
    },
    attach,
    send,
    play: player.play,
    stop() {
      const unheardMs = Math.round(player.stop());
      session?.stopAudio();
      const line = unheardMs > 0 ? mayLogBargeIn('barge-in') : undefined;
      if (!line) return;
      const milestone = event('call.barge_in', { unheardMs, suppressed: line.suppressed });
      log().info(milestone, 'the handler silenced what was playing');
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
