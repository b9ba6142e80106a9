// The life of one call, from its first sign to its end. Everything that belongs to the call ends here, once.

import type { WebSocket } from 'ws';
import { describeError, type Logger } from '../log.ts';
import type { Frame } from '../media/frames.ts';
import type { AudioBudget } from '../media/playback.ts';
import type { SessionEnd } from '../media/session.ts';
import { type AcsClient, asAcsError, type CallIds } from './acs-client.ts';
import type { Call, Handler } from './call.ts';
import { type Ending, endings } from './endings.ts';
import type { CallEvent } from './events.ts';
import { explain } from './explain.ts';
import { createHangUp } from './hang-up.ts';
import { createIdentity } from './identity.ts';
import { createListeners } from './listeners.ts';
import { createMediaLeg } from './media-leg.ts';
import { createTimers } from './timers.ts';
import { createTransfer } from './transfer.ts';

/** Bounds of one call, in milliseconds. */
export interface CallLimits {
  /** How long a call may go on with nothing received, or with its media stopped on purpose. */
  idleMs: number;
  /** How long an answered call may be without its first socket. */
  socketMs: number;
  /** From a drop to the request for new media. */
  askAgainMs: number;
  /** From a drop to giving the call up. */
  successorMs: number;
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
  /** What is left of MAX_CALL_SECONDS, in milliseconds. */
  remainingMs: number;
  handler: Handler;
  /** Undefined where this app can't ask anything of ACS. */
  client: AcsClient | undefined;
  audioBudget: AudioBudget;
  limits: CallLimits;
  log: Logger;
  /** Gives back the call's slot; called once. */
  onEnd: (ending: Ending) => void;
  /** Told of work that outlives the call, which a stopping process waits for. */
  track: (work: Promise<void>) => void;
}

/** A call as its registry, its sockets and its events see it. */
export interface CallControl {
  readonly id: string;
  readonly bound: boolean;
  readonly log: Logger;
  readonly callConnectionId: string | undefined;
  /** Whether there was a sign that ACS answered: an id, a socket or `CallConnected`. */
  readonly established: boolean;
  readonly ended: boolean;
  /** Takes the call's socket; a second one takes over from the first. */
  attach(socket: WebSocket, ids: Partial<CallIds>): void;
  /** `answerCall` returned. */
  answered(ids: CallIds): void;
  /** `answerCall` was given up on: for a while the call waits for a sign that ACS answered all the same. */
  unsure(): void;
  /** Takes an event of ACS's about this call. */
  receive(event: CallEvent): void;
  /** Ends the call. Only the first ending counts. */
  end(ending: Ending): void;
}

/** How many events' ids a call remembers, to drop those that come twice. */
const rememberedEvents = 1000;

