// Loaded before the API and the worker (`--import`): they end in good order when `npm start` dies, however it dies.
process.on('disconnect', () => process.kill(process.pid, 'SIGTERM'));
process.channel?.unref();
