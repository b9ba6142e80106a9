import { formatWav } from './wav.ts';

/** What was kept of a call: 16-bit little-endian PCM. */
export interface CallAudio {
  sampleRate: number;
  caller: Buffer;
  app: Buffer;
}

/** Both sides of a call, frame by frame, for whoever placed it. What ACS records is another matter. */
export interface KeptAudio {
  /** Copies what it keeps. Undefined: silence. */
  add(caller: Buffer | undefined, app: Buffer | undefined): void;
  readonly bytes: number;
  audio(): CallAudio;
  /** The same as a WAV file: the caller left, the app right. */
  wav(): Buffer;
}

/** @param options.limit frames that are kept */
export function createKeptAudio({ sampleRate, limit }: { sampleRate: number; limit: number }): KeptAudio {
  const silence = Buffer.alloc(sampleRate / 25);
  const callerFrames: Buffer[] = [];
  const appFrames: Buffer[] = [];
  const audio = () => ({ sampleRate, caller: Buffer.concat(callerFrames), app: Buffer.concat(appFrames) });

  return {
    add(caller, app) {
      if (callerFrames.length >= limit) return;
      callerFrames.push(caller ? Buffer.from(caller) : silence);
      appFrames.push(app ? Buffer.from(app) : silence);
    },
    get bytes() {
      return (callerFrames.length + appFrames.length) * silence.length;
    },
    audio,
    wav() {
      const { caller, app } = audio();
      return formatWav([caller, app], sampleRate);
    },
  };
}
