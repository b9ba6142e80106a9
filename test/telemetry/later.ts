// For a process under test: at SIGHUP its monotonic clock jumps ahead, past the windows of all limits on what is told.
const now = performance.now.bind(performance);
let ahead = 0;
performance.now = () => now() + ahead;
process.on('SIGHUP', () => {
  ahead += 301_000;
  console.log(JSON.stringify({ msg: 'the clock jumped' })); // a signal is taken some time after it was sent
});