/** Makes a call; see {@link CallControl}. */
export function createCall(options: CallOptions): CallControl {
  const { id, bound, client, limits } = options;
  const identity = createIdentity(id, options.log);
  const timers = createTimers<'total' | 'socket' | 'askAgain' | 'successor' | 'unsure' | 'idle'>();
  const aborter = new AbortController();
  const transfer = createTransfer();
  const hangUp = createHangUp({ client, identity, timeoutMs: limits.hangUpMs, track: options.track });
  const listeners = createListeners({ onError: handlerFailed });
  const media = createMediaLeg({
    audioBudget: options.audioBudget,
    idleMs: limits.idleMs,
    log: () => identity.log,
    onFrame: hear,
    onError: handlerFailed,
    onLost: mediaLost,
  });
  const seen = new Set<string>();
  let established = false;
  let started = false;
  let mediaStopped = false;
  let ending: Ending | undefined;

  timers.set('total', options.remainingMs, () => end(endings.tooLong));

  function answered(ids: CallIds) {
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

  function unsure() {
    if (!established && !ending) timers.set('unsure', limits.unsureMs, () => end(endings.unanswered));
  }

  function attach(socket: WebSocket, ids: Partial<CallIds>) {
    if (identity.contradicts(ids, 'header')) {
      identity.log.warn('the x-ms-call-connection-id of the socket is of another call than its binding');
    }
    identity.learn(ids, 'header');
    established = true;
    mediaStopped = false;
    timers.clear('unsure', 'socket', 'askAgain', 'successor', 'idle');
    media.attach(socket);
    identity.log.info('media connected');
    if (started) return;
    started = true;
    Promise.try(options.handler, call).catch(handlerFailed);
  }

  function hear(frame: Frame) {
    if (frame.kind === 'audio') listeners.emit('audio', frame);
    else if (frame.kind === 'dtmf') listeners.emit('dtmf', frame.tone);
    else if (frame.kind === 'transcription') listeners.emit('transcription', frame);
  }

  function receive(event: CallEvent) {
    if (ending) return;
    const ids = callIdsOf(event);
    if (bound && identity.contradicts(ids, 'event')) {
      identity.log.warn({ event: event.type }, 'event ignored: it is of another call than its binding');
      return;
    }
    if (seen.has(event.id)) {
      identity.log.debug({ event: event.type }, 'event ignored: it came before');
      return;
    }
    seen.add(event.id);
    if (seen.size > rememberedEvents) seen.delete(seen.values().next().value ?? '');
    if (bound) identity.learn(ids, 'event');
    logEvent(identity.log, event);
    listeners.emit('event', event);
    heed(event.type);
  }

  function heed(type: string) {
    switch (type) {
      case 'CallConnected':
        return bound && !ending ? establish() : undefined;
      case 'CallDisconnected':
        return end(endings.disconnected);
      case 'AnswerFailed':
      case 'ConnectFailed':
      case 'CreateCallFailed':
        return end(endings.answerFailed);
      case 'MediaStreamingStarted':
        // Not without its socket: events come in any order, and one that is late must not keep a call without media.
        mediaStopped &&= !media.connected;
        return;
      case 'MediaStreamingStopped':
        mediaStopped = true;
        return started && !media.connected ? goOnWithoutMedia() : undefined;
      case 'MediaStreamingFailed':
        return end(endings.mediaFailed);
      case 'CallTransferAccepted':
        return transfer.succeed();
      case 'CallTransferFailed':
        return transfer.fail('The other side did not take the call');
    }
  }

  function mediaLost({ ours, code, reason }: SessionEnd) {
    identity.log.info({ code, ours, reason }, 'media disconnected');
    if (!bound) return end(endings.socketClosed);
    if (ours) return end(endings.misbehaved);
    if (mediaStopped) return goOnWithoutMedia();
    timers.set('askAgain', limits.askAgainMs, askForMedia);
    timers.set('successor', limits.successorMs, () => end(endings.mediaLost));
  }

  function goOnWithoutMedia() {
    if (ending) return;
    timers.clear('askAgain', 'successor');
    timers.set('idle', limits.idleMs, () => end(endings.idle));
  }

  async function askForMedia() {
    const { callConnectionId } = identity.ids;
    if (!client || !callConnectionId) return;
    try {
      await client.startMedia(callConnectionId, within(limits.successorMs));
      identity.log.info('asked for media again');
    } catch (error) {
      const { status, code } = asAcsError(error);
      if (status === 404) end(endings.gone);
      else identity.log.warn({ status, code }, 'asked for media again, in vain');
    }
  }

  function within(ms: number): AbortSignal {
    return AbortSignal.any([aborter.signal, AbortSignal.timeout(ms)]);
  }

  function handlerFailed(error: unknown) {
    const facts = { error: describeError(error) };
    if (ending) return identity.log.debug(facts, 'the handler failed after the end of its call');
    identity.log.error(facts, 'the handler failed');
    end(endings.handlerFailed);
  }

  function end(how: Ending) {
    if (ending) return;
    ending = how;
    try {
      timers.clearAll();
      media.close(how.code, how.say);
      if (how.hangUp) transfer.fail('The call ended first');
      else transfer.succeed();
      identity.log.info({ reason: how.reason, ...media.counters }, 'call ended');
    } finally {
      options.onEnd(how);
    }
    if (how.hangUp && bound) hangUp.owe();
    else hangUp.waive();
    listeners.clear();
    aborter.abort();
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
    acs: {
      get callConnectionId() {
        return identity.ids.callConnectionId;
      },
      get correlationId() {
        return identity.ids.correlationId;
      },
      get serverCallId() {
        return identity.ids.serverCallId;
      },
      get connection() {
        const { callConnectionId } = identity.ids;
        return bound && callConnectionId ? client?.connection(callConnectionId) : undefined;
      },
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
      await transfer.begin(client, callConnectionId, to, within(limits.hangUpMs));
    },
  };

  return {
    id,
    bound,
    get log() {
      return identity.log;
    },
    get callConnectionId() {
      return identity.ids.callConnectionId;
    },
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

function callIdsOf({ data }: CallEvent): CallIds {
  const { callConnectionId, correlationId, serverCallId } = data;
  return {
    callConnectionId,
    correlationId: correlationId ?? undefined,
    serverCallId: serverCallId ?? undefined,
  };
}

const worthALine = /^(Call(Connected|Disconnected|TransferAccepted)|MediaStreaming(Started|Stopped))$/;

/** Codes and what they mean; ACS's own message stays out, since it may name the caller. */
function logEvent(log: Logger, { type, data }: CallEvent) {
  const { code, subCode } = data.resultInformation ?? {};
  const level = type.endsWith('Failed') ? 'warn' : worthALine.test(type) ? 'info' : 'debug';
  log[level]({ event: type, code, subCode, help: explain(data.resultInformation) }, 'event');
}
