import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { startTemporal } from '../../local/temporal-server.ts';
import { compiledSources } from '../chaos/compiled-sources.ts';
import { onFreePort, oncePerRun } from './once-per-run.ts';

declare module 'vitest' {
  interface ProvidedContext {
    temporalAddress: string;
    /** A file: each worker would bundle the workflows anew. */
    workflowBundle: string;
  }
}

const shared = oncePerRun(
  'temporal',
  async () => {
    const log = (line: string) => process.stderr.write(`[temporal] ${line}\n`);
    const [server, folder] = await Promise.all([
      onFreePort((port) => startTemporal({ dir: null, port, uiPort: null, durable: false, log })),
      compiledSources(),
    ]);
    return { server, workflowBundle: join(folder, 'workflow-bundle.js') };
  },
  ({ server }) => server.stop(),
);

/** One Temporal for all test files that run workflows; each has a task queue of its own there. */
export async function setup(project: TestProject): Promise<void> {
  const { server, workflowBundle } = await shared.use();
  project.provide('temporalAddress', server.address);
  project.provide('workflowBundle', workflowBundle);
}

export const teardown = shared.leave;
