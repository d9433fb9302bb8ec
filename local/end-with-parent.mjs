// Loaded before the API and the worker (`--import`): they end in good order when `npm start` dies, however it dies.
// Plain JavaScript: Temporal's workflow threads inherit the flag, but not tsx.
import { isMainThread } from 'node:worker_threads';

/** A worker waits for its activities as long as they take, and one may hang for good. `?within=` this file's address: other milliseconds. */
const withinMs = Number(new URL(import.meta.url).searchParams.get('within') ?? 30_000);

if (isMainThread) {
  process.on('disconnect', () => {
    process.kill(process.pid, 'SIGTERM');
    setTimeout(() => process.kill(process.pid, 'SIGKILL'), withinMs).unref();
  });
  process.channel?.unref();
}
