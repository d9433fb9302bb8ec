import { randomBytes, randomUUID } from 'node:crypto';
import pg from 'pg';
import { endProcess, hasEnded } from '../../local/child-process.ts';
import { freePort } from '../../local/ports.ts';
import { startTemporal, type TemporalServer } from '../../local/temporal-server.ts';
import { post, signGeneric } from '../../local/webhook.ts';
import { createDeps } from '../../operations/create-deps.ts';
import { provisionTenant } from '../../operations/provision-tenant.ts';
import type { OwnPostgres } from '../chaos/own-postgres.ts';
import { startScript } from '../chaos/own-process.ts';
import { onFreePort } from '../helpers/once-per-run.ts';
import { type SmtpServer, startSmtpServer } from '../helpers/smtp-server.ts';

const silent = { info() {}, warn() {}, error() {} };
const timeScale = 3_600;
/** Longer than shops wait: what takes this long hangs. Milliseconds. */
const givenUpAfterMs = 15_000;

/** One try at delivering a webhook, as the shop's side saw it. `status` null: no answer, the connection broke or it took too long. */
export interface Try {
  id: string;
  type: string;
  status: number | null;
  tookMs: number;
  /** Wall clock of the answer. */
  atMs: number;
  text: string;
}

/** API and worker as they run in production, each a process of its own, on a Postgres that a test may harm. */
export interface RealShop {
  tenantId: string;
  smtp: SmtpServer;
  /** All tries at webhooks so far, in the order of their answers. */
  tries: Try[];
  /** Deliver an event as a shop does: again, under the same id, until it is answered 2xx. @returns the last try */
  deliver(type: string, data: Record<string, unknown>): Promise<Try>;
  get(path: string): Promise<{ status: number; body: unknown; tookMs: number }>;
  /** As the owner, outside the product. */
  query<R extends pg.QueryResultRow>(text: string, values?: unknown[]): Promise<R[]>;
  /** Whether API and worker still are the processes that were started. */
  alive(): boolean;
  close(): Promise<void>;
}

/** An hour of the plan passes in a second: emails after 2, 24, 48 and 72 seconds. */
export async function openRealShop(postgres: OwnPostgres): Promise<RealShop> {
  const masterKey = randomBytes(32);
  const temporal: TemporalServer = await onFreePort((port) => startTemporal({ dir: null, port, uiPort: null, durable: false, log: () => undefined }));
  const smtp = await startSmtpServer();
  const port = await freePort();
  const baseUrl = `http://127.0.0.1:${port}`;
  const deps = createDeps({
    databaseUrl: postgres.url,
    masterKey,
    publicUrl: baseUrl,
    smtpUrl: null,
    timeScale: null,
    log: silent,
    applicationName: 'test',
  });
  const tenant = await provisionTenant(deps, {
    slug: 'shop',
    name: 'Test Store',
    timeScale,
    synthetic: true,
    settings: { quietHours: null, legalHours: false, consentLaw: 'off', catchUpPerMinute: null, caps: [] },
  });
  await deps.db.close();
  const env = {
    DATABASE_URL: postgres.url,
    TEMPORAL_ADDRESS: temporal.address,
    REKINDLE_MASTER_KEY: masterKey.toString('base64'),
    SMTP_URL: smtp.url,
    PUBLIC_URL: baseUrl,
    PORT: String(port),
    LOG_LEVEL: process.env['TEST_LOG'] ?? 'silent',
  };
  const processes = await Promise.all(['api/server.ts', 'worker/main.ts'].map((script) => startScript(script, { env })));
  await Promise.all(processes.map(({ ready }) => ready));
  const children = processes.map(({ child }) => child);
  for (const child of children)
    child.on('exit', (code, signal) => process.stderr.write(`[faults] ${child.spawnargs.at(-1)} ended: ${code ?? signal}\n`));
  const tries: Try[] = [];
  const { path, secret } = tenant.webhooks.generic;

  async function deliver(type: string, data: Record<string, unknown>): Promise<Try> {
    const signed = signGeneric({ url: baseUrl + path, secret }, { type, data }, Date.now());
    const id = signed.headers['webhook-id'] ?? randomUUID();
    for (;;) {
      const startedMs = performance.now();
      const answer = await post(signed, givenUpAfterMs).catch((error: unknown) => ({ status: null, text: String(error) }));
      const done = { id, type, status: answer.status, text: answer.text, tookMs: performance.now() - startedMs, atMs: Date.now() };
      tries.push(done);
      if (done.status !== null && done.status < 300) return done;
      // What a client must not repeat is a fault of the test or of the product; it would be repeated for ever.
      if (done.status !== null && done.status < 500) throw new Error(`${type} was answered ${done.status}: ${done.text}`);
      await new Promise((again) => setTimeout(again, 250));
    }
  }

  return {
    tenantId: tenant.tenantId,
    smtp,
    tries,
    deliver,
    async get(path) {
      const startedMs = performance.now();
      const response = await fetch(baseUrl + path, { signal: AbortSignal.timeout(givenUpAfterMs) });
      const body: unknown = await response.json();
      return { status: response.status, body, tookMs: performance.now() - startedMs };
    },
    async query<R extends pg.QueryResultRow>(text: string, values: unknown[] = []) {
      const client = new pg.Client({ connectionString: postgres.url });
      client.on('error', () => undefined);
      await client.connect();
      try {
        return (await client.query<R>(text, values)).rows;
      } finally {
        await client.end();
      }
    },
    alive: () => !children.some(hasEnded),
    async close() {
      await Promise.all(children.map((child) => endProcess(child, 'SIGTERM', 15_000)));
      await smtp.close();
      await temporal.stop();
    },
  };
}
