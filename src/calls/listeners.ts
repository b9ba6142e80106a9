import { EventEmitter } from 'node:events';
import type { AudioFrame } from '../media/frames.ts';
import type { CallEvents, CallListener } from './call.ts';

/** How much audio waits for its first listener: 2 s at 24 kHz, as base64. */
const earlyLimit = (2 * 24_000 * 2 * 4) / 3;

/**
 * The listeners of one call. Audio that comes before anybody listens to it waits; of what is too much the oldest
 * goes, so that what is heard at last is in one piece with what follows.
 *
 * @param options.onError gets what a listener throws or rejects with: none of it may end the process
 */
export function createListeners(options: { onError: (error: unknown) => void }) {
  // captureRejections: a listener that is an async function would else reject unhandled.
  const emitter = new EventEmitter({ captureRejections: true }).on('error', options.onError);
  let early: AudioFrame[] | undefined = [];
  let earlyBytes = 0;

  function emit(name: string, ...args: unknown[]) {
    try {
      emitter.emit(name, ...args);
    } catch (error) {
      options.onError(error);
    }
  }

  function keep(waiting: AudioFrame[], frame: AudioFrame) {
    waiting.push(frame);
    earlyBytes += frame.data.length;
    while (earlyBytes > earlyLimit) earlyBytes -= waiting.shift()?.data.length ?? earlyBytes;
  }

  function handOver() {
    const waiting = early ?? [];
    early = undefined;
    for (const frame of waiting) emit('audio', frame);
  }

  return {
    on<Name extends keyof CallEvents>(name: Name, listener: CallListener<Name>) {
      emitter.on(name, listener);
      // Not at once: what the handler declares after its `on` isn't there yet.
      if (name === 'audio' && early) queueMicrotask(handOver);
    },
    off<Name extends keyof CallEvents>(name: Name, listener: CallListener<Name>) {
      emitter.off(name, listener);
    },
    emit<Name extends keyof CallEvents>(name: Name, ...args: CallEvents[Name]) {
      const [first] = args;
      if (name === 'audio' && early) keep(early, first as AudioFrame);
      else emit(name, ...args);
    },
    clear() {
      emitter.removeAllListeners().on('error', options.onError);
      early = [];
    },
  };
}
