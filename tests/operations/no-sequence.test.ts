import { eq } from 'drizzle-orm';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { subjectKeys, subjects } from '../../db/schema/index.ts';
import { explainFound } from '../../operations/read/explain.ts';
import { whyNotSent } from '../../operations/read/why-not-sent.ts';
import { aCart, openShop, type Shop } from '../helpers/shop.ts';

// Whatever keeps a subject from every sequence is stored with it when it is reported, so that its explanation does not depend on what has changed since.

const dayMs = 24 * 3_600_000;
let shop: Shop;
beforeAll(async () => {
  shop = await openShop({ timeScale: 1 });
});
afterAll(() => shop.close());

const storedOf = async (key: string) => {
  const [row] = await shop.deps.db.withTenant(shop.tenant.tenantId, (tx) =>
    tx
      .select({ noSequence: subjects.noSequence })
      .from(subjects)
      .innerJoin(subjectKeys, eq(subjectKeys.subjectId, subjects.id))
      .where(eq(subjectKeys.value, key)),
  );
  return row?.noSequence ?? null;
};
const reasonsOf = async (key: string) => (await storedOf(key))?.keptFrom.map((k) => k.reason) ?? null;
const explained = async (key: string) => {
  const result = await explainFound(shop.deps, shop.tenant.tenantId, { subjectId: key });
  return result.kind === 'found' ? result.found.quiet.map((q) => q.sentence) : [];
};
const at = Date.now();

interface Case {
  why: string;
  happen: (cart: string, email: string) => Promise<unknown>;
}
const cart = (key: string, email: string | null, more: Record<string, unknown> = {}, when = at) =>
  shop.post('cart.updated', aCart(key, email, more), { at: when });
const cases: Case[] = [
  { why: 'unknown_person', happen: (key) => cart(key, null) },
  { why: 'no_address', happen: (key) => shop.post('cart.updated', { ...aCart(key, null), contact: { phone: '+436601112223' } }) },
  { why: 'unfit', happen: (key, email) => cart(key, email, { total: '0.00', items: [] }) },
  {
    why: 'opted_out',
    async happen(key, email) {
      await shop.post('contact.opted_out', { contact: { email }, channel: 'all' });
      await cart(key, email);
    },
  },
  {
    why: 'do_not_contact',
    async happen(key, email) {
      await shop.post('contact.opted_out', { contact: { email }, channel: 'all', final: true });
      await cart(key, email);
    },
  },
  {
    why: 'ordered_since',
    async happen(key, email) {
      await shop.post('order.placed', { order: { id: `o-${key}`, currency: 'EUR', total: '9.00' }, contact: { email } }, { at });
      await cart(key, email, {}, at - 60_000);
    },
  },
  {
    why: 'replied',
    async happen(key, email) {
      await shop.post('message.received', { contact: { email }, channel: 'email', text: 'Hello' }, { at });
      await cart(key, email, {}, at - 60_000);
    },
  },
  { why: 'too_old', happen: (key, email) => cart(key, email, {}, at - 40 * dayMs) },
  {
    why: 'newer_runs',
    async happen(key, email) {
      await cart(`${key}-newer`, email);
      await cart(key, email, {}, at - 60_000);
    },
  },
];

test.each(cases.map((c, i) => ({ ...c, i })))('$why is stored and explained', async ({ why, happen, i }) => {
  const key = `quiet-${i}`;
  await happen(key, `quiet-${i}@example.com`);
  expect(await reasonsOf(key)).toEqual([why]);
  expect(await explained(key)).toEqual([expect.stringMatching(/^No sequence was begun about this cart: [^_]+\.$/)]);
});

test('what has changed since does not change the answer', async () => {
  await shop.post('cart.updated', aCart('quiet-then', null));
  const before = await explained('quiet-then');
  await shop.post('contact.updated', { contact: { email: 'then@example.com' } });
  expect(await explained('quiet-then')).toEqual(before);
  expect(await shop.enrollmentOf('quiet-then')).toBeNull();
});

test('a sequence that begins after all takes the reason away', async () => {
  await cart('quiet-late', null);
  expect(await reasonsOf('quiet-late')).toEqual(['unknown_person']);
  await shop.post('cart.updated', aCart('quiet-late', 'late@example.com'));
  expect(await storedOf('quiet-late')).toBeNull();
  expect(await shop.enrollmentOf('quiet-late')).not.toBeNull();
});

test('a cart that is bought or deleted later says that instead', async () => {
  await cart('quiet-bought', null);
  await shop.post('order.placed', { order: { id: 'o-quiet-bought', currency: 'EUR', total: '129.90' }, cart_id: 'quiet-bought' });
  expect(await explained('quiet-bought')).toEqual(['No sequence was begun about this cart: it was bought.']);
});

test('the summary counts what nothing was begun about', async () => {
  const { notBegun } = await whyNotSent(shop.deps, shop.tenant.tenantId, { days: 7, sequence: null, channel: null });
  expect(notBegun.map((n) => n.reason)).toEqual(expect.arrayContaining(cases.map((c) => c.why)));
  expect(notBegun.find((n) => n.reason === 'opted_out')).toMatchObject({
    subjectKind: 'cart',
    sequence: null,
    count: 1,
    sentence: 'No sequence was begun about a cart: marketing to its shopper is closed.',
  });
});
