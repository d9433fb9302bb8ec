import { afterAll } from 'vitest';
import { processorSeconds } from './processor-seconds.ts';

declare module 'vitest' {
  interface TaskMeta {
    /** Of a file: processor time of the process that ran it and of those that it started and that ended, in seconds. Shared servers are not in it. */
    processorSeconds?: number;
  }
}

const spentBefore = Symbol.for('rekindle.processor-seconds');
// Files share processes (`isolate: false`): what was spent before a file is kept beside them. What a file is the first to import counts for it.
const kept = globalThis as { [spentBefore]?: number };

// oxlint-disable-next-line no-empty-pattern -- Vitest reads the names of its fixtures from the text of the function
afterAll(({}, { file }) => {
  const now = processorSeconds();
  file.meta.processorSeconds = now - (kept[spentBefore] ?? 0);
  kept[spentBefore] = now;
});
