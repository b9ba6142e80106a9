// For a process under test: at SIGHUP its clock jumps ahead, past the windows of the log's limits.
const { now } = Date;
let ahead = 0;
Date.now = () => now() + ahead;
process.on('SIGHUP', () => {
  ahead += 11_000;
  console.log(JSON.stringify({ msg: 'the clock jumped' })); // a signal is taken some time after it was sent
});
