import { eq } from 'drizzle-orm';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { popups } from '../../db/schema/index.ts';
import { createOnsiteSender } from '../../integrations/onsite/send.ts';
import type { OnsitePayload } from '../../integrations/port.ts';
import { popupStoreOf } from '../../operations/onsite/popup-store.ts';
import { openDatabase } from '../../db/client.ts';
import { aCart, openShop, type Shop } from '../helpers/shop.ts';

// What the conformance suite assumes of the database behind the port, on real Postgres.

let shop: Shop;
let counter = 0;
beforeAll(async () => {
  shop = await openShop({ timeScale: 1 });
});
afterAll(() => shop.close());

const popup: OnsitePayload = {
  channel: 'onsite',
  language: 'en',
  direction: 'ltr',
  heading: 'Still thinking it over?',
  text: 'Your cart is where you left it.',
  cta: 'Back to my cart',
  url: 'https://mail.example.com/c/token',
  close: 'Keep looking',
  label: null,
};

async function anEnrollment(): Promise<string> {
  const cart = `store-cart-${++counter}`;
  await shop.post('cart.updated', aCart(cart, `${cart}@example.com`));
  return (await shop.enrollmentOf(cart))?.id ?? '';
}
const store = () => popupStoreOf(shop.deps, shop.tenant.tenantId);
const stored = (id: string) => shop.deps.db.withTenant(shop.tenant.tenantId, (tx) => tx.select().from(popups).where(eq(popups.enrollmentId, id)));

test('a key holds one pop-up: a repeat finds it, in whatever order its fields come, and another is refused', async () => {
  const id = await anEnrollment();
  const key = `${id}:popup_1h`;
  expect(await store().putDown(key, popup, () => true)).toBe('stored');
  expect(await store().putDown(key, Object.fromEntries(Object.entries(popup).toReversed()) as unknown as OnsitePayload, () => true)).toBe('stored');
  expect(await store().putDown(key, { ...popup, heading: 'Another' }, () => true)).toBe('another');
  expect(await stored(id)).toHaveLength(1);
});

test('nothing is stored where the deadline comes just before COMMIT', async () => {
  const id = await anEnrollment();
  expect(await store().putDown(`${id}:popup_1h`, popup, () => false)).toBe('too_late');
  expect(await stored(id)).toEqual([]);
});

test('of two calls at once one stores it, and both say so', async () => {
  const id = await anEnrollment();
  const both = await Promise.all([1, 2].map(() => store().putDown(`${id}:popup_1h`, popup, () => true)));
  expect(both).toEqual(['stored', 'stored']);
  expect(await stored(id)).toHaveLength(1);
});

test('what Postgres refuses is a refusal, and a Postgres that is away is an outage', async () => {
  const unknown = '00000000-0000-7000-8000-000000000000';
  await expect(store().putDown(`${unknown}:popup_1h`, popup, () => true)).rejects.toMatchObject({ code: 'refused' });
  const away = openDatabase({ url: 'postgresql://127.0.0.1:1/nothing', maxConnections: 1, settlingConnections: 1 });
  const sender = createOnsiteSender(popupStoreOf({ db: away }, shop.tenant.tenantId));
  const session = await sender.open();
  expect(await session.send(popup, `${unknown}:popup_1h`, { remainingMs: () => 20_000 })).toMatchObject({ kind: 'refused', outage: true });
  await away.close();
});
