// Loaded before the API and the worker (`--import`): they end in good order when `npm start` dies, however it dies.
// Plain JavaScript: Temporal's workflow threads inherit the flag, but not tsx.
import { isMainThread } from 'node:worker_threads';

if (isMainThread) {
  process.on('disconnect', () => process.kill(process.pid, 'SIGTERM'));
  process.channel?.unref();
}
