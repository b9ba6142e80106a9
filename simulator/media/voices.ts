import type { Participant } from '../calls/roster.ts';
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
  readonly sampleRate: number;
  /** The next 20 ms: one frame of each who is there. */
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
 * @param options.sampleRate of the frames, in hertz
 * @param options.speechOf what somebody says who comes in, the `nth` to do so, from 0
 */
export function createVoices({
  app,
  present,
  sampleRate,
  speechOf,
}: {
  app: string;
  present: () => readonly Participant[];
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
    return hushed ? { speaker: rawId, pcm: pcm.fill(0), silent: true } : { speaker: rawId, pcm, silent };
  }

  look(); // to make up speech takes longer than a frame lasts: not with the first of them

  return {
    sampleRate,
    next() {
      look();
      return speakers.map(speak);
    },
    get listening() {
      look();
      return listening;
    },
  };
}

/** What of it the app gets: a frame of each who speaks, or of everyone in one, which is silent where all are. */
export function arrange(frames: readonly SpokenFrame[], unmixed: boolean): SpokenFrame[] {
  if (unmixed) return frames.slice(0, MAX_SPEAKERS);
  const heard = frames.filter(({ silent }) => !silent);
  const [first, ...others] = heard.length > 0 ? heard : frames.slice(0, 1);
  if (!first) return [];
  return [{ ...first, speaker: undefined, pcm: others.reduce((all, { pcm }) => mix(all, pcm), first.pcm) }];
}
