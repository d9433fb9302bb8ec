import { randomBytes, randomUUID } from 'node:crypto';
import { and, eq } from 'drizzle-orm';
import type { FastifyInstance } from 'fastify';
import pg from 'pg';
import { pino } from 'pino';
import { inject } from 'vitest';
import { buildApp } from '../../api/app.ts';
import { LeftWaitingError } from '../../db/client.ts';
import { createPrometheus } from '../../config/telemetry.ts';
import { enrollments, messages, subjectKeys } from '../../db/schema/index.ts';
import type { TenantSettings } from '../../domain/tenant-settings.ts';
import { signStandardWebhook } from '../../integrations/standard-webhooks.ts';
import type { Sender } from '../../integrations/port.ts';
import { parseSmtpUrl } from '../../integrations/smtp/connection.ts';
import { createSmtpSender } from '../../integrations/smtp/send.ts';
import { signShopify } from '../../integrations/shopify/sign.ts';
import { type BuiltDeps, createDeps } from '../../operations/create-deps.ts';
import type { Clock } from '../../operations/clock.ts';
import type { Checkpoints } from '../../operations/deps.ts';
import { Floods } from '../../operations/intake/flood.ts';
import { type ProvisionedTenant, provisionTenant } from '../../operations/provision-tenant.ts';
import type { SubjectKinds } from '../../domain/subjects/index.ts';
import type { Integrations } from '../../integrations/index.ts';
import type { OidcOptions } from '../../operations/identity/identity.ts';
import { publishPresets } from '../../operations/publish-presets.ts';
import { lazyClient } from '../../temporal/connect.ts';
import type { PayloadKeys } from '../../temporal/payload-codec.ts';
import type { RunningWorker, WorkerOptions } from '../../worker/start-worker.ts';
import { createTestDatabase, type TestDatabase } from './database.ts';
import { type SmtpServer, startSmtpServer } from './smtp-server.ts';

export interface ShopOptions {
  /** How many times faster than wall time; default 36,000: the email of two hours goes out after 0.2 s. */
  timeScale?: number;
  settings?: Partial<TenantSettings>;
  /** Whether one person may be in a sequence about several carts at once. Default: as the presets have it. */
  together?: 'many';
  checkpoints?: Checkpoints;
  clock?: Clock;
  /** Replaces SMTP by another far end. */
  sender?: Sender;
  /** Stand beside `sender`, or SMTP: one for each further channel. */
  moreSenders?: readonly Sender[];
  /** What sequences may be about, and the providers; default: the product's. */
  subjects?: SubjectKinds;
  integrations?: Integrations;
  maxConnections?: number;
  /** Default: a copy of the template on the test cluster. */
  database?: TestDatabase;
  /** From whom the installation's own emails come; default: it sends none. */
  mailFrom?: { name: string; address: string };
  /** Where people may sign in beside a password. */
  oidc?: OidcOptions;
  /** Opens what spans stores; default: that stays closed. */
  installationKey?: string;
  /** Of those who listen to live events. */
  heartbeatMs?: number;
  /** Encrypt what Temporal stores; its Web UI is then at `http://temporal.example.com`. */
  payloadKeys?: PayloadKeys;
  /** Given where another process has to open the same secrets. */
  masterKey?: Buffer;
}

/** A shop on real Postgres, real Temporal and a real SMTP server, with a task queue of its own, so that test files run side by side. */
export interface Shop {
  deps: BuiltDeps;
  app: FastifyInstance;
  database: TestDatabase;
  smtp: SmtpServer;
  tenant: ProvisionedTenant & { slug: string; apiKey: string };
  temporal: { address: string; namespace: string; apiKey: null; tls: boolean; taskQueue: string };
  startWorker(options?: WorkerOptions): Promise<RunningWorker>;
  /** Post a signed event of the generic integration. */
  post(type: string, data: Record<string, unknown>, options?: { id?: string; at?: number }): Promise<{ status: number; body: unknown }>;
  /** The same as a shop does it: what a busy machine puts off with 503 is sent again, as the same event. */
  deliver(type: string, data: Record<string, unknown>, options?: { id?: string; at?: number }): Promise<{ status: number; body: unknown }>;
  /** Post a signed Shopify webhook. */
  shopify(
    topic: string,
    body: Record<string, unknown>,
    options?: { id?: string; headers?: Record<string, string> },
  ): Promise<{ status: number; body: unknown }>;
  enrollmentOf(cartId: string): Promise<typeof enrollments.$inferSelect | null>;
  ledgerOf(enrollmentId: string): Promise<(typeof messages.$inferSelect)[]>;
  close(): Promise<void>;
}

