// Loaded into the app with --import: puts the soak's handler in the place of the shipped one, and says what the process
// holds when it is asked. It ends with the one that started it.

import { subscribe } from 'node:diagnostics_channel';
import { readdirSync } from 'node:fs';
import type { Server } from 'node:http';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { replaceHandler } from '../replace-handler.ts';
import type { Look } from './look.ts';

replaceHandler(new URL('handler.ts', import.meta.url));

const resolutionMs = 10;
const delay = monitorEventLoopDelay({ resolution: resolutionMs });
delay.enable();

const servers = new Set<Server>();
subscribe('http.server.request.start', (message) => {
  servers.add((message as { server: Server }).server); // what Node says of this channel
});

process.on('message', (what) => {
  if (what === 'begin') delay.reset();
  if (what === 'look') process.send?.(look());
  if (what === 'rss') process.send?.(process.memoryUsage.rss());
  // Connections that wait for another request are nobody's leak: how many there are is for the clients to say.
  if (what === 'hush') for (const server of servers) server.closeIdleConnections();
});
process.on('disconnect', () => process.exit());

function look(): Look {
  // Before anything is collected, which would be a delay of our own making.
  const eventLoopDelayMs = { p50: readDelay(50), p99: readDelay(99), max: readDelay(100) };
  // Twice: what has a finalizer goes in the second.
  gc?.();
  gc?.();
  const { rss, heapTotal, heapUsed, external } = process.memoryUsage();
  const { user, system } = process.cpuUsage();
  return {
    ...{ rss, heapTotal, heapUsed, external, eventLoopDelayMs },
    handles: countHandles(),
    usedMs: (user + system) / 1_000,
  };
}

/** The histogram has the time between two looks at the clock, of which the resolution is no delay. */
function readDelay(percentile: number): number {
  return Math.max(0, delay.percentile(percentile) / 1e6 - resolutionMs);
}

function countHandles(): Record<string, number> {
  const counts: Record<string, number> = { files: countFiles() };
  for (const name of process.getActiveResourcesInfo()) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
}

/** Open files and sockets. Zero where the system doesn't tell. */
function countFiles(): number {
  try {
    return readdirSync('/proc/self/fd').length;
  } catch {
    return 0;
  }
}
