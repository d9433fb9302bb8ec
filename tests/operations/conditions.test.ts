import { eq } from 'drizzle-orm';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { decisions } from '../../db/schema/index.ts';
import { dispatchStep } from '../../operations/dispatch-step.ts';
import { publishYaml } from '../helpers/publish-yaml.ts';
import { aCart, letTimePass, openShop, type Shop, until } from '../helpers/shop.ts';

// What conditions read, from the webhook to the decision.

const hourMs = 3_600_000;
let shop: Shop;
beforeAll(async () => {
  shop = await openShop({ timeScale: 1 });
});
afterAll(() => shop.close());

let counter = 0;
/** A cart that was left two hours ago and is decided now. @returns what its conditions came to, part by part */
async function judged(when: string, { cart = {}, contact = {}, reply = false }: { cart?: object; contact?: object; reply?: boolean } = {}) {
  await publishYaml(
    shop,
    `sequence: cart\nname: Cart\non: cart.abandoned\nstopOn: [purchased, opted_out]\nsteps:\n  - { id: mail, at: 2h, channel: email, content: cart/mail, when: ${when} }\n`,
  );
  counter += 1;
  const name = `asked-${counter}`;
  const person = { email: `${name}@example.com`, ...contact };
  await shop.post('cart.updated', { ...aCart(name, null, { ...cart }), contact: person });
  const { id } = await until('the enrollment', () => shop.enrollmentOf(name));
  await letTimePass(shop, 2 * hourMs + 1_000);
  if (reply) await shop.post('message.received', { contact: { email: person.email }, text: 'Hello?' }, { at: Date.now() - hourMs });
  await dispatchStep(shop.deps, { tenantId: shop.tenant.tenantId, enrollmentId: id, stepId: 'mail' });
  const [decision] = await shop.deps.db.withTenant(shop.tenant.tenantId, (tx) => tx.select().from(decisions).where(eq(decisions.enrollmentId, id)));
  return decision?.checks.find(({ gate }) => gate === 'conditions');
}
const items = (...stocks: (number | null)[]) => ({
  items: stocks.map((stock, n) => ({ title: `Lamp ${n}`, quantity: 2, price: '10.00', ...(stock === null ? {} : { stock }) })),
});

describe('at dispatch', () => {
  test('the stock of what lies in the cart is known', async () => {
    expect(await judged('{ stock: { atLeast: 1, below: 5 } }', { cart: items(9, 4) })).toMatchObject({ result: 'pass', input: { holds: true } });
    expect(await judged('{ stock: { below: 5 } }', { cart: items(9, null) })).toMatchObject({
      result: 'skip',
      note: "The step's condition does not hold. Cannot be known, counted as no: stock below 5.",
    });
  });

  test('attributes of cart and person are known', async () => {
    expect(await judged('{ attribute: { name: cart.units, atLeast: 4 } }', { cart: items(9, 4) })).toMatchObject({ result: 'pass' });
    const inAustria = { contact: { country: 'AT', locale: 'de-AT' } };
    expect(await judged('{ attribute: { name: contact.country, is: at } }', inAustria)).toMatchObject({ result: 'pass' });
    expect(await judged('{ attribute: { name: contact.language, is: [de, fr] } }', inAustria)).toMatchObject({ result: 'pass' });
    expect(await judged('{ attribute: { name: contact.country, is: AT } }')).toMatchObject({ result: 'skip' });
  });

  test('a reply is known, and how long the person has been silent', async () => {
    expect(await judged('replied', { reply: true })).toMatchObject({ result: 'pass', input: { replied: true } });
    expect(await judged('replied')).toMatchObject({ result: 'skip', input: { replied: false } });
    expect(await judged('{ stage: none }')).toMatchObject({ result: 'pass' });
    expect(await judged('{ stage: 24h }')).toMatchObject({ result: 'skip' });
  });
});
