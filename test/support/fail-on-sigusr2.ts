// For a process under test: something goes wrong where nobody catches it.
process.on('SIGUSR2', () => {
  void Promise.reject(new Error('nobody catches this'));
});
