import { randomBytes, randomUUID } from 'node:crypto';
import { eq } from 'drizzle-orm';
import type { FastifyInstance } from 'fastify';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { buildApp } from '../../api/app.ts';
import { createPrometheus } from '../../config/telemetry.ts';
import { conversions, enrollments, inbox } from '../../db/schema/index.ts';
import { signGeneric } from '../../local/webhook.ts';
import { type BuiltDeps, createDeps } from '../../operations/create-deps.ts';
import { type DispatchResult, dispatchStep } from '../../operations/dispatch-step.ts';
import { aCart, letTimePass, openShop, type Shop, temporalClientOf, until } from '../helpers/shop.ts';
import { startStubProvider, type StubProvider } from '../helpers/stub-provider.ts';
import { createStubSender } from '../helpers/stub-sender.ts';
import { type LostCommit, type PostgresLine, startPostgresLine } from '../chaos/postgres-line.ts';

const hourMs = 3_600_000;
// Statements that identify the transactions: the intake's inbox row, the first claim, a claim or its release, the outcome of a call.
const delivery = /inbox|open_deliver/;
const claim = /insert into "messages"/;
const ledger = /(insert into|update) "messages"/;
const settle = /update "messages"[^\0]*"provider_message_id"/;

/** Where a connection is cut: `before` the COMMIT reaches the server, or `after` it was carried out, with its answer lost. */
type Cut = 'before' | 'after';
const fateOf: Record<Cut, LostCommit> = { before: { kind: 'never_sent' }, after: { kind: 'answer_lost' } };

let shop: Shop;
let provider: StubProvider;
let line: PostgresLine;
let callsAtCuts: number[];
/** The product as it is behind the line; the shop's own way to Postgres stays whole. */
let deps: BuiltDeps;
let app: FastifyInstance;
beforeEach(async () => {
  provider = await startStubProvider(false);
  const sender = createStubSender(provider.port, { kind: 'none' });
  const masterKey = randomBytes(32);
  shop = await openShop({ timeScale: 1, masterKey, sender });
  const url = new URL(shop.database.url);
  callsAtCuts = [];
  line = await startPostgresLine(url.href, () => callsAtCuts.push(provider.calls));
  url.hostname = '127.0.0.1';
  url.port = String(line.port);
  const log = pino({ level: 'silent' });
  deps = createDeps({
    databaseUrl: url.href,
    masterKey,
    publicUrl: 'http://rekindle.example.com',
    smtpUrl: null,
    defaultSenders: [sender],
    timeScale: null,
    log,
    applicationName: 'behind the line',
  });
  const links = { temporalUi: null, mailbox: null };
  app = await buildApp({ deps, logger: log, client: temporalClientOf(shop), registry: createPrometheus().registry, links });
});
afterEach(async () => {
  await app.close();
  await deps.db.close();
  await line.close();
  await shop.close();
  await provider.stop();
});

interface Delivery {
  id: string;
  /** Deliver it, under the same id each time. */
  post(): Promise<{ status: number; result: string | null }>;
}

function anEvent(type: string, data: Record<string, unknown>): Delivery {
  const { path, secret } = shop.tenant.webhooks.generic;
  const signed = signGeneric({ url: path, secret }, { type, data }, Date.now());
  return {
    id: signed.headers['webhook-id'] ?? randomUUID(),
    async post() {
      const response = await app.inject({ method: 'POST', url: path, headers: signed.headers, payload: signed.body });
      const { status } = response.json<{ status: unknown }>();
      return { status: response.statusCode, result: typeof status === 'string' ? status : null };
    },
  };
}
const aPurchase = (cart: string) =>
  anEvent('order.placed', { order: { id: 'order-1', currency: 'EUR', total: '129.90' }, cart_id: cart, contact: { email: 'ada@example.com' } });
const rowsOf = (id: string) =>
  shop.deps.db.withTenant(shop.tenant.tenantId, (tx) => tx.select({ state: inbox.state }).from(inbox).where(eq(inbox.dedupeKey, id)));
const all = {
  conversions: () => shop.deps.db.withTenant(shop.tenant.tenantId, (tx) => tx.select().from(conversions)),
  enrollments: () => shop.deps.db.withTenant(shop.tenant.tenantId, (tx) => tx.select().from(enrollments)),
};

