import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { bundleWorkflowCode } from '@temporalio/worker';
import type { TestProject } from 'vitest/node';
import { startTemporal } from '../../local/temporal-server.ts';
import { onFreePort, oncePerRun } from './once-per-run.ts';

declare module 'vitest' {
  interface ProvidedContext {
    temporalAddress: string;
    /** A file: each worker would bundle the workflows anew. Those that run in processes of their own do so. */
    workflowBundle: string;
  }
}

const silent = () => undefined;
const shared = oncePerRun(
  'temporal',
  async () => {
    const dir = mkdtempSync(join(tmpdir(), 'rekindle-bundle-'));
    const workflowBundle = join(dir, 'workflow-bundle.js');
    const log = (line: string) => process.stderr.write(`[temporal] ${line}\n`);
    const [server, { code }] = await Promise.all([
      onFreePort((port) => startTemporal({ dir: null, port, uiPort: null, durable: false, log })),
      bundleWorkflowCode({
        workflowsPath: resolve(import.meta.dirname, '../../workflows/index.ts'),
        logger: { log: silent, trace: silent, debug: silent, info: silent, warn: silent, error: silent },
      }),
    ]);
    writeFileSync(workflowBundle, code);
    return { dir, server, workflowBundle };
  },
  async ({ dir, server }) => {
    await server.stop();
    rmSync(dir, { recursive: true, force: true });
  },
);

/** One Temporal for all test files that run workflows; each has a task queue of its own there. */
export async function setup(project: TestProject): Promise<void> {
  const { server, workflowBundle } = await shared.use();
  project.provide('temporalAddress', server.address);
  project.provide('workflowBundle', workflowBundle);
}

export const teardown = shared.leave;
