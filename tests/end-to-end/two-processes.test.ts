import { randomBytes } from 'node:crypto';
import { eq } from 'drizzle-orm';
import { pino } from 'pino';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { auditLog, outbox } from '../../db/schema/index.ts';
import { type BuiltDeps, createDeps } from '../../operations/create-deps.ts';
import type { WorkflowEngine } from '../../operations/deps.ts';
import { reconcile } from '../../operations/reconcile.ts';
import { relayOutbox } from '../../operations/relay-outbox.ts';
import { createWorkflowEngine } from '../../temporal/engine.ts';
import { aCart, openShop, type Shop, temporalClientOf, until } from '../helpers/shop.ts';

let shop: Shop;
let other: BuiltDeps;
const masterKey = randomBytes(32);
beforeAll(async () => {
  // Real time and no worker: what is started sleeps, and only the test relays.
  shop = await openShop({ timeScale: 1, masterKey });
  // As in a second process: nothing is shared but Postgres and Temporal.
  other = createDeps({
    databaseUrl: shop.database.url,
    masterKey,
    publicUrl: 'http://rekindle.example.com',
    smtpUrl: null,
    timeScale: null,
    log: pino({ level: 'silent' }),
    applicationName: 'other',
  });
});
afterAll(async () => {
  await other.db.close();
  await shop.close();
});

const names = (prefix: string, n: number) => Array.from({ length: n }, (_, i) => `${prefix}-${i}`);
const begin = (carts: string[]) => Promise.all(carts.map((cart) => shop.deliver('cart.updated', aCart(cart, `${cart}@example.com`))));
const buy = (carts: string[]) =>
  Promise.all(
    carts.map((cart) =>
      shop.deliver('order.placed', {
        order: { id: `order-${cart}`, currency: 'EUR', total: '129.90' },
        cart_id: cart,
        contact: { email: `${cart}@example.com` },
      }),
    ),
  );
const idsOf = (carts: string[]) => Promise.all(carts.map(async (cart) => (await shop.enrollmentOf(cart))?.id ?? ''));

/** The real engine, and a note of everything it was asked for, in order. */
function noting(asked: string[]): WorkflowEngine {
  const engine = createWorkflowEngine(temporalClientOf(shop), shop.temporal.taskQueue);
  return {
    ...engine,
    start(input) {
      asked.push(`start ${input.enrollmentId}`);
      return engine.start(input);
    },
    stop(ref, reason) {
      asked.push(`stop ${ref.enrollmentId}`);
      return engine.stop(ref, reason);
    },
  };
}

/** Two relays that work at the same time until nothing waits. */
async function relayTogether(asked: string[]): Promise<void> {
  const engine = noting(asked);
  const until0 = async (deps: BuiltDeps) => {
    while ((await deps.db.outboxBacklog()).waiting > 0) await relayOutbox({ ...deps, engine });
  };
  await Promise.all([until0(shop.deps), until0(other)]);
}

test('two relays start and stop everything once, and never stop before they start', async () => {
  const ended = names('ended', 15);
  const open = names('open', 45);
  await begin([...ended, ...open]);
  await buy(ended);
  const asked: string[] = [];
  await relayTogether(asked);
  const [endedIds, openIds] = [await idsOf(ended), await idsOf(open)];
  expect(asked.toSorted()).toEqual([...openIds.map((id) => `start ${id}`), ...endedIds.map((id) => `stop ${id}`)].toSorted());

  // Now the ends of what runs, while more begins.
  asked.length = 0;
  const later = names('later', 20);
  await Promise.all([begin(later).then(() => buy(later)), relayTogether(asked), buy(open)]);
  await relayTogether(asked);
  for (const id of openIds) expect(asked.filter((a) => a.endsWith(id))).toEqual([`stop ${id}`]);
  for (const id of await idsOf(later)) {
    // A start that was under way when the order came is stopped after it; otherwise nothing was started.
    expect([[`stop ${id}`], [`start ${id}`, `stop ${id}`]]).toContainEqual(asked.filter((a) => a.endsWith(id)));
  }
}, 120_000);

test('what a relay took before it died is taken over when its claim is over', async () => {
  const carts = names('orphaned', 10);
  await begin(carts);
  expect(await shop.deps.db.claimOutbox(50, 1_500)).toHaveLength(carts.length);
  expect(await relayOutbox({ ...other, engine: noting([]) })).toEqual({ taken: 0, failed: 0, held: 0 });
  const asked: string[] = [];
  await relayTogether(asked);
  expect(asked.toSorted()).toEqual((await idsOf(carts)).map((id) => `start ${id}`).toSorted());
});

test('two reconcilers restart what was lost once, and report it once', async () => {
  const carts = names('lost', 30);
  await begin(carts);
  await shop.deps.db.withTenant(shop.tenant.tenantId, (tx) => tx.delete(outbox));
  const engine = noting([]);
  const reports = await Promise.all([reconcile({ ...shop.deps, engine }, { graceMs: 0 }), reconcile({ ...other, engine }, { graceMs: 0 })]);
  expect(reports.reduce((sum, r) => sum + r.restarted, 0)).toBe(carts.length);
  const asked: string[] = [];
  await relayTogether(asked);
  const ids = (await idsOf(carts)).toSorted();
  expect(asked.toSorted()).toEqual(ids.map((id) => `start ${id}`));
  const audit = await shop.deps.db.withTenant(shop.tenant.tenantId, (tx) =>
    tx.select({ subject: auditLog.subject }).from(auditLog).where(eq(auditLog.action, 'reconcile.restarted')),
  );
  expect(new Set(audit.map((a) => a.subject))).toEqual(new Set(ids));
  expect(audit).toHaveLength(ids.length);
});

test('two reconcilers beside two relays at work find nothing in what the relays have in hand', async () => {
  const carts = names('busy', 40);
  const asked: string[] = [];
  const engine = noting(asked);
  const begun = begin(carts);
  const restarted: number[] = [];
  const look = async (deps: BuiltDeps) => {
    for (let i = 0; i < 3; i++) restarted.push((await reconcile({ ...deps, engine }, { graceMs: 0 })).restarted);
  };
  await Promise.all([begun.then(() => relayTogether(asked)), look(shop.deps), look(other)]);
  await until('nothing to wait', async () => {
    await relayTogether(asked);
    return (await shop.deps.db.outboxBacklog()).waiting === 0;
  });
  expect(restarted.every((n) => n === 0)).toBe(true);
  expect(asked.toSorted()).toEqual((await idsOf(carts)).map((id) => `start ${id}`).toSorted());
});
