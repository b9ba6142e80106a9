import { accessSync, closeSync, constants, existsSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, parse, resolve } from 'node:path';
import { fromHere } from '../simulator/cli.ts';
import type { ScenarioFile } from '../simulator/control/scenario.ts';
import { parseScenario, ScenarioError } from '../simulator/control/scenario.ts';
import { parseWav, WavError } from '../simulator/media/wav.ts';
import { CallError } from './call-client.ts';

/**
 * Reads what the caller is to say.
 *
 * @returns the WAV file in base64, and how long it is in seconds
 * @throws {CallError} if a caller can't speak it
 */
export function readSound(file: string): { wav: string; seconds: number } {
  try {
    const wav = readFileSync(fromHere(file));
    const { sampleRate, samples } = parseWav(wav);
    if (samples.length === 0) throw new WavError('it holds no audio');
    return { wav: wav.toString('base64'), seconds: samples.length / sampleRate };
  } catch (error) {
    if (!(error instanceof WavError)) throw new CallError(`${file}: ${explain(error)}`);
    const wayOut = 'ffmpeg -i in.wav -ac 1 -ar 24000 -c:a pcm_s16le out.wav';
    throw new CallError(`${file}: ${error.message}. Make one that fits: ${wayOut}`);
  }
}

/**
 * Reads how a call is to go.
 *
 * @throws {CallError} with everything that is wrong with the file
 */
export function readScenario(file: string): ScenarioFile {
  try {
    const scenario = JSON.parse(readFileSync(fromHere(file), 'utf8'));
    parseScenario(scenario);
    return scenario;
  } catch (error) {
    const faults =
      error instanceof ScenarioError
        ? error.faults
        : [error instanceof SyntaxError ? `it is not JSON: ${error.message}` : explain(error)];
    throw new CallError(faults.map((fault) => `${file}: ${fault}`).join('\n'));
  }
}

/** Where the audio of calls is kept: in a file, or in numbered ones for several calls. */
export interface Shelf {
  /** Writes the audio of one call, the first being 0, and tells where. */
  keep(call: number, audio: Buffer): string;
}

/**
 * Looks before the calls are placed whether their audio can be kept.
 *
 * @throws {CallError} if it can't, as does `keep`
 */
export function openShelf(file: string, calls: number): Shelf {
  const { dir, name, ext } = parse(fromHere(file));
  const pathOf = (call: number) => resolve(dir, `${name}${calls > 1 ? `-${call + 1}` : ''}${ext}`);
  attempt(file, () => {
    for (let call = 0; call < calls; call++) assertWritable(pathOf(call));
  });
  return {
    keep(call, audio) {
      attempt(file, () => writeFileSync(pathOf(call), audio));
      return pathOf(call);
    },
  };
}

function assertWritable(path: string): void {
  // Changes nothing, and fails as writing would.
  if (existsSync(path)) closeSync(openSync(path, 'r+'));
  else accessSync(dirname(path), constants.W_OK);
}

function attempt(file: string, action: () => void): void {
  try {
    action();
  } catch (error) {
    throw new CallError(`--out ${file}: ${explain(error, 'there is no such folder')}`);
  }
}

/** What the file system said, in words. */
function explain(error: unknown, missing = 'there is no such file'): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'ENOENT') return missing;
  if (code === 'EISDIR') return 'it is a folder, not a file';
  if (code === 'EACCES') return 'access is denied';
  return `it cannot be used (${code})`;
}
