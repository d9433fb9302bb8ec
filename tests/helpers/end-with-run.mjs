// Loaded before each process of Vitest that runs test files (`--import`). Vitest ends them itself, but not where it is killed: then a file that has a
// server open would keep its process, and all that it started, for good. Threads of the process inherit the flag.
import { isMainThread } from 'node:worker_threads';

if (isMainThread) process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'));
