// Loaded into a server with --import: says what the whole process has used of its processors when it is asked, and ends
// with the one that started it.

process.on('message', () => {
  const { user, system } = process.cpuUsage();
  process.send?.({ microseconds: user + system });
});
process.on('disconnect', () => process.exit());