/**
 * A test that looks shares the connections of the processes it looks at: where a busy machine leaves none free in time, it looks again.
 * @returns null instead of the error of a pool without a free connection
 */
async function unlessBusy<T>(look: () => Promise<T> | T): Promise<T | null> {
  try {
    return await look();
  } catch (error) {
    if (error instanceof Error && error.message === 'timeout exceeded when trying to connect') return null;
    // The machine was too busy to go on with a transaction that only read.
    if (error instanceof LeftWaitingError) return null;
    throw error;
  }
}

/** Poll until `look` returns something; the last state is in the error. */
export async function until<T>(
  what: string,
  look: () => Promise<T | null | undefined | false> | T | null | undefined | false,
  timeoutMs = 90_000,
): Promise<T> {
  const endMs = Date.now() + timeoutMs;
  for (;;) {
    const found = await unlessBusy(look);
    if (found !== null && found !== undefined && found !== false) return found;
    if (Date.now() > endMs) throw new Error(`waited ${timeoutMs} ms in vain for: ${what}`);
    await new Promise((done) => setTimeout(done, 25));
  }
}

export async function openShop(options: ShopOptions = {}): Promise<Shop> {
  const database = options.database ?? (await createTestDatabase());
  const smtp = await startSmtpServer();
  const taskQueue = `test-${randomBytes(5).toString('hex')}`;
  const slug = `shop-${randomBytes(5).toString('hex')}`;
  const deps = createDeps({
    databaseUrl: database.url,
    masterKey: options.masterKey ?? randomBytes(32),
    publicUrl: 'http://rekindle.example.com',
    smtpUrl: smtp.url,
    timeScale: null,
    log: pino({ level: process.env['TEST_LOG'] ?? 'silent' }),
    applicationName: 'test',
    presets: () => Promise.resolve(inject('presets')),
    ...(options.subjects === undefined ? {} : { subjects: options.subjects }),
    ...(options.integrations === undefined ? {} : { integrations: options.integrations }),
    oidc: options.oidc ?? null,
    mailFrom: options.mailFrom ?? null,
    ...(options.maxConnections === undefined ? {} : { maxConnections: options.maxConnections }),
    ...(options.checkpoints === undefined ? {} : { checkpoints: options.checkpoints }),
    ...(options.clock === undefined ? {} : { clock: options.clock }),
    ...(options.sender === undefined && options.moreSenders === undefined
      ? {}
      : { defaultSenders: [options.sender ?? createSmtpSender(parseSmtpUrl(smtp.url)), ...(options.moreSenders ?? [])] }),
  });
  // On a busy machine a few events at once look like a flood. tests/operations/flood.test.ts makes floods of its own.
  deps.floods = new Floods({ afterMs: Number.POSITIVE_INFINITY, everyMs: 1_000, most: 0 });
  const provisioned = await provisionTenant(deps, {
    slug,
    name: 'Test Store',
    timeScale: options.timeScale ?? 36_000,
    synthetic: true,
    // Tests ask as fast as they can.
    settings: {
      requestsPerMinute: 600_000,
      quietHours: null,
      legalHours: false,
      consentLaw: 'off',
      catchUpPerMinute: null,
      caps: [],
      ...options.settings,
    },
  });
  const presets = inject('presets');
  const together = options.together;
  await publishPresets(
    deps,
    together === undefined
      ? presets
      : presets.map((p) => ({ ...p, sourceHash: `${p.sourceHash} ${together}`, definition: { ...p.definition, together } })),
  );
  const temporal = {
    address: inject('temporalAddress'),
    namespace: 'default',
    apiKey: null,
    tls: false,
    taskQueue,
    payloadKeys: options.payloadKeys ?? null,
  };
  const app = await buildApp({
    deps,
    logger: pino({ level: process.env['TEST_LOG'] ?? 'silent' }),
    client: lazyClient(temporal),
    registry: createPrometheus().registry,
    links: { temporalUi: options.payloadKeys === undefined ? null : 'http://temporal.example.com', mailbox: null },
    payloadKeys: options.payloadKeys ?? null,
    installationKey: options.installationKey ?? null,
    ...(options.heartbeatMs === undefined ? {} : { heartbeatMs: options.heartbeatMs }),
  });
  await app.ready();
  const workers: RunningWorker[] = [];

  const send = async (url: string, headers: Record<string, string>, payload: string) => {
    const response = await app.inject({ method: 'POST', url, headers: { 'content-type': 'application/json', ...headers }, payload });
    return { status: response.statusCode, body: response.json<unknown>() };
  };
  const post: Shop['post'] = (type, data, { id = randomUUID(), at = Date.now() } = {}) => {
    const payload = JSON.stringify({ type, timestamp: new Date(at).toISOString(), data });
    const seconds = Math.floor(Date.now() / 1_000);
    const { path, secret } = provisioned.webhooks.generic;
    return send(
      path,
      { 'webhook-id': id, 'webhook-timestamp': String(seconds), 'webhook-signature': signStandardWebhook(secret, id, seconds, payload) },
      payload,
    );
  };
  return {
    deps,
    app,
    database,
    smtp,
    tenant: { ...provisioned, slug, apiKey: provisioned.apiKey ?? '' },
    temporal,
    async startWorker(workerOptions) {
      // Most files start none: its native core and the bundle of the workflows are loaded by those that do.
      const { startWorker } = await import('../../worker/start-worker.ts');
      const worker = await startWorker(deps, temporal, {
        ...{ relayEveryMs: 100, sweepEveryMs: 500, reconcileEveryMs: 3_600_000 },
        prepared: { presets: inject('presets'), workflowBundle: inject('workflowBundle') },
        ...workerOptions,
      });
      workers.push(worker);
      return worker;
    },
    post,
    async deliver(type, data, { id = randomUUID(), at = Date.now() } = {}) {
      for (let tries = 1; ; tries++) {
        const answer = await post(type, data, { id, at });
        if (answer.status !== 503 || tries === 20) return answer;
      }
    },
    shopify(topic, body, { id = randomUUID(), headers = {} } = {}) {
      const payload = JSON.stringify(body);
      const { path, secret } = provisioned.webhooks.shopify;
      return send(
        path,
        { 'x-shopify-topic': topic, 'x-shopify-webhook-id': id, 'x-shopify-hmac-sha256': signShopify(secret, payload), ...headers },
        payload,
      );
    },
    async enrollmentOf(cartId) {
      const [found] = await deps.db.withTenant(provisioned.tenantId, (tx) =>
        tx
          .select({ enrollment: enrollments })
          .from(enrollments)
          .innerJoin(subjectKeys, eq(subjectKeys.subjectId, enrollments.subjectId))
          .where(and(eq(enrollments.tenantId, provisioned.tenantId), eq(subjectKeys.value, cartId)))
          .limit(1),
      );
      return found?.enrollment ?? null;
    },
    ledgerOf: (enrollmentId) =>
      deps.db.withTenant(provisioned.tenantId, (tx) => tx.select().from(messages).where(eq(messages.enrollmentId, enrollmentId))),
    async close() {
      for (const worker of workers) await worker.stop().catch(() => undefined);
      await app.close();
      await deps.db.close();
      await smtp.close();
      await owners.get(database.url)?.then(
        (owner) => owner.end(),
        () => undefined,
      );
      await database.drop();
    },
  };
}

