import { eq } from 'drizzle-orm';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { chipsOf } from '../../api/routes/live/chips.ts';
import { enrollments, subjectKeys } from '../../db/schema/index.ts';
import { cart } from '../../domain/subjects/cart/index.ts';
import { subjectKinds } from '../../domain/subjects/index.ts';
import { type StopReason, stopReasons } from '../../domain/sequence/plan.ts';
import { closeEnrollment } from '../../operations/close-enrollment.ts';
import { dispatchStep } from '../../operations/dispatch-step.ts';
import { explainEnrollment } from '../../operations/read/explain.ts';
import { eventSentence, messageSentence } from '../../operations/read/sentences.ts';
import { restartDemo } from '../../operations/restart-demo.ts';
import { stopByHand, unsubscribe } from '../../operations/stop-one.ts';
import { asOwner } from '../helpers/database.ts';
import { aCart, letTimePass, openShop, type Shop, until } from '../helpers/shop.ts';

// Every way in which a sequence can end, with its reason and the sentence that people read: a wrong reason is worse than none.

const hourMs = 3_600_000;
let shop: Shop;
beforeAll(async () => {
  shop = await openShop({ timeScale: 1 });
});
afterAll(() => shop.close());

let counter = 0;
interface Case {
  cart: string;
  email: string;
  phone: string;
  id: string;
}
/** A cart with its sequence. @param activated - it counts as abandoned. @param asCheckout - the shop knows it as one of its platform's checkouts */
async function begun(activated: boolean, asCheckout: boolean): Promise<Case> {
  counter += 1;
  const c = { cart: `reason-${counter}`, email: `reason-${counter}@example.com`, phone: `+1202555${String(3_000 + counter)}` };
  if (asCheckout) await shop.shopify('checkouts/create', checkout(c.cart, c));
  else await shop.post('cart.updated', aCart(c.cart, c.email), { at: Date.now() - 60_000 });
  const { id } = await until('the enrollment', () => shop.enrollmentOf(c.cart));
  if (activated) {
    await letTimePass(shop, hourMs + 1_000);
    await dispatch(id, 'popup_1h');
  }
  return { ...c, id };
}
const dispatch = (enrollmentId: string, stepId: string) => dispatchStep(shop.deps, { tenantId: shop.tenant.tenantId, enrollmentId, stepId });
const order = (more: Record<string, unknown>) =>
  shop.post('order.placed', { order: { id: `order-${++counter}`, currency: 'EUR', total: '129.90' }, ...more });
const close = (c: Case, reason: 'manual' | 'cancelled' | 'terminated') =>
  closeEnrollment(shop.deps, { tenantId: shop.tenant.tenantId, enrollmentId: c.id, reason, note: null });
const byHand = (c: Case) => stopByHand(shop.deps, { tenantId: shop.tenant.tenantId, enrollmentId: c.id, note: 'called us', actor: 'test' });
const empty = (c: Case) => shop.post('cart.updated', aCart(c.cart, c.email, { items: [], total: '0.00' }));

const checkout = (token: string, c: Pick<Case, 'email'>) => ({
  id: token,
  token,
  email: c.email,
  created_at: new Date().toISOString(),
  updated_at: new Date().toISOString(),
  currency: 'EUR',
  total_price: '59.00',
  line_items: [{ title: 'Oak tray', quantity: 1, price: '59.00' }],
  abandoned_checkout_url: `https://shop.example.com/checkouts/${token}/recover`,
});

const byOrder = 'The sequence was stopped: an order that does not name this cart came in under the shopper’s address or number.';
const byReply = 'The sequence was stopped: a message came in from the shopper’s address or number.';
const byOptOut = 'The sequence was stopped: marketing to the shopper was closed by an opt-out or a complaint.';
const byEmptying = 'The sequence was stopped: the cart was emptied.';
const byDeletion = 'The sequence was stopped: the shop deleted the cart.';

