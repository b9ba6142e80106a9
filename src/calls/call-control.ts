// The life of one call, from its first sign to its end. Everything that belongs to the call ends here, once.

import type { WebSocket } from 'ws';
import { describeError, type Logger } from '../log.ts';
import type { AudioBudget } from '../media/audio-queue.ts';
import type { Frame } from '../media/frames.ts';
import type { PlaybackClock } from '../media/playback.ts';
import type { SessionEnd } from '../media/session.ts';
import { errorKeys, event, msSince } from '../telemetry/event.ts';
import type { Telemetry } from '../telemetry/telemetry.ts';
import type { AcsClient, CallIds } from './acs-client.ts';
import type { Call, Handler } from './call.ts';
import { createDeliveries } from './deliveries.ts';
import { type Ending, endings } from './endings.ts';
import { type CallEvent, callIdsOf } from './events.ts';
import { logEvent } from './explain.ts';
import { createHangUp } from './hang-up.ts';
import { createIdentity } from './identity.ts';
import { createListeners } from './listeners.ts';
import { createMediaLeg } from './media-leg.ts';
import { createMediaWatch, type MediaLimits } from './media-watch.ts';
import { createTimers } from './timers.ts';
import { createTransfer } from './transfer.ts';

/** Bounds of one call, in milliseconds. */
export interface CallLimits extends MediaLimits {
  /** How long an answered call may be without its first socket. */
  socketMs: number;
  /** How long a call is kept of which nobody knows whether ACS answered it. */
  unsureMs: number;
  /** What a hang-up may take with all its retries. */
  hangUpMs: number;
}

export interface CallOptions {
  id: string;
  /** Whether the call has a binding: then it is hung up here. Else it is its socket and no more. */
  bound: boolean;
  from?: string | undefined;
  to?: string | undefined;
  /** What the announcement said of its ids. */
  announced?: Partial<CallIds> | undefined;
  /** What is left of MAX_CALL_SECONDS, in milliseconds. */
  remainingMs: number;
  handler: Handler;
  /** Undefined where this app can't ask anything of ACS. */
  client: AcsClient | undefined;
  audioBudget: AudioBudget;
  playbackClock: PlaybackClock;
  limits: CallLimits;
  log: Logger;
  within: Telemetry['within'];
  /** Gives back the call's slot; called once. */
  onEnd: (ending: Ending) => void;
  /** Told of work that outlives the call, which a stopping process waits for. */
  track: (work: Promise<void>) => void;
}

/** A call as its registry, its sockets and its events see it. */
export type CallControl = ReturnType<typeof createCall>;

// One for all calls: each new one would cost its stack trace, which says nothing.
const callIsOver = new DOMException('The call is over', 'AbortError');

