import type { Sound } from './wav.ts';

const SECONDS = 4;
/** Vowels as the middles of their first two formants in hertz, and the pause that follows each syllable. */
const SYLLABLES = [
  [730, 1090],
  [270, 2290],
  [530, 1840],
  [300, 870],
  [660, 1720],
  [570, 840],
  [440, 1020],
] as const;

/**
 * Something like speech, so that nobody needs a recording to try a call: a gliding voice with two formants, in
 * syllables with pauses between them. It repeats after four seconds without a seam.
 */
export function makeSpeech(sampleRate: number): Sound {
  const samples = new Int16Array(SECONDS * sampleRate);
  const perSyllable = samples.length / (SYLLABLES.length + 1); // the last one is a pause for breath
  let phase = 0;
  for (let i = 0; i < samples.length; i++) {
    const place = i / perSyllable;
    const formants = SYLLABLES[Math.floor(place)];
    const within = place % 1;
    const pitch = 115 + 25 * Math.sin((2 * Math.PI * i) / samples.length) - 15 * within;
    phase += (2 * Math.PI * pitch) / sampleRate;
    if (!formants || within > 0.8) continue;
    samples[i] = Math.round(9000 * Math.sin((Math.PI * within) / 0.8) * voice(phase, pitch, formants));
  }
  return { sampleRate, samples };
}

/** The same sound higher and faster, as if another spoke: at a pitch of 2 by an octave. */
export function atPitch({ sampleRate, samples }: Sound, pitch: number): Sound {
  return { sampleRate: Math.round(sampleRate * pitch), samples };
}

/** One sample of a voice: harmonics of the pitch, louder near the formants. */
function voice(phase: number, pitch: number, formants: readonly [number, number]): number {
  let sum = 0;
  for (let harmonic = 1; harmonic <= 20; harmonic++) {
    const frequency = harmonic * pitch;
    const [first, second] = formants;
    const near = 0.15 + resonance(frequency, first) + 0.5 * resonance(frequency, second);
    sum += (near / Math.sqrt(harmonic)) * Math.sin(harmonic * phase);
  }
  return sum / 4;
}

function resonance(frequency: number, formant: number): number {
  return 1 / (1 + ((frequency - formant) / 120) ** 2);
}
