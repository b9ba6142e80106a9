// All calls of this process: who may come in, which call a socket or an event belongs to, and when all are over.

import { randomUUID } from 'node:crypto';
import { setTimeout as delay, setImmediate } from 'node:timers/promises';
import type { WebSocket } from 'ws';
import type { Binding } from '../auth/binding.ts';
import { AtCapacity, BindingRefused, Draining, type Refusal } from '../auth/refusals.ts';
import type { Logger } from '../log.ts';
import { createAudioBudget } from '../media/audio-queue.ts';
import type { PlaybackClock } from '../media/playback.ts';
import { type CallTags, noTelemetry, type Telemetry } from '../telemetry/telemetry.ts';
import type { AcsClient, CallIds } from './acs-client.ts';
import type { Handler } from './call.ts';
import { type CallControl, type CallLimits, createCall } from './call-control.ts';
import { endings } from './endings.ts';
import { type CallEvent, callIdsOf, countedType } from './events.ts';
import { type Announced, createPastCalls } from './past-calls.ts';
import { longestTimeout } from './timers.ts';
import { createTotals } from './totals.ts';

export interface CallsOptions {
  handler: Handler;
  /** Undefined where this app can't ask anything of ACS. */
  client: AcsClient | undefined;
  maxCalls: number;
  maxCallMs: number;
  idleMs: number;
  log: Logger;
  within?: Telemetry['within'];
  limits?: Partial<CallLimits>;
  /** How long after answering a socket is let in of a call that this process doesn't have. */
  admitMs?: number;
  /** How long after the longest call its events are taken. */
  reportMs?: number;
  now?: () => number;
  playbackClock?: PlaybackClock;
}

export type Calls = ReturnType<typeof createCalls>;

const standardLimits: CallLimits = {
  idleMs: 60_000,
  socketMs: 30_000,
  askAgainMs: 1_000,
  successorMs: 5_000,
  unsureMs: 30_000,
  hangUpMs: 10_000,
};

