import { parentPort, workerData } from 'node:worker_threads';
import { learn } from './learn-now.ts';
import type { Lesson } from './learn.ts';

// The other side of `learnInThread`: one lesson, one answer.
parentPort?.postMessage(learn(workerData as Lesson));