/** Kept for each database: a new connection takes as long for the first statements that it plans as for connecting. */
const owners = new Map<string, Promise<pg.Client>>();

async function ownerOf(url: string): Promise<pg.Client> {
  const known = await owners.get(url)?.catch(() => undefined);
  // A test may have ended its connection a moment ago.
  const answers = await known?.query('').then(
    () => true,
    () => false,
  );
  if (known !== undefined && answers === true) return known;
  const owner = new pg.Client({ connectionString: url });
  const connected = owner.connect().then(() => owner);
  owners.set(url, connected);
  const forget = () => void (owners.get(url) === connected && owners.delete(url));
  // Tests end connections, and drop databases.
  owner.on('error', forget).on('end', forget);
  connected.catch(forget);
  return connected;
}

/** The client of the shop's Temporal. */
export const temporalClientOf = (shop: Shop) => lazyClient(shop.temporal);

/** A cart as a merchant's own system would send it. All people in it are invented. */
export function aCart(cartId: string, email: string | null, more: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    cart: {
      id: cartId,
      currency: 'EUR',
      total: '129.90',
      items: [{ title: 'Walnut desk lamp', quantity: 1, price: '129.90', product_url: 'https://shop.example.com/lamp' }],
      restore_url: `https://shop.example.com/restore/${cartId}`,
      ...more,
    },
    ...(email === null ? {} : { contact: { email, first_name: 'Ada' } }),
  };
}

