import { fileURLToPath } from 'node:url';
import { NativeConnection, Worker } from '@temporalio/worker';
import { readEnv } from '../../config/env.ts';

// The floor of a worker process: bare timers and empty activities, with the product's own slots and cache.
const env = readEnv();
const connection = await NativeConnection.connect({ address: env.TEMPORAL_ADDRESS });
const worker = await Worker.create({
  connection,
  namespace: env.TEMPORAL_NAMESPACE,
  taskQueue: 'floor',
  workflowsPath: fileURLToPath(new URL('../floor-workflows.ts', import.meta.url)),
  activities: { nothing: async () => undefined },
  maxCachedWorkflows: 300,
  maxConcurrentActivityTaskExecutions: 40,
});
process.on('SIGTERM', () => worker.shutdown());
process.send?.('ready');
await worker.run();
process.exit(0);