/** The registry of calls. Each holds one slot until it ends. */
export function createCalls(options: CallsOptions) {
  const { handler, client, maxCalls, maxCallMs, log } = options;
  const { admitMs = 60_000, reportMs = 3_600_000, now = Date.now, within = noTelemetry.within } = options;
  const limits = { ...standardLimits, idleMs: options.idleMs, ...options.limits };
  const { playbackClock = {} } = options;
  const audioBudget = createAudioBudget();
  const shared = { handler, client, audioBudget, playbackClock, limits, log, within, track };
  const running = new Map<string, CallControl>();
  // Only as long as their binding alone would let a socket in.
  const past = createPastCalls({ keepMs: admitMs, now });
  const totals = createTotals();
  const work = new Set<Promise<unknown>>();
  const whenEmpty = new Set<() => void>();
  let draining = false;

  /** Is told of work that outlives a call, which `drain` waits for. */
  function track(promise: Promise<unknown>) {
    work.add(promise);
    promise.finally(() => work.delete(promise));
  }

  async function workDone() {
    while (work.size > 0) await Promise.all(work);
  }

  function open(binding: Binding | undefined, announced: Announced = {}) {
    const id = binding?.callId ?? randomUUID().replaceAll('-', '');
    const call = createCall({
      id,
      bound: binding !== undefined,
      ...announced,
      remainingMs: maxCallMs - (binding ? now() - binding.issuedAt : 0),
      ...shared,
      onEnd: (ending) => {
        totals.add(call.totals);
        running.delete(id);
        if (binding) past.add(call, binding, ending, announced);
        if (running.size === 0) for (const resolve of whenEmpty) resolve();
      },
    });
    running.set(id, call);
    return call;
  }

  const isFull = () => draining || running.size >= maxCalls;

  /** A call that was given up on and that ACS turns out to have answered: it has its time for a socket like any other. */
  function revive(binding: Binding, event: CallEvent): CallControl | undefined {
    const announced = past.takeUnanswered(binding.callId);
    if (!announced) return undefined;
    const isTooMany = isFull();
    const call = open(binding, announced);
    call.receive(event);
    if (isTooMany) call.end(endings.late);
    return call;
  }

  const empty = () =>
    new Promise<void>((resolve) => {
      if (running.size === 0) resolve();
      else whenEmpty.add(resolve);
    });

  return {
    get size() {
      return running.size;
    },
    get draining() {
      return draining;
    },

    /**
     * Whether the socket of a call may come in. Asked right before it is accepted, since `connect` claims its slot
     * then: a check in an earlier, asynchronous step let 50 sockets pass a limit of 5.
     *
     * @param binding undefined for a socket that is a call of its own
     */
    admit(binding: Binding | undefined): Refusal | undefined {
      if (binding && running.has(binding.callId)) return undefined;
      if (binding && past.find(binding.callId)) return new BindingRefused('call_ended');
      if (binding && now() - binding.issuedAt > Math.min(admitMs, maxCallMs)) {
        return new BindingRefused('too_late');
      }
      if (draining) return new Draining();
      return running.size < maxCalls ? undefined : new AtCapacity();
    },

    /**
     * Whether events of a call may come in: while it runs, whatever becomes of the clock; else its binding holds for
     * them an hour longer than the call may last.
     */
    admitEvents(binding: Binding | undefined): Refusal | undefined {
      if (binding && running.has(binding.callId)) return undefined;
      const isLate = binding && now() - binding.issuedAt > maxCallMs + reportMs;
      return isLate ? new BindingRefused('too_late') : undefined;
    },

    /** Takes a slot for a call that is about to be answered. Undefined if none is free. */
    claim(binding: Binding, announced: Announced): CallControl | undefined {
      return isFull() ? undefined : open(binding, announced);
    },

    /**
     * Hands an admitted socket to its call.
     *
     * @param checkMs how long the gate took to admit it, in milliseconds
     */
    connect(socket: WebSocket, binding: Binding | undefined, ids: Partial<CallIds>, checkMs: number) {
      const call =
        (binding && running.get(binding.callId)) ??
        open(binding, binding && past.takeUnanswered(binding.callId));
      call.attach(socket, ids, checkMs);
    },

    /**
     * Hands an event to its call; one of a call that is unknown or over makes no state.
     *
     * @returns by what the records of the call are found
     */
    deliver(event: CallEvent, binding: Binding | undefined): CallTags | undefined {
      totals.count(countedType(event));
      const { callConnectionId, correlationId } = callIdsOf(event);
      if (!binding) {
        const calls = [...running.values()].filter(
          ({ bound, tags }) => !bound && tags.callConnectionId === callConnectionId,
        );
        for (const call of calls) call.receive(event);
        return calls[0]?.tags;
      }
      const call = running.get(binding.callId) ?? past.find(binding.callId)?.owing;
      call?.receive(event);
      const heard = call ?? revive(binding, event);
      if (heard) return heard.tags;
      log.debug({ call: binding.callId, type: event.type }, 'event ignored: its call is not here or over');
      return { call: binding.callId, callConnectionId, correlationId };
    },

    /** By what the records of a binding's call are found, whether it is here or not. */
    tagsOf: ({ callId }: Binding): CallTags =>
      (running.get(callId) ?? past.find(callId))?.tags ?? { call: callId },

    /** What is, and what was since the start of the process. */
    get stats() {
      const calls = [...running.values()];
      return {
        calls: calls.length,
        maxCalls,
        bufferedBytes: calls.reduce((sum, call) => sum + call.bufferedBytes, 0),
        totals: totals.with(calls.map((call) => call.totals)),
      };
    },

    track,

    /**
     * Takes no more calls, waits for those that are running, then ends the rest and waits for their hang-ups.
     *
     * @param waitMs how long calls may go on, in milliseconds
     * @param hangUpMs how long their hang-ups may take after that, in milliseconds
     */
    async drain(waitMs: number, hangUpMs: number) {
      draining = true;
      const patience = new AbortController();
      const wait = (ms: number) =>
        delay(Math.min(ms, longestTimeout), undefined, { signal: patience.signal }).catch(() => {});
      await Promise.race([empty(), wait(waitMs)]);
      for (const call of running.values()) call.end(endings.draining);
      await Promise.race([workDone(), wait(hangUpMs)]);
      patience.abort();
      // Event Grid waits for the outcome of such work: it gets its answer before all is closed.
      await setImmediate();
    },
  };
}
