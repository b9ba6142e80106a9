// Loaded into a server with --import: tells what the whole process has used when it is asked, and ends with the one that
// started it.

process.on('message', (what) => {
  if (what === 'memory') process.send?.({ memory: readMemory() });
  else process.send?.({ microseconds: usedMicroseconds() });
});
process.on('disconnect', () => process.exit());

function usedMicroseconds(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}

/** What is left when the garbage is gone; twice, since what a first collection finalizes only the second frees. */
function readMemory() {
  globalThis.gc?.();
  globalThis.gc?.();
  const { rss, heapUsed, external } = process.memoryUsage();
  return { rss, heap: heapUsed + external };
}
