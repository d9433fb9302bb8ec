import { createRequire } from 'node:module';
import { extname } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';
import type { Example } from '../../domain/risk/example.ts';
import type { RiskModel } from '../../domain/risk/model.ts';
import type { Quality } from '../../domain/risk/quality.ts';
import type { Training } from '../../domain/risk/train.ts';

/** What is learned, and how the model in use does on the same newest outcomes. */
export interface Learned {
  training: Training;
  championQuality: Quality | null;
}

export interface Lesson {
  examples: Example[];
  /** The model in use; null: there is none. */
  champion: RiskModel | null;
}

export type Learn = (lesson: Lesson) => Promise<Learned>;

const tsx = () =>
  pathToFileURL(
    createRequire(import.meta.url)
      .resolve('tsx/esm/api')
      .replace(/\.cjs$/, '.mjs'),
  ).href;

/** Learn in a thread of its own: it takes up to minutes of processor time, in which this process has steps to dispatch. */
export const learnInThread: Learn = (lesson) =>
  new Promise((resolve, reject) => {
    const extension = extname(fileURLToPath(import.meta.url));
    const file = new URL(`learn-thread${extension}`, import.meta.url);
    // From the sources, the thread has to be taught TypeScript first.
    const thread =
      extension === '.ts'
        ? new Worker(`import(${JSON.stringify(tsx())}).then((tsx) => (tsx.register(), import(${JSON.stringify(file.href)})));`, {
            eval: true,
            workerData: lesson,
          })
        : new Worker(file, { workerData: lesson });
    thread.once('message', (learned: Learned) => resolve(learned));
    thread.once('error', reject);
    thread.once('exit', (code) => reject(new Error(`the thread that learns ended with ${code} before it had learned anything`)));
  });
