import { setTimeout } from 'node:timers/promises';
import { openEchoedCalls } from './calls.ts';
import type { Figures } from './figures.ts';
import type { Memory } from './server.ts';
import type { Subject } from './subject.ts';

/** Calls that come and go before anything is measured, so that what a first call takes for good isn't counted. */
const before = { calls: 20, seconds: 0.5 };

/**
 * Measures what only a process that has just been started tells: how long that takes, and what calls add to its memory.
 * A process doesn't give back what it once had, so that a second measurement would find less.
 *
 * @param start starts the server anew
 * @param options.calls how many calls there are, first without a frame, then with 50 a second for so many seconds
 */
export async function measureFresh(
  start: () => Promise<Subject>,
  { calls, seconds }: { calls: number; seconds: number },
): Promise<Figures> {
  const { server, ...subject } = await start();
  const target = { ...subject.target, port: server.port };
  try {
    const startCpuMs = (await server.usedMicroseconds()) / 1_000;
    const first = await openEchoedCalls(target, before.calls);
    await first.run(before.seconds);
    await first.end();
    const empty = await server.readMemory();

    const running = await openEchoedCalls(target, calls);
    const idle = await server.readMemory();
    const speaking = running.run(seconds + 0.5);
    await Promise.race([setTimeout(seconds * 1_000), speaking]);
    const busy = await server.readMemory();
    await speaking;
    await running.end();

    const kbEach = (memory: Memory, of: keyof Memory) => (memory[of] - empty[of]) / calls / 1024;
    return {
      ...server.started,
      startCpuMs,
      idleRssKb: kbEach(idle, 'rss'),
      idleHeapKb: kbEach(idle, 'heap'),
      speakingRssKb: kbEach(busy, 'rss'),
      speakingHeapKb: kbEach(busy, 'heap'),
    };
  } finally {
    await server.stop();
  }
}
