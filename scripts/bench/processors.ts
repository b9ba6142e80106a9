import { spawnSync } from 'node:child_process';

/** Processors for what is measured and for what it talks to, so that neither takes time from the other. */
export interface Processors {
  /** As taskset writes them. */
  own: string;
  other: string;
}

/**
 * Keeps this process to all processors that it may use but one, which is left to the other.
 *
 * @returns nothing where the machine can't: there is but one, or no taskset (which is Linux's)
 */
export function partProcessors(): Processors | undefined {
  const shown = spawnSync('taskset', ['-cp', String(process.pid)], { encoding: 'utf8' });
  const all = readList(/: *([\d,-]+)\s*$/.exec(shown.stdout ?? '')?.[1] ?? '');
  const other = all.at(-1);
  if (other === undefined || all.length < 2) return undefined;
  const own = all.slice(0, -1).join();
  // All threads: those that V8 and libuv have started by now would stay where they are.
  const { status } = spawnSync('taskset', ['-acp', own, String(process.pid)]);
  return status === 0 ? { own, other: String(other) } : undefined;
}

/** `0-2,8` is 0, 1, 2 and 8. */
function readList(written: string): number[] {
  return written.split(',').flatMap((part) => {
    const [first = Number.NaN, last = first] = part.split('-').map(Number);
    return Array.from({ length: last - first + 1 || 0 }, (_, at) => first + at);
  });
}