interface Way {
  way: string;
  activated: boolean;
  asCheckout?: true;
  happen: (c: Case) => Promise<unknown>;
  reason: StopReason;
  sentence: string;
}
const ways: Way[] = [
  {
    ...{ way: 'an order that names the cart, after it counted as abandoned', activated: true, happen: (c) => order({ cart_id: c.cart }) },
    ...{ reason: 'purchased', sentence: 'The sequence was stopped: the cart was bought.' },
  },
  {
    ...{ way: 'an order that names the cart, before that', activated: false, happen: (c) => order({ cart_id: c.cart }) },
    ...{ reason: 'not_abandoned', sentence: 'The sequence was stopped: the cart was bought before it counted as abandoned.' },
  },
  ...[true, false].map(
    (activated): Way => ({
      way: `an order of the shopper for something else, ${activated ? 'after it counted as abandoned' : 'before that'}`,
      activated,
      happen: (c) => order({ contact: { email: c.email } }),
      reason: 'purchased_elsewhere',
      sentence: byOrder,
    }),
  ),
  {
    way: 'an order that a merge of persons brings along, before activation',
    activated: false,
    async happen(c) {
      await shop.post('order.placed', { order: { id: `o-${c.cart}`, currency: 'EUR', total: '1.00' }, contact: { phone: c.phone } });
      await shop.post('contact.updated', { contact: { email: c.email, phone: c.phone } });
    },
    ...{ reason: 'purchased_elsewhere', sentence: byOrder },
  },
  ...[true, false].flatMap((activated): Way[] =>
    [true, false].map((names) => ({
      way: `a test order that ${names ? 'names the cart' : 'does not name it'}, ${activated ? 'after it counted as abandoned' : 'before that'}`,
      activated,
      happen: (c) =>
        shop.post('order.placed', {
          order: { id: `void-${c.cart}`, currency: 'EUR', total: '129.90', test: true },
          ...(names ? { cart_id: c.cart } : { contact: { email: c.email } }),
        }),
      reason: 'order_void',
      sentence: 'The sequence was stopped: an order came in that is no purchase: a test, or cancelled or declined at once.',
    })),
  ),
  {
    way: 'an order of the same product under another address with the same number',
    activated: true,
    async happen(c) {
      await shop.post('contact.updated', { contact: { email: c.email, phone: c.phone } });
      await shop.shopify('orders/create', {
        ...{ id: 5_000 + counter, email: `other-${c.email}`, phone: c.phone, currency: 'EUR', total_price: '129.90' },
        ...{ created_at: new Date().toISOString(), updated_at: new Date().toISOString() },
        line_items: [{ title: 'Walnut desk lamp', quantity: 1, price: '129.90' }],
      });
    },
    reason: 'purchased_elsewhere',
    sentence: 'The sequence was stopped: the same product was ordered under another address with the same telephone number.',
  },
  {
    ...{
      way: 'a reply',
      activated: true,
      happen: (c) => shop.post('message.received', { contact: { email: c.email }, channel: 'email', text: 'Hello' }),
    },
    ...{ reason: 'replied', sentence: byReply },
  },
  ...[false, true].map(
    (final): Way => ({
      way: final ? 'a complaint' : 'an opt-out',
      activated: true,
      happen: (c) => shop.post('contact.opted_out', { contact: { email: c.email }, channel: 'all', final }),
      reason: 'opted_out',
      sentence: byOptOut,
    }),
  ),
  {
    way: 'an unsubscribe link',
    activated: true,
    async happen(c) {
      await letTimePass(shop, hourMs + 1_000);
      await dispatch(c.id, 'email_2h');
      const messageId = (await shop.ledgerOf(c.id)).find((m) => m.stepId === 'email_2h')?.id ?? '';
      await unsubscribe(shop.deps, { tenantId: shop.tenant.tenantId, messageId });
    },
    ...{ reason: 'opted_out', sentence: byOptOut },
  },
  {
    way: 'an age beyond what the sequence allows',
    activated: true,
    async happen(c) {
      await letTimePass(shop, 8 * 24 * hourMs);
      // Put off again and again, until the last time lay beyond the age.
      const putOff = `update enrollments set not_before = jsonb_build_object('email_2h', $2::bigint) where id = $1`;
      await asOwner(shop.database.url, putOff, [c.id, Date.now() - 1_000]);
      await dispatch(c.id, 'email_2h');
    },
    ...{
      reason: 'expired',
      sentence: 'The sequence was stopped: the cart was left longer ago than the sequence allows, or its last step came too late to be sent.',
    },
  },
  ...[true, false].flatMap((activated): Way[] => [
    {
      ...{ way: `an emptied cart, ${activated ? 'abandoned' : 'not yet abandoned'}`, activated, happen: empty },
      ...{ reason: 'emptied', sentence: byEmptying },
    },
    {
      ...{
        way: `a deleted checkout, ${activated ? 'abandoned' : 'not yet abandoned'}`,
        activated,
        happen: (c) => shop.shopify('checkouts/delete', { id: counter, token: c.cart }),
      },
      ...{ asCheckout: true, reason: 'cart_deleted', sentence: byDeletion },
    },
  ]),
  ...[true, false].map(
    (activated): Way => ({
      way: `a more recent cart of the shopper, ${activated ? 'after it counted as abandoned' : 'before that'}`,
      activated,
      happen: (c) => shop.post('cart.updated', aCart(`newer-${c.cart}`, c.email)),
      reason: 'superseded',
      sentence: 'The sequence was stopped: the sequence of a more recent cart of the shopper took over.',
    }),
  ),
  { way: 'a person', activated: true, happen: byHand, reason: 'manual', sentence: 'The sequence was stopped by hand.' },
  {
    ...{ way: 'a signal in Temporal', activated: true, happen: (c) => close(c, 'manual'), reason: 'manual' },
    sentence: 'The sequence was stopped by hand in Temporal.',
  },
  {
    ...{ way: 'a cancellation in Temporal', activated: true, happen: (c) => close(c, 'cancelled'), reason: 'cancelled' },
    sentence: 'The sequence was stopped: its workflow was cancelled in Temporal.',
  },
  {
    ...{ way: 'a termination in Temporal', activated: true, happen: (c) => close(c, 'terminated'), reason: 'terminated' },
    sentence: 'The sequence was stopped: its workflow was terminated in Temporal.',
  },
  {
    way: 'another cart of the shop that turns out to be the same',
    activated: false,
    async happen(c) {
      // Of another shopper, as far as is known: two carts of one would be one conversation already.
      const other = { ...c, cart: `twin-${c.cart}`, email: `twin-${c.email}` };
      const twin = checkout(other.cart, other);
      await shop.shopify('checkouts/create', twin);
      const { id } = await until('its enrollment', () => shop.enrollmentOf(other.cart));
      await letTimePass(shop, hourMs + 1_000);
      await dispatch(id, 'popup_1h');
      const [key] = await shop.deps.db.withTenant(shop.tenant.tenantId, (tx) => tx.select().from(subjectKeys).where(eq(subjectKeys.value, c.cart)));
      // The platform's webhook names both from now on.
      const shopify = shop.tenant.webhooks.shopify.path.split('/').at(-1);
      const rename = `update subject_keys set kind = 'cart_token', connection_id = $1 where subject_id = $2 and value = $3`;
      await asOwner(shop.database.url, rename, [shopify, key?.subjectId, c.cart]);
      await shop.shopify('checkouts/update', { ...twin, cart_token: c.cart });
    },
    ...{
      reason: 'merged',
      sentence: 'The sequence was stopped: it turned out to be the same cart as another, which has a sequence of its own.',
    },
  },
];