/** Makes a call, which lives until its `end`. */
export function createCall(options: CallOptions) {
  const { id, bound, client, limits } = options;
  const begun = performance.now();
  const identity = createIdentity(id, options.log, options.within);
  const timers = createTimers<'total' | 'socket' | 'unsure'>();
  const aborter = new AbortController();
  const transfer = createTransfer();
  const hangUp = createHangUp({ client, identity, timeoutMs: limits.hangUpMs, track: options.track });
  const listeners = createListeners({ onError: handlerFailed });
  const media = createMediaLeg({
    audioBudget: options.audioBudget,
    playbackClock: options.playbackClock,
    idleMs: limits.idleMs,
    log: () => identity.log,
    onFrame: hear,
    onError: handlerFailed,
    onLost: mediaLost,
  });
  const watch = createMediaWatch({ client, identity, limits, signal: aborter.signal, end });
  const deliveries = createDeliveries();
  let answeredAt: number | undefined;
  let established = false;
  let started = false;
  let ending: Ending | undefined;

  if (options.announced) identity.learn(options.announced, 'announcement');
  timers.set('total', options.remainingMs, () => end(endings.tooLong));

  /** `answerCall` returned. */
  function answered(ids: CallIds) {
    answeredAt = performance.now();
    identity.learn(ids, 'answer');
    hangUp.retry();
    if (!ending) establish();
  }

  /** There is a sign that ACS answered: from now on a socket is due. */
  function establish() {
    established = true;
    timers.clear('unsure');
    if (!started) timers.set('socket', limits.socketMs, () => end(endings.mediaMissing));
  }

  /** `answerCall` was given up on: for a while the call waits for a sign that ACS answered all the same. */
  function unsure() {
    if (!established && !ending) timers.set('unsure', limits.unsureMs, () => end(endings.unanswered));
  }

  /**
   * Takes the call's socket; a second one takes over from the first.
   *
   * @param checkMs how long it was checked before it was let in, in milliseconds
   */
  function attach(socket: WebSocket, ids: Partial<CallIds>, checkMs: number) {
    if (identity.contradicts(ids, 'header')) {
      identity.log.warn('the x-ms-call-connection-id of the socket is of another call than its binding');
    }
    identity.learn(ids, 'header');
    established = true;
    timers.clear('unsure', 'socket');
    watch.connected();
    media.attach(socket);
    const sinceAnsweredMs = answeredAt === undefined ? undefined : msSince(answeredAt);
    identity.log.info(event('call.media_connected', { checkMs, sinceAnsweredMs }), 'media connected');
    if (started) return;
    started = true;
    identity.within(() => Promise.try(options.handler, call)).catch(handlerFailed);
  }

  function hear(frame: Frame) {
    watch.heard();
    if (frame.kind === 'audio') listeners.emit('audio', frame);
    else if (frame.kind === 'dtmf') listeners.emit('dtmf', frame.tone);
    else if (frame.kind === 'transcription') listeners.emit('transcription', frame);
  }

  /** Takes an event of ACS's about this call. */
  function receive(news: CallEvent) {
    const ids = callIdsOf(news);
    if (ending) return settle(ids);
    if (bound && identity.contradicts(ids, 'event')) {
      identity.log.warn({ type: news.type }, 'event ignored: it is of another call than its binding');
      return;
    }
    if (!deliveries.isNew(news.id)) {
      identity.log.debug({ type: news.type }, 'event ignored: it came before');
      return;
    }
    if (bound) identity.learn(ids, 'event');
    logEvent(identity.log, news);
    listeners.emit('event', news);
    if (!ending) heed(news.type);
  }

  /** ACS says which call it is, too late for all but the hang-up that it is owed. */
  function settle(ids: CallIds) {
    if (bound) identity.learn(ids, 'event');
    hangUp.retry();
  }

  function heed(type: string) {
    switch (type) {
      case 'CallConnected':
        return bound ? establish() : undefined;
      case 'CallDisconnected':
        return end(endings.disconnected);
      case 'AnswerFailed':
      case 'ConnectFailed':
      case 'CreateCallFailed':
        return end(endings.answerFailed);
      case 'MediaStreamingStarted':
        // Without a socket it is an old story: events come in any order.
        return media.connected ? watch.started() : undefined;
      case 'MediaStreamingStopped':
        return started ? watch.stopped() : undefined;
      case 'MediaStreamingFailed':
        return end(endings.mediaFailed);
      case 'CallTransferAccepted':
        return transfer.succeed();
      case 'CallTransferFailed':
        return transfer.fail('The other side did not take the call');
    }
  }

  function mediaLost({ ours }: SessionEnd) {
    if (!bound) return end(endings.socketClosed);
    if (ours) return end(endings.misbehaved);
    watch.dropped();
  }

  function handlerFailed(error: unknown) {
    const facts = { error: describeError(error) };
    if (ending) return identity.log.debug(facts, 'the handler failed after the end of its call');
    identity.log.error({ ...event('call.handler_failed', errorKeys(error)), ...facts }, 'the handler failed');
    end(endings.handlerFailed);
  }

  /** Ends the call. Only the first ending counts. */
  function end(how: Ending) {
    if (ending) return;
    ending = how;
    try {
      timers.clearAll();
      watch.close();
      media.close(how.code, how.say);
      if (how.hangUp) transfer.fail('The call ended first');
      else transfer.succeed();
      const { duplicates } = deliveries;
      const totals = { lastedMs: msSince(begun), ...media.totals, duplicates };
      identity.log.info(event('call.ended', { reason: how.reason, ...totals }), 'call ended');
    } finally {
      options.onEnd(how);
    }
    if (how.hangUp && bound) hangUp.owe();
    else hangUp.waive();
    listeners.clear();
    aborter.abort(callIsOver);
  }

  const call: Call = {
    id,
    from: options.from,
    to: options.to,
    get format() {
      return media.format;
    },
    signal: aborter.signal,
    counters: media.counters,
    get acs() {
      const { callConnectionId, correlationId, serverCallId } = identity.ids;
      const connection = bound && callConnectionId ? client?.connection(callConnectionId) : undefined;
      return { callConnectionId, correlationId, serverCallId, connection };
    },
    on(name, listener) {
      if (!ending) listeners.on(name, listener);
      return call;
    },
    off(name, listener) {
      listeners.off(name, listener);
      return call;
    },
    send: media.send,
    play: media.play,
    stop: media.stop,
    hangUp() {
      end(endings.hungUp);
      return hangUp.settled;
    },
    async transfer(to) {
      const { callConnectionId } = identity.ids;
      if (!bound || !client) throw new Error('Only a call that this app answered can be transferred');
      if (ending || !callConnectionId) throw new Error('The call is not connected');
      const signal = AbortSignal.any([aborter.signal, AbortSignal.timeout(limits.hangUpMs)]);
      await identity.within(() => transfer.begin(client, callConnectionId, to, signal));
    },
  };

  return {
    id,
    bound,
    get log() {
      return identity.log;
    },
    /** By what its records are found. */
    tags: identity.tags,
    /** Runs what makes requests about this call. */
    within: identity.within,
    /** What it has come to so far. */
    get totals() {
      return { ...media.counters, duplicates: deliveries.duplicates };
    },
    /** What waits in its socket. */
    get bufferedBytes() {
      return media.bufferedBytes;
    },
    /** Whether there was a sign that ACS answered: an id, a socket or `CallConnected`. */
    get established() {
      return established;
    },
    get ended() {
      return ending !== undefined;
    },
    attach,
    answered,
    unsure,
    receive,
    end,
  };
}
