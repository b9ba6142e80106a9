import type { SpokenFrame } from './voices.ts';

/**
 * The frames that ACS sends, as text. Those of audio are put together by hand: there are 50 a second for each call, and
 * base64 needs no escaping.
 */
export function audioFrame({ speaker, pcm, silent }: SpokenFrame, at: Date): string {
  const whose = speaker === undefined ? '' : `"participantRawID":${JSON.stringify(speaker)},`;
  const data = pcm.toString('base64');
  return `{"kind":"AudioData","audioData":{"timestamp":"${at.toISOString()}",${whose}"data":"${data}","silent":${silent}}}`;
}
