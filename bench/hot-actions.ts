import { randomUUID } from 'node:crypto';
import { and, eq } from 'drizzle-orm';
import { messages } from '../db/schema/index.ts';
import { applyPending } from '../operations/accept-delivery.ts';
import { closeEnrollment } from '../operations/close-enrollment.ts';
import type { BuiltDeps } from '../operations/create-deps.ts';
import type { WorkflowEngine } from '../operations/deps.ts';
import { dispatchStep } from '../operations/dispatch-step.ts';
import type { ProvisionedTenant } from '../operations/provision-tenant.ts';
import { listContacts } from '../operations/read/contacts.ts';
import { findEnrollments } from '../operations/read/find-enrollments.ts';
import { explainEnrollment } from '../operations/read/explain.ts';
import { readAnalytics } from '../operations/read/analytics.ts';
import { readRecoveries } from '../operations/read/recoveries.ts';
import { readNewestStories, readNews } from '../operations/read/live-stories.ts';
import { recordEngagement } from '../operations/record-engagement.ts';
import { relayOutbox } from '../operations/relay-outbox.ts';
import { stopByHand, unsubscribe } from '../operations/stop-one.ts';
import { sweepLeases } from '../operations/sweep-leases.ts';
import { enrollmentsOf } from './enrollments.ts';
import { accept, cartUpdated, emailOf, optedOut, orderPlaced, replied, type ShopEvent, sign } from './shop.ts';

/** Something that happens for every shopper, every step or every second: it must not cost more as tables grow. */
export interface HotAction {
  name: string;
  /** Prepare the data. @returns the action to be measured, to be run once */
  prepare(): Promise<() => Promise<unknown>>;
}

export interface HotShop {
  deps: BuiltDeps;
  /** Runs the `cart` preset, at the pace of wall time, without quiet hours. */
  tenant: ProvisionedTenant & { slug: string };
}

/** A stand-in for Temporal that accepts everything: statements are counted, not workflows. */
export const agreeable: WorkflowEngine = {
  start: async () => {},
  stop: async () => {},
  wake: async () => {},
  describe: async () => 'running',
  async *listRunning() {},
};

const threeHoursMs = 3 * 3_600_000;

