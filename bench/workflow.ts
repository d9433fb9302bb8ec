import { randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { Client, Connection } from '@temporalio/client';
import { NativeConnection, Worker } from '@temporalio/worker';
import { and, eq, isNotNull, sql } from 'drizzle-orm';
import { pino } from 'pino';
import { compileEmail } from '../content/compile-email.ts';
import { enrollments, sequences, subjects } from '../db/schema/index.ts';
import type { Sender } from '../integrations/port.ts';
import { acceptDelivery } from '../operations/accept-delivery.ts';
import { runInBackground } from '../operations/background.ts';
import { type BuiltDeps, createDeps } from '../operations/create-deps.ts';
import { provisionTenant, type ProvisionedTenant } from '../operations/provision-tenant.ts';
import { compilePreset, publishPreset } from '../operations/publish-sequence.ts';
import { relayOutbox } from '../operations/relay-outbox.ts';
import { signStandardWebhook } from '../integrations/generic/sign.ts';
import { createWorkflowEngine } from '../temporal/engine.ts';
import { startWorker } from '../worker/start-worker.ts';
import { recoveryWorkflowId } from '../workflows/contract.ts';
import { type Figure, flood, median, spreadOf } from './measure.ts';
import type { BenchStack } from './stack.ts';

const stepCount = 5;

/** Takes everything at once: what is measured is ours, not a provider's. */
const nullSender: Sender = {
  channel: 'email',
  account: 'null',
  times: { deadlineMs: 2_500, leaseMs: 3_000, deadLeaseMs: 10_000 },
  reconciliation: { kind: 'none' },
  reportsOpens: false,
  open: async () => ({ send: async () => ({ kind: 'accepted', providerMessageId: null, response: '250' }), close() {} }),
};

const yaml = `
sequence: bench
name: Five mails
on: cart.abandoned
quietFor: 1h
stopOn: [purchased, replied, opted_out]
maxAge: 365d
reentry: once-per-subject
goal: { event: order.placed, within: 7d }
steps:
${Array.from({ length: stepCount }, (_, i) => `  - { id: mail_${i + 1}, at: ${2 + i * 4}h, channel: email, content: bench/mail }`).join('\n')}
`;

/** Steps per second through the whole dispatch, and how fast a purchase closes its workflow, each beside a bare workflow's. */
export async function measureWorkflows(
  stack: BenchStack,
  rounds: number,
  enrollmentsPerRound: number,
): Promise<{ figures: Figure[]; notes: string[] }> {
  const deps = createDeps({
    databaseUrl: stack.databaseUrl,
    masterKey: stack.masterKey,
    publicUrl: 'http://localhost',
    smtpUrl: null,
    timeScale: null,
    log: pino({ level: 'error' }),
    applicationName: 'bench',
    defaultEmail: nullSender,
  });
  const temporal = { address: stack.temporalAddress, namespace: 'default', apiKey: null, tls: false, taskQueue: 'bench' };
  const copy = '---\nsubject: Your cart\npreheader: It waits\nheading: Your cart\ncta: Back to it\n---\nHello.\n\n[cart]\n';
  const content = { 'bench/mail': { file: 'bench/mail.liquid', text: copy } };
  await compileEmail(content['bench/mail']);
  const preset = await compilePreset({ file: 'bench.yaml', yaml, copy: content });
  const tenantAt = async (slug: string, timeScale: number) => {
    const tenant = await provisionTenant(deps, { slug, name: slug, timeScale, synthetic: true, settings: { quietHours: null } });
    await publishPreset(deps, tenant.tenantId, preset);
    return tenant;
  };
  // Started first: it publishes the presets of the repo to every tenant that exists, and these tenants are to have one sequence only.
  const worker = await startWorker(deps, temporal, { relayEveryMs: 200, reconcileEveryMs: 3_600_000 });
  const fast = await tenantAt('bench-fast', 360_000);
  const sleeping = await tenantAt('bench-sleeping', 1);
  const connection = await Connection.connect({ address: stack.temporalAddress });
  const client = new Client({ connection });
  const floorConnection = await NativeConnection.connect({ address: stack.temporalAddress });
  const floorWorker = await Worker.create({
    connection: floorConnection,
    taskQueue: 'floor',
    workflowsPath: fileURLToPath(new URL('./floor-workflows.ts', import.meta.url)),
    activities: { nothing: async () => undefined },
    maxCachedWorkflows: 300,
    maxConcurrentActivityTaskExecutions: 40,
  });
  const floorDone = floorWorker.run();

  const rates: { product: number[]; floor: number[] } = { product: [], floor: [] };
  for (let round = 0; round < rounds; round++) {
    rates.floor.push(await floorSteps(client, enrollmentsPerRound));
    rates.product.push(await productSteps(deps, fast, enrollmentsPerRound));
  }
  const stops = { product: await productStops(deps, client, temporal.taskQueue, sleeping, 100), floor: await floorStops(client, 100) };

  await worker.stop();
  floorWorker.shutdown();
  await floorDone;
  await floorConnection.close();
  await connection.close();
  await deps.db.close();
  const [value, floor] = [median(rates.product), median(rates.floor)];
  const [p, f] = [spreadOf(stops.product), spreadOf(stops.floor)];
  return {
    figures: [
      { name: 'steps', value, unit: 'steps/s', floor, ratio: value / floor, budget: '>= 80 % of the floor', met: value / floor >= 0.8 },
      {
        name: 'purchase_to_closed_p99',
        value: p.p99,
        unit: 'ms',
        floor: f.p99,
        ratio: p.p99 / f.p99,
        budget: '<= 3 x the floor',
        met: p.p99 <= 3 * f.p99,
      },
    ],
    notes: [
      `purchase to closed: p50 ${p.p50.toFixed(1)} ms, p99 ${p.p99.toFixed(1)} ms (floor: p50 ${f.p50.toFixed(1)} ms, p99 ${f.p99.toFixed(1)} ms)`,
    ],
  };
}

async function floorSteps(client: Client, count: number): Promise<number> {
  const fromMs = performance.now();
  await flood(count, 50, async () => {
    await client.workflow.execute('steps', { taskQueue: 'floor', workflowId: randomUUID(), args: [stepCount] });
  });
  return (count * stepCount * 1_000) / (performance.now() - fromMs);
}

async function productSteps(deps: BuiltDeps, tenant: ProvisionedTenant, count: number): Promise<number> {
  const ended = async () => {
    const [row] = await deps.db.withTenant(tenant.tenantId, (tx) =>
      tx.select({ n: sql<number>`count(*)::int` }).from(enrollments).where(isNotNull(enrollments.endedAt)),
    );
    return row?.n ?? 0;
  };
  const before = await ended();
  const fromMs = performance.now();
  await flood(count, 50, () => accept(deps, tenant, 'cart.updated', aCart(randomUUID())));
  while ((await ended()) < before + count) await new Promise((done) => setTimeout(done, 20));
  return (count * stepCount * 1_000) / (performance.now() - fromMs);
}

async function productStops(deps: BuiltDeps, client: Client, queue: string, tenant: ProvisionedTenant, count: number): Promise<number[]> {
  const relay = runInBackground(
    'relay',
    1_000,
    async () => (await relayOutbox({ ...deps, engine: createWorkflowEngine(client, queue) })).taken > 0,
    deps.log,
  );
  deps.onKick(() => relay.kick());
  const carts = Array.from({ length: count }, () => randomUUID());
  for (const cart of carts) await accept(deps, tenant, 'cart.updated', aCart(cart));
  const handles = await Promise.all(carts.map((cart) => handleOf(deps, client, tenant, cart)));
  for (const handle of handles)
    while ((await handle.describe().catch(() => null))?.status.name !== 'RUNNING') await new Promise((done) => setTimeout(done, 20));
  const { latenciesMs } = await flood(count, 2, async (i) => {
    await accept(deps, tenant, 'order.placed', { order: { id: randomUUID(), currency: 'EUR', total: '1.00' }, cart_id: carts[i] });
    await handles[i]?.result();
  });
  await relay.stop();
  return latenciesMs;
}

async function handleOf(deps: BuiltDeps, client: Client, tenant: ProvisionedTenant, cart: string) {
  const [row] = await deps.db.withTenant(tenant.tenantId, (tx) =>
    tx
      .select({ id: enrollments.id, sequence: sequences.slug })
      .from(enrollments)
      .innerJoin(sequences, eq(sequences.id, enrollments.sequenceId))
      .innerJoin(subjects, eq(subjects.id, enrollments.subjectId))
      .where(and(sql`${subjects.restoreUrl} = ${`https://shop.example.com/${cart}`}`)),
  );
  if (row === undefined) throw new Error('no enrollment');
  return client.workflow.getHandle(recoveryWorkflowId('bench-sleeping', row.sequence, row.id));
}

async function floorStops(client: Client, count: number): Promise<number[]> {
  const handles = await Promise.all(
    Array.from({ length: count }, () => client.workflow.start('untilClosed', { taskQueue: 'floor', workflowId: randomUUID() })),
  );
  for (const handle of handles) while ((await handle.fetchHistory()).events?.length !== 5) await new Promise((done) => setTimeout(done, 20));
  const { latenciesMs } = await flood(count, 2, async (i) => {
    await handles[i]?.signal('close');
    await handles[i]?.result();
  });
  return latenciesMs;
}

const aCart = (id: string) => ({
  cart: {
    id,
    currency: 'EUR',
    total: '129.90',
    items: [{ title: 'Lamp', quantity: 1, price: '129.90' }],
    restore_url: `https://shop.example.com/${id}`,
  },
  contact: { email: `${id}@example.com` },
});

async function accept(deps: BuiltDeps, tenant: ProvisionedTenant, type: string, data: Record<string, unknown>): Promise<void> {
  const raw = JSON.stringify({ type, timestamp: new Date().toISOString(), data });
  const [id, time] = [randomUUID(), Math.floor(Date.now() / 1_000)];
  const { path, secret } = tenant.webhooks.generic;
  const headers = { 'webhook-id': id, 'webhook-timestamp': String(time), 'webhook-signature': signStandardWebhook(secret, id, time, raw) };
  const answer = await acceptDelivery(deps, 'generic', path.split('/').at(-1) ?? null, { raw: Buffer.from(raw), headers, receivedAtMs: Date.now() });
  if (answer.kind !== 'accepted' || answer.result !== 'applied') throw new Error(JSON.stringify(answer));
}