describe('a sequence that ends', () => {
  test.each(ways)('by $way says so', async ({ activated, asCheckout = false, happen, reason, sentence }) => {
    const c = await begun(activated, asCheckout);
    await happen(c);
    const explained = await explainEnrollment(shop.deps, shop.tenant.tenantId, c.id);
    const { row, summary, steps } = explained?.enrollment ?? {};
    expect(row?.stopReason).toBe(reason);
    expect(row?.activatedAt === null).toBe(!activated);
    const stop = explained?.entries.find((e) => e.kind === 'event' && e.type === 'stopped');
    expect(stop?.sentence).toBe(sentence);
    // The summary says the same, with its time; and nothing waits any more. Evidence stands in the story alone.
    const inShort = reason === 'purchased_elsewhere' ? byOrder : sentence;
    expect(summary).toContain(inShort.replace(/^The sequence was stopped(?: by hand in Temporal)?|\.$/g, ''));
    expect(steps?.map((s) => s.state)).not.toContain('waiting');
  });

  test('by a demo that is started again says so', async () => {
    const c = await begun(false, false);
    await restartDemo(shop.deps, shop.tenant.tenantId);
    const explained = await explainEnrollment(shop.deps, shop.tenant.tenantId, c.id);
    expect(explained?.entries.at(-1)?.sentence).toBe('The sequence was stopped: the demo store was started again.');
  });

  test.each([
    [24, 'COMPLETED', /^The sequence ran to its end \S+ \S+ UTC\. 4 messages went out, 1 step was not sent\.$/],
    [49, 'EXITED', /^The sequence was stopped .* its last step came too late to be sent\. 3 messages went out, 2 steps were not sent\.$/],
  ])('by itself, its last step %i hours after the one before, says how much went out', async (lastHours, status, summary) => {
    const c = await begun(true, false);
    for (const [step, hours] of [
      ['email_2h', 1],
      ['email_24h', 23],
      ['email_48h', 24],
      ['email_72h', lastHours],
    ] as const) {
      await letTimePass(shop, hours * hourMs);
      await dispatch(c.id, step);
    }
    const [row] = await shop.deps.db.withTenant(shop.tenant.tenantId, (tx) => tx.select().from(enrollments).where(eq(enrollments.id, c.id)));
    expect(row?.status).toBe(status);
    const explained = await explainEnrollment(shop.deps, shop.tenant.tenantId, c.id);
    expect(explained?.enrollment.summary).toMatch(summary);
  });
});

