import type { Figures } from './figures.ts';
import type { Load } from './load.ts';
import { readWaitedMs } from './machine.ts';
import type { Subject } from './subject.ts';

/** Keeps a server busy with a load, and says what that took. @param width how many at a time */
export async function measureLoad(
  { server, target, settled, records = () => 0 }: Subject,
  load: Load,
  { width, seconds }: { width: number; seconds: number },
): Promise<Figures> {
  const running = await load.start({ ...target, port: server.port }, width);
  if (load.leavesWork === 'start') await settled?.();
  const [used, waited, told] = [await server.usedMicroseconds(), readWaitedMs(server.pid), records()];
  const [begun, usedHere, waitedHere] = [performance.now(), process.cpuUsage(), readWaitedMs()];
  const { count, figures } = await running.run(seconds);
  const ms = performance.now() - begun;
  const here = process.cpuUsage(usedHere);
  const waitedMs = (readWaitedMs(server.pid) ?? 0) - (waited ?? 0);
  const waitedHereMs = (readWaitedMs() ?? 0) - (waitedHere ?? 0);
  const busy = (await server.usedMicroseconds()) - used;
  if (load.leavesWork === 'run') await settled?.();
  const microseconds = (await server.usedMicroseconds()) - used;
  const recordsEach = (records() - told) / count;
  await running.end();
  return {
    ...figures,
    count,
    perSecond: (count / ms) * 1_000,
    cpuMicroseconds: microseconds / count,
    busyPercent: busy / ms / 10,
    loadBusyPercent: (here.user + here.system) / ms / 10,
    ...(waited !== undefined && {
      waitedPercent: (waitedMs / ms) * 100,
      loadWaitedPercent: (waitedHereMs / ms) * 100,
    }),
    recordsEach,
  };
}
