import { afterAll, beforeAll, expect, test } from 'vitest';
import { ask, dispatch } from '../api/left-carts.ts';
import { publishYaml } from '../helpers/publish-yaml.ts';
import { aCart, letTimePass, openShop, type Shop } from '../helpers/shop.ts';

const hourMs = 3_600_000;
let shop: Shop;
beforeAll(async () => {
  shop = await openShop({ timeScale: 1 });
  await publishYaml(
    shop,
    `sequence: cart
name: Carts worth writing about
on: cart.abandoned
only: { value: { atLeast: 50 } }
quietFor: 1h
steps:
  - { id: email_2h, at: 2h, channel: email, content: cart/first }
`,
  );
});
afterAll(() => shop.close());

/** The cart is left for three hours, and its step is asked about. @returns how its enrollments stand, the oldest first, and how many emails went out */
async function leave(cart: string, total: string) {
  await shop.post('cart.updated', aCart(cart, `${cart}@example.com`, { total }));
  await letTimePass(shop, 2 * hourMs + 1_000);
  for (const { id, status } of await enrollmentsOf(cart)) if (status === 'ACTIVE') await dispatch(shop, id, 'email_2h');
  const emails = shop.smtp.accepted.filter((m) => m.envelope.to.includes(`${cart}@example.com`)).length;
  return { ends: (await enrollmentsOf(cart)).map(({ status, stop_reason: reason }) => reason ?? status), emails };
}

async function enrollmentsOf(cart: string) {
  type Found = { data: { id: string; status: string; stop_reason: string | null }[] };
  const { body } = await ask(shop, shop.tenant.apiKey, `/api/enrollments?external_id=${cart}`);
  return (body as Found).data.toReversed();
}

test('a cart that is not what the sequence is for gets nothing, until it is', async () => {
  expect(await leave('small', '49.99')).toEqual({ ends: ['filtered'], emails: 0 });
  expect(await leave('small', '50.00')).toEqual({ ends: ['filtered', 'COMPLETED'], emails: 1 });
  expect(await leave('large', '120.00')).toEqual({ ends: ['COMPLETED'], emails: 1 });
});
