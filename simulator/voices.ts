import type { Participant } from './roster.ts';
import { mix } from './tone.ts';
import type { Voice } from './voice.ts';
import { createVoice } from './voice.ts';
import type { Sound } from './wav.ts';

/** 20 ms of somebody, or of everyone. */
export interface SpokenFrame {
  /** Whose it is; undefined where everyone is mixed into one. */
  speaker: string | undefined;
  pcm: Buffer;
  silent: boolean;
}

/** All that is said to the app in a call. */
export interface Voices {
  /** The next 20 ms: one frame of everyone, or one of each who speaks. */
  next(): SpokenFrame[];
  /** Whether there is anyone who hears the app: somebody on hold doesn't. */
  readonly listening: boolean;
}

/** What somebody says, and whether over and over. */
export interface Speech {
  sound: Sound;
  loop: boolean;
}

const MAX_SPEAKERS = 4; // the most that ACS tells apart

/**
 * Everyone in a call speaks but the app. Those who are muted or on hold go on, and nobody hears it.
 *
 * @param options.app the raw id of the app, which has its own audio
 * @param options.present who is in the call: another array after each change
 * @param options.unmixed whether each speaker has frames of their own
 * @param options.sampleRate of the frames, in hertz
 * @param options.speechOf what somebody says who comes in, the `nth` to do so, from 0
 */
export function createVoices({
  app,
  present,
  unmixed,
  sampleRate,
  speechOf,
}: {
  app: string;
  present: () => readonly Participant[];
  unmixed: boolean;
  sampleRate: number;
  speechOf: (rawId: string, nth: number) => Speech;
}): Voices {
  let seen: readonly Participant[] | undefined;
  let speakers: { rawId: string; hushed: boolean; voice: Voice }[] = [];
  let listening = true;
  let arrivals = 0;

  function look() {
    const now = present();
    if (now === seen) return;
    seen = now;
    const others = now.filter(({ identifier }) => identifier.rawId !== app);
    const known = new Map(speakers.map(({ rawId, voice }) => [rawId, voice]));
    speakers = others.map(({ identifier: { rawId }, isMuted, isOnHold }) => {
      const voice = known.get(rawId) ?? createVoice({ ...speechOf(rawId, arrivals++), sampleRate });
      return { rawId, hushed: isMuted || isOnHold, voice };
    });
    listening = others.some(({ isOnHold }) => !isOnHold);
  }

  function speak({ rawId, hushed, voice }: (typeof speakers)[number]): SpokenFrame {
    const { pcm, silent } = voice.next();
    const speaker = unmixed ? rawId : undefined;
    return hushed ? { speaker, pcm: pcm.fill(0), silent: true } : { speaker, pcm, silent };
  }

  return {
    next() {
      look();
      const frames = speakers.map(speak);
      if (unmixed) return frames.slice(0, MAX_SPEAKERS);
      return frames.length > 1 ? mixFrames(frames) : frames;
    },
    get listening() {
      look();
      return listening;
    },
  };
}

/** Everyone in one frame, which is silent where all are. */
function mixFrames(frames: readonly SpokenFrame[]): SpokenFrame[] {
  const heard = frames.filter(({ silent }) => !silent);
  if (heard.length === 0) return frames.slice(0, 1);
  return [heard.reduce((all, { pcm }) => ({ speaker: undefined, pcm: mix(all.pcm, pcm), silent: false }))];
}
