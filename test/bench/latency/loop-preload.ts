/** Loaded before the program of each process of a gateway: the half that stores and talks loops for ever from SIGUSR2 on. */
if (process.argv[1]?.endsWith('north.js') === true)
  process.on('SIGUSR2', () => {
    for (;;);
  });