/**
 * Let time pass by moving everything that is stored into the past: all clocks stay real, nothing sleeps.
 * @param ms - at least as long as no call is in flight
 */
export async function letTimePass(shop: Shop, ms: number): Promise<void> {
  const owner = await ownerOf(shop.database.url);
  // One statement for all tables, each in a transaction of its own, and none for a table that never had a row: a hundred of them are empty.
  await owner.query(`do $$ begin ${(await timesOf(owner)).map((table) => movedBy(table, ms)).join(' ')} end $$`);
  await owner.query(
    `update enrollments e set not_before = (select coalesce(jsonb_object_agg(key, value::numeric - $1), '{}') from jsonb_each_text(e.not_before)) where e.not_before <> '{}'`,
    [ms],
  );
  await owner.query(
    `update enrollments e set due_now = (select coalesce(jsonb_object_agg(key, value::numeric - $1), '{}') from jsonb_each_text(e.due_now)) where e.due_now <> '{}'`,
    [ms],
  );
  await owner.query(
    `update enrollments e set slots = (select coalesce(jsonb_object_agg(key, value::numeric - $1), '{}') from jsonb_each_text(e.slots)) where e.slots <> '{}'`,
    [ms],
  );
  await owner.query(
    `update enrollments e set snoozes = (
       select coalesce(jsonb_agg(jsonb_build_object('atMs', (s ->> 'atMs')::numeric - $1, 'untilMs', (s ->> 'untilMs')::numeric - $1) order by n), '[]')
       from jsonb_array_elements(e.snoozes) with ordinality as a(s, n))
     where e.snoozes <> '[]'`,
    [ms],
  );
}

interface TableWithTimes {
  name: string;
  partitioned: boolean;
  columns: string[];
}

// Read once: the databases of all tests are copies of one.
let tablesWithTimes: Promise<TableWithTimes[]> | undefined;

function timesOf(owner: pg.Client): Promise<TableWithTimes[]> {
  tablesWithTimes ??= owner
    .query<TableWithTimes>(
      `select c.relname as name, c.relkind = 'p' as partitioned, array_agg(a.attname::text) as columns
       from pg_class c join pg_attribute a on a.attrelid = c.oid
       where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition
         and a.attnum > 0 and not a.attisdropped and a.atttypid = 'timestamptz'::regtype
         -- The figures move by themselves, with what they count.
         and c.relname not in ('sums', 'sum_deltas', 'attribution_sums', 'attribution_credits', 'course_sums', 'arm_figures', 'arm_sums', 'intervention_figures', 'intervention_sums')
       group by c.oid order by c.relname`,
    )
    .then(({ rows }) => rows);
  return tablesWithTimes;
}

function movedBy({ name, partitioned, columns }: TableWithTimes, ms: number): string {
  const moved = columns.map((column) => `${column} = ${column} - make_interval(secs => ${ms / 1_000})`).join(', ');
  const update = `update ${name} set ${moved}; commit;`;
  return partitioned ? update : `if pg_relation_size('${name}') > 0 then ${update} end if;`;
}
