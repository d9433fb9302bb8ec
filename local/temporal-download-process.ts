import { TestWorkflowEnvironment } from '@temporalio/testing';

// Run by temporal-download.ts: arguments are the version and the folder; the answer is 'done' or what went wrong.
const [version = '', downloadDir = ''] = process.argv.slice(2);
process.on('disconnect', () => process.exit(1));

try {
  // The SDK downloads only on the way to starting a server; that one is not used.
  const environment = await TestWorkflowEnvironment.createLocal({
    server: { executable: { type: 'cached-download', version: `v${version}`, downloadDir, ttl: '365 days' } },
  });
  await environment.teardown();
  process.send?.('done');
} catch (error) {
  // The interesting part is at the end: "… client error (Connect): dns error: failed to lookup address information".
  const message = error instanceof Error ? error.message : String(error);
  process.send?.(message.split(': ').slice(-2).join(': '));
}