describe('a webhook whose connection to Postgres is cut at COMMIT', () => {
  test.each<Cut>(['before', 'after'])('(%s): is answered 2xx because it is stored, once', async (cut) => {
    const cart = anEvent('cart.updated', aCart('cart-1', 'ada@example.com'));
    line.loseAfter(delivery, fateOf[cut]);
    expect((await cart.post()).status).toBe(200);
    expect(line.lost()).toBe(1);
    expect(await rowsOf(cart.id)).toEqual([{ state: 'applied' }]);
    expect(await all.enrollments()).toHaveLength(1);

    await letTimePass(shop, 2 * hourMs);
    await shop.deps.db.withTenant(shop.tenant.tenantId, (tx) => tx.update(enrollments).set({ activatedAt: Date.now() - hourMs }));
    const purchase = aPurchase('cart-1');
    line.loseAfter(delivery, fateOf[cut]);
    expect((await purchase.post()).status).toBe(200);
    expect(line.lost()).toBe(2);
    expect(await rowsOf(purchase.id)).toEqual([{ state: 'applied' }]);
    expect(await all.conversions()).toHaveLength(1);
    expect(await all.enrollments()).toMatchObject([{ status: 'CONVERTED' }]);
    expect(await purchase.post()).toEqual({ status: 200, result: 'repeated' });
    expect(await all.conversions()).toHaveLength(1);
  });

  test.each<Cut>(['before', 'after'])('(%s, and again at the second attempt): is answered 503, and its repeat counts once', async (cut) => {
    await shop.post('cart.updated', aCart('cart-1', 'ada@example.com'));
    const purchase = aPurchase('cart-1');
    // Where the first COMMIT took effect, the second attempt finds its row, whose own COMMIT must be acknowledged too.
    line.loseAfter(delivery, fateOf[cut], fateOf[cut]);
    expect((await purchase.post()).status).toBe(503);
    expect(line.lost()).toBe(2);
    expect(await rowsOf(purchase.id)).toHaveLength(cut === 'before' ? 0 : 1);
    expect(await purchase.post()).toEqual({ status: 200, result: cut === 'before' ? 'applied' : 'repeated' });
    expect(await rowsOf(purchase.id)).toEqual([{ state: 'applied' }]);
    expect((await shop.enrollmentOf('cart-1'))?.endedAt).not.toBeNull();
  });
});

describe('a dispatch whose connection to Postgres is cut at COMMIT', () => {
  let enrollmentId: string;
  beforeEach(async () => {
    await shop.post('cart.updated', aCart('cart-1', 'ada@example.com'));
    enrollmentId = (await until('the enrollment', () => shop.enrollmentOf('cart-1'))).id;
    await letTimePass(shop, 2 * hourMs + 1_000);
    await dispatch('popup_1h');
  });
  const dispatch = (stepId: string) => dispatchStep(deps, { tenantId: shop.tenant.tenantId, enrollmentId, stepId });
  const stateOfMail = async () => (await shop.ledgerOf(enrollmentId)).find((m) => m.stepId === 'email_2h')?.state;
  const sent = { kind: 'done', progress: { settled: { email_2h: { outcome: 'sent' } } } };

  test.each<{ cuts: Cut[] }>([{ cuts: ['before'] }, { cuts: ['after'] }, { cuts: ['after', 'before', 'after'] }])(
    'of the claim ($cuts): calls once, when the claim is certain',
    async ({ cuts }) => {
      line.loseAfter(ledger, ...cuts.map((cut) => fateOf[cut]));
      expect(await dispatch('email_2h')).toMatchObject(sent);
      expect(callsAtCuts).toEqual(cuts.map(() => 0));
      expect([provider.calls, provider.accepted.length, await stateOfMail()]).toEqual([1, 1, 'sent']);
    },
  );

  test.each<Cut>(['before', 'after'])('of the outcome (%s): stores it all the same, and calls once', async (cut) => {
    line.loseAfter(settle, fateOf[cut], fateOf[cut]);
    expect(await dispatch('email_2h')).toMatchObject(sent);
    expect(line.lost()).toBe(2);
    expect([provider.calls, provider.accepted.length, await stateOfMail()]).toEqual([1, 1, 'sent']);
  });

  test('of the claim, with Postgres out of reach for five seconds: the step is sent all the same, once', async () => {
    line.loseAfter(claim, fateOf.after);
    line.breakWithNextLoss();
    const results: DispatchResult[] = [];
    const dispatched = (async () => {
      // As Temporal does: again, also after an error.
      while (results.at(-1)?.kind !== 'done') {
        const result = await dispatch('email_2h').catch(() => null);
        if (result !== null) results.push(result);
        await new Promise((again) => setTimeout(again, 100));
      }
    })();
    await until('the cut', () => line.lost() === 1, 5_000);
    const cutMs = Date.now();
    await until('five seconds to have passed', () => Date.now() - cutMs > 5_000);
    line.mend();
    await dispatched;
    expect(results.at(-1)).toMatchObject(sent);
    expect([provider.calls, provider.accepted.length, await stateOfMail()]).toEqual([1, 1, 'sent']);
  });
});
