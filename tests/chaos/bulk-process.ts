import { pino } from 'pino';
import { takeInPass } from '../../operations/bulk/take-in.ts';
import { createDeps } from '../../operations/create-deps.ts';

/** The worker's part in bulk enrollments in a process of its own, to be killed. Configured by one JSON argument. */
export interface BulkProcessConfig {
  databaseUrl: string;
  masterKey: string;
}
const { databaseUrl, masterKey } = JSON.parse(process.argv[2] ?? '') as BulkProcessConfig;
const deps = createDeps({
  databaseUrl,
  masterKey: Buffer.from(masterKey, 'base64'),
  publicUrl: 'http://rekindle.example.com',
  smtpUrl: null,
  timeScale: null,
  log: pino({ level: 'silent' }),
  applicationName: 'bulk process',
});
process.send?.('ready');
for (;;) {
  await takeInPass(deps);
  await new Promise((done) => setTimeout(done, 5));
}
