import type { CallMedia } from '../media/call-media.ts';
import { createCallMedia } from '../media/call-media.ts';
import { createCast } from '../media/cast.ts';
import { createVoices } from '../media/voices.ts';
import type { Keypad } from '../prompts/keypad.ts';
import { createKeypad } from '../prompts/keypad.ts';
import { createPromptPlayer } from '../prompts/prompt-player.ts';
import type { Prompts } from '../prompts/prompts.ts';
import { createPrompts } from '../prompts/prompts.ts';
import type { Tones } from '../prompts/tones.ts';
import { createTones } from '../prompts/tones.ts';
import type { Words } from '../prompts/words.ts';
import { createWords } from '../prompts/words.ts';
import type { CallRecordings } from '../recordings/call-recordings.ts';
import { createCallRecordings } from '../recordings/call-recordings.ts';
import { tapeRate } from '../recordings/tape.ts';
import type { Transcription } from '../transcription/transcription.ts';
import { createTranscription } from '../transcription/transcription.ts';
import type { CallContext } from './call-context.ts';
import type { Setup } from './handle.ts';
import type { Identifier } from './identifiers.ts';
import type { Invitations } from './invitations.ts';
import { createInvitations } from './invitations.ts';
import type { Roster } from './roster.ts';
import { createRoster } from './roster.ts';

/** What a call consists of: who is in it and how it is talked to, and once it is connected, who hears it. */
export interface CallParts {
  readonly roster: Roster;
  readonly invitations: Invitations;
  readonly keypad: Keypad;
  readonly words: Words;
  readonly prompts: Prompts;
  readonly tones: Tones;
  readonly media: CallMedia | undefined;
  readonly transcription: Transcription | undefined;
  /** Undefined until it is connected. */
  readonly recordings: CallRecordings | undefined;
  /** Adds what an app hears and tells with, once `person` has come in. */
  connect(setup: Setup, person: Identifier, ends: Ends): void;
  /** Resolves when the app has closed its WebSockets. */
  close(): Promise<void>;
}

/** How what is said comes to an end. */
interface Ends {
  /** The caller has said everything. */
  onDone: () => void;
  /** Nobody listens, or no longer, with so many frames still to say. */
  onUnheard: (frames: number) => void;
}

/** @param options.present who is in the call from the start */
export function createCallParts({ present, ...context }: CallContext & { present: Identifier[] }): CallParts {
  const { app, exchange, options, push } = context;
  const { frameMs, keyMs } = exchange.durations;
  const shared = { ...context, frameMs, keyMs };
  let setup: Setup | undefined;
  let media: CallMedia | undefined;
  let transcription: Transcription | undefined;
  let recordings: CallRecordings | undefined;

  const words = createWords(options.words);
  const roster = createRoster(present, push);
  const keypad = createKeypad(shared);
  const tones = createTones({ ...shared, keypad });
  const invitations = createInvitations({
    ...shared,
    roster,
    numbers: exchange.numbers,
    outcome: options.invited ?? 'accepted',
  });
  const prompts = createPrompts({
    ...shared,
    keypad,
    words,
    player: createPromptPlayer({
      frameMs,
      sampleRate: () => setup?.media?.sampleRate ?? tapeRate,
      isHeard: () => media?.stream.live === true || recordings?.running === true,
    }),
    hasSpeech: () => setup?.hasSpeech === true,
  });

  return {
    roster,
    invitations,
    keypad,
    words,
    prompts,
    tones,
    get media() {
      return media;
    },
    get transcription() {
      return transcription;
    },
    get recordings() {
      return recordings;
    },
    connect(wanted, person, ends) {
      setup = wanted;
      roster.add(person);
      const voices = createVoices({
        app: app.rawId,
        present: roster.all,
        sampleRate: wanted.media?.sampleRate ?? tapeRate,
        speechOf: createCast(options, exchange),
      });
      const audio = { voices, prompting: prompts.next };
      recordings = createCallRecordings({
        ...context,
        ...audio,
        roster,
        streaming: () => media?.stream.live === true,
      });
      if (wanted.media) {
        media = createCallMedia({
          ...context,
          ...audio,
          ...ends,
          request: wanted.media,
          onSound: recordings.add,
          onFirst: () => void keypad.press(options.digits ?? ''),
        });
        keypad.listen((key) => media?.stream.press(key) === true);
      }
      if (wanted.transcription) {
        transcription = createTranscription({
          ...shared,
          request: wanted.transcription,
          speaker: person,
          roster,
          words,
          hasSpeech: wanted.hasSpeech,
        });
      }
    },
    async close() {
      await Promise.all([media?.stream.close(), transcription?.close()]);
    },
  };
}