/** Every hot path of the product, each on people and carts of its own. */
export function hotActions({ deps, tenant }: HotShop): HotAction[] {
  const { tenantId } = tenant;
  const summary = { id: tenantId, slug: tenant.slug, name: tenant.slug, timeScale: 1, synthetic: true };
  const arrive = (event: ShopEvent) => accept(deps, sign(tenant, event));
  const relay = () => relayOutbox({ ...deps, engine: agreeable });
  /** A cart that was left `agoMs` ago. */
  const aCart = async (agoMs = 0) => {
    const cart = randomUUID();
    await arrive(cartUpdated(cart, Date.now() - agoMs));
    return cart;
  };
  const enrollmentOf = async (cart: string) => (await enrollmentsOf(deps, tenantId, [cart]))[0]?.id ?? '';
  const dispatch = (enrollmentId: string, stepId: string) => dispatchStep(deps, { tenantId, enrollmentId, stepId });
  const aMail = async () => {
    const cart = await aCart(threeHoursMs);
    const enrollmentId = await enrollmentOf(cart);
    await dispatch(enrollmentId, 'popup_1h');
    await dispatch(enrollmentId, 'email_2h');
    const [mail] = await deps.db.withTenant(tenantId, (tx) =>
      tx
        .select()
        .from(messages)
        .where(and(eq(messages.enrollmentId, enrollmentId), eq(messages.stepId, 'email_2h'))),
    );
    if (mail?.state !== 'sent') throw new Error(`the email is ${mail?.state ?? 'missing'}`);
    return { cart, enrollmentId, messageId: mail.id };
  };
  const follow = (messageId: string) => recordEngagement(deps, { tenantId, messageId, type: 'clicked', machine: false });
  /** A minute later, when a click does not count as a scanner's. */
  const anEarlierMail = async () => {
    const mail = await aMail();
    await deps.db.withTenant(tenantId, (tx) =>
      tx
        .update(messages)
        .set({ settledAt: Date.now() - 70_000 })
        .where(eq(messages.id, mail.messageId)),
    );
    return mail;
  };
  const webhook = (name: string, eventOf: (cart: string) => ShopEvent): HotAction => ({
    name: `webhook: ${name}`,
    async prepare() {
      const signed = sign(tenant, eventOf(await aCart(threeHoursMs)));
      return () => accept(deps, signed);
    },
  });
  const ofMail = (name: string, act: (mail: Awaited<ReturnType<typeof aMail>>) => Promise<unknown>): HotAction => ({
    name,
    async prepare() {
      const mail = await aMail();
      return () => act(mail);
    },
  });
  const always = (name: string, act: () => Promise<unknown>): HotAction => ({ name, prepare: async () => act });

  return [
    { name: 'webhook: new cart', prepare: async () => () => arrive(cartUpdated(randomUUID())) },
    webhook('cart update', (cart) => cartUpdated(cart, Date.now(), '159.90')),
    webhook('a second cart of a known person', (cart) => {
      const { data, ...rest } = cartUpdated(randomUUID());
      return { ...rest, data: { ...data, contact: { email: emailOf(cart) } } };
    }),
    {
      name: 'webhook: repeat',
      async prepare() {
        const signed = sign(tenant, cartUpdated(randomUUID()));
        await accept(deps, signed);
        return () => accept(deps, signed, 'repeated');
      },
    },
    webhook('purchase', orderPlaced),
    webhook('purchase by address alone', (cart) => {
      const { cart_id: _, ...data } = orderPlaced(cart).data;
      return { type: 'order.placed', data };
    }),
    ...(
      [
        ['refund', (id) => ({ type: 'order.updated', data: { order: { id, currency: 'EUR', refunds: [{ id: 'refund-1', amount: '20.00' }] } } })],
        ['edit', (id) => ({ type: 'order.updated', data: { order: { id, currency: 'EUR', current_total: '99.90' } } })],
        ['cancellation', (id) => ({ type: 'order.cancelled', data: { order: { id } } })],
      ] as const satisfies [string, (orderId: string) => ShopEvent][]
    ).map(
      ([name, eventOf]): HotAction => ({
        name: `webhook: ${name} of an order`,
        async prepare() {
          const order = orderPlaced(await aCart(threeHoursMs));
          await arrive(order);
          const signed = sign(tenant, eventOf((order.data['order'] as { id: string }).id));
          return () => accept(deps, signed);
        },
      }),
    ),
    webhook('refund of an order that is not known', () => ({
      type: 'order.updated',
      data: { order: { id: randomUUID(), currency: 'EUR', refunds: [{ id: 'refund-1', amount: '20.00' }] } },
    })),
    webhook('reply', replied),
    webhook('opt-out', optedOut),
    webhook('contact update', (cart) => ({ type: 'contact.updated', data: { contact: { email: emailOf(cart), locale: 'de-AT' } } })),
    {
      name: 'webhook: two persons become one',
      async prepare() {
        const phone = `+43660${String(Math.floor(Math.random() * 1e7)).padStart(7, '0')}`;
        await arrive({ type: 'contact.updated', data: { contact: { phone } } });
        const cart = await aCart();
        return () => arrive({ type: 'contact.updated', data: { contact: { phone, email: emailOf(cart) } } });
      },
    },
    {
      name: 'dispatch: a step without a way',
      async prepare() {
        const enrollmentId = await enrollmentOf(await aCart(threeHoursMs));
        return () => dispatch(enrollmentId, 'popup_1h');
      },
    },
    {
      name: 'dispatch: an email',
      async prepare() {
        const enrollmentId = await enrollmentOf(await aCart(threeHoursMs));
        await dispatch(enrollmentId, 'popup_1h');
        return () => dispatch(enrollmentId, 'email_2h');
      },
    },
    ofMail('dispatch: once more', ({ enrollmentId }) => dispatch(enrollmentId, 'email_2h')),
    ...(['start', 'stop'] as const).map(
      (kind): HotAction => ({
        name: `relay: ${kind}`,
        async prepare() {
          const cart = await aCart();
          if (kind === 'stop') {
            await relayAll(relay);
            await arrive(orderPlaced(cart));
          }
          return relay;
        },
      }),
    ),
    {
      name: 'relay: Temporal is away',
      async prepare() {
        await aCart();
        return () => relayOutbox({ ...deps, engine: { ...agreeable, start: () => Promise.reject(new Error('Temporal is away')) } });
      },
    },
    always('relay: nothing to do', relay),
    always('sweep: nothing to do', () => sweepLeases(deps)),
    {
      name: 'sweep: a dead lease',
      async prepare() {
        const { messageId } = await aMail();
        await deps.db.withTenant(tenantId, (tx) =>
          tx
            .update(messages)
            .set({ state: 'claimed', live: true, claim: randomUUID(), claimedAt: Date.now() - threeHoursMs })
            .where(eq(messages.id, messageId)),
        );
        return () => sweepLeases(deps);
      },
    },
    always('inbox worker: nothing to do', () => applyPending(deps)),
    {
      name: 'figures: fold those of one email',
      async prepare() {
        while ((await deps.db.foldRollups(1_000)) > 0);
        await aMail();
        return () => deps.db.foldRollups(1_000);
      },
    },
    ...(['opened', 'clicked'] as const).map(
      (type): HotAction => ({
        name: type === 'opened' ? 'link: open' : 'link: click',
        async prepare() {
          const { messageId } = await anEarlierMail();
          return () => recordEngagement(deps, { tenantId, messageId, type, machine: false });
        },
      }),
    ),
    ofMail('link: suspected click', ({ messageId }) => follow(messageId)),
    {
      name: 'link: the unsubscribe page right after a click',
      async prepare() {
        const { messageId } = await anEarlierMail();
        await follow(messageId);
        return () => recordEngagement(deps, { tenantId, messageId, type: 'unsubscribe_opened', machine: false });
      },
    },
    {
      name: 'webhook: cart update after a suspected click',
      async prepare() {
        const { cart, messageId } = await aMail();
        await follow(messageId);
        return () => arrive(cartUpdated(cart));
      },
    },
    ofMail('link: unsubscribe', ({ messageId }) => unsubscribe(deps, { tenantId, messageId })),
    ofMail('stop by hand', ({ enrollmentId }) => stopByHand(deps, { tenantId, enrollmentId, note: 'enough', actor: 'bench' })),
    ofMail('an end born in Temporal', ({ enrollmentId }) => closeEnrollment(deps, { tenantId, enrollmentId, reason: 'cancelled', note: null })),
    ofMail('read: why', ({ enrollmentId }) => explainEnrollment(deps, tenantId, enrollmentId)),
    always('read: newest stories', () => readNewestStories(deps, summary, 25)),
    always('read: news', () => readNews(deps, summary, { sinceMs: Date.now() - 10_000, told: new Set(), limit: 25 })),
    always('read: analytics of a day', () => readAnalytics(deps, tenantId, 1)),
    always('read: analytics of 30 days', () => readAnalytics(deps, tenantId, 30)),
    ...[false, true].flatMap((descending) => [
      always(`read: a page of contacts by name, descending ${descending}`, () =>
        listContacts(deps, tenantId, {}, { limit: 50, after: null, order: { by: 'last_name', descending } }),
      ),
      always(`read: a page of enrollments by their end, descending ${descending}`, () =>
        findEnrollments(deps, tenantId, {}, { limit: 50, after: null, order: { by: 'ended_at', descending } }),
      ),
      always(`read: a page of enrollments in the middle, descending ${descending}`, () =>
        findEnrollments(deps, tenantId, {}, { limit: 50, after: `${randomUUID()}=${Date.now()}`, order: { by: 'ended_at', descending } }),
      ),
    ]),
    always('read: a page of active sequences', () => readRecoveries(deps, tenantId, { status: 'active', limit: 50, after: null })),
  ];
}

async function relayAll(relay: () => Promise<{ taken: number }>): Promise<void> {
  while ((await relay()).taken > 0);
}
