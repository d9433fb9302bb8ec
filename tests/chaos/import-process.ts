import { pino } from 'pino';
import { createDeps } from '../../operations/create-deps.ts';
import { createImportWorker } from '../../operations/imports/take-in-rows.ts';

/** The worker's part in imports in a process of its own, to be killed. Configured by one JSON argument. */
export interface ImportProcessConfig {
  databaseUrl: string;
  masterKey: string;
  /** Rows that are committed as done together. */
  perStep: number;
}
const { databaseUrl, masterKey, perStep } = JSON.parse(process.argv[2] ?? '') as ImportProcessConfig;
const deps = createDeps({
  databaseUrl,
  masterKey: Buffer.from(masterKey, 'base64'),
  publicUrl: 'http://rekindle.example.com',
  smtpUrl: null,
  timeScale: null,
  log: pino({ level: 'silent' }),
  applicationName: 'import process',
});
const worker = createImportWorker(deps, { perStep });
process.send?.('ready');
for (;;) {
  await worker.pass();
  await new Promise((done) => setTimeout(done, 20));
}
