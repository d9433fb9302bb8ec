// `npm run record-history -- <workflow id> <name>`: keep the history of a run as tests/workflows/histories/<name>.json.
import { writeFileSync } from 'node:fs';
import { relative, resolve } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { historyFile } from './recorded-history.ts';

const [workflowId, name] = process.argv.slice(2);
if (workflowId === undefined || name === undefined || !/^[a-z0-9-]+$/.test(name)) {
  console.error('usage: npm run record-history -- <workflow id> <name in kebab-case>\nTEMPORAL_ADDRESS and TEMPORAL_NAMESPACE say where it ran.');
  process.exit(1);
}
const connection = await Connection.connect({ address: process.env['TEMPORAL_ADDRESS'] ?? '127.0.0.1:7233' });
try {
  const client = new Client({ connection, namespace: process.env['TEMPORAL_NAMESPACE'] ?? 'default' });
  const history = await client.workflow.getHandle(workflowId).fetchHistory();
  const file = resolve(import.meta.dirname, `../workflows/histories/${name}.json`);
  writeFileSync(file, historyFile(history));
  console.log(`${relative(process.cwd(), file)}: ${history.events?.length ?? 0} events`);
} finally {
  await connection.close();
}