test('an order of somebody else with the same number and product is named as the reason', () => {
  expect(eventSentence(cart.words, 'stopped', { reason: 'purchased_elsewhere', evidence: 'same_number_and_product' })).toBe(
    'The sequence was stopped: the same product was ordered under another address with the same telephone number.',
  );
});

test('no reason is without its way; what nothing does yet is named here', () => {
  // `undeliverable`: tests/operations/two-channels.test.ts; `holdout`: tests/operations/holdout.test.ts.
  // `version_replaced`, `sequence_ended`: tests/operations/versions/running.test.ts.
  // `filtered`: tests/operations/only.test.ts. `campaign_ended`: tests/operations/campaigns.test.ts.
  // `rejected`: tests/operations/conversions.test.ts. `recovered`, `band_raised`: tests/operations/risk/interventions.test.ts.
  const nothingDoes: StopReason[] = [
    ...(['erased', 'filtered', 'contacted', 'undeliverable', 'holdout'] as const),
    ...(['version_replaced', 'sequence_ended', 'campaign_ended', 'rejected', 'recovered', 'band_raised'] as const),
  ];
  const covered = new Set<StopReason>([...ways.map((w) => w.reason), 'demo_restarted', ...nothingDoes]);
  expect([...stopReasons].filter((reason) => !covered.has(reason))).toEqual([]);
});

describe.each(subjectKinds.all)('about a $kind', ({ kind, words }) => {
  const others = subjectKinds.all
    .filter((other) => other.kind !== kind)
    .flatMap(({ words: { noun, person } }) => (person === 'person' ? [noun] : [noun, person]));
  // These are events of carts alone; the reasons keep their names.
  const ofCarts = ['emptied', 'cart_deleted'];

  test.each(stopReasons)('%s has words of its own in sentences and on the live page', (reason) => {
    const sentence = eventSentence(words, 'stopped', { reason });
    expect(sentence).not.toContain('_');
    expect(sentence).not.toBe(`The sequence was stopped: ${reason}.`);
    const happening = { atMs: 0, type: 'stopped', stepId: null, channel: null, reason, amount: null, sentence };
    const chips = chipsOf({ words, happenings: [happening] }).map((c) => c.label);
    if (reason !== 'erased') expect(chips).not.toEqual(['Stopped']);
    for (const other of others) expect([sentence, ...chips].join(' ').toLowerCase(), other).not.toMatch(new RegExp(`\\b${other}\\b`));
    if (kind === 'cart' || ofCarts.includes(reason)) return;
    expect(sentence).not.toMatch(/\bshop\b/);
  });
});

describe('the send ledger', () => {
  const row = { stepId: 'email_2h', response: 'connect ECONNREFUSED', failures: 2, skipReason: null };
  const sentenceOf = (more: Record<string, unknown>) =>
    messageSentence(cart.words, { ...row, ...more } as unknown as Parameters<typeof messageSentence>[1]);

  test('does not say that a provider spoke which could not be reached', () => {
    expect(sentenceOf({ state: 'failed' })).toBe('email_2h was not accepted, 2 times so far. Last answer or error: connect ECONNREFUSED');
  });

  test('does not say that a sequence was stopped which had run to its end', () => {
    expect(sentenceOf({ state: 'skipped', skipReason: 'stopped' })).toBe('email_2h was not sent: the sequence had ended.');
  });
});
