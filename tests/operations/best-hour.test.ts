import { eq } from 'drizzle-orm';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { decisions } from '../../db/schema/index.ts';
import { dispatchStep } from '../../operations/dispatch-step.ts';
import { publishYaml } from '../helpers/publish-yaml.ts';
import { aCart, openShop, type Shop } from '../helpers/shop.ts';

// What a person opened is read when a step waits for their hour (docs/rules.md#rule-36).

let shop: Shop;
let owner: pg.Client;
beforeAll(async () => {
  shop = await openShop({ timeScale: 1 });
  owner = new pg.Client({ connectionString: shop.database.url });
  await owner.connect();
});
afterAll(async () => {
  await owner.end();
  await shop.close();
});

const hourMs = 3_600_000;
const yaml = (more: string) =>
  `sequence: cart\nname: Hours\non: cart.abandoned\nquietFor: 1m\nsteps:\n  - { id: first, at: 2h, channel: email, content: cart/first${more} }\n`;
const dispatch = (enrollmentId: string) => dispatchStep(shop.deps, { tenantId: shop.tenant.tenantId, enrollmentId, stepId: 'first' });
async function left(cart: string, email: string): Promise<string> {
  await shop.post('cart.updated', aCart(cart, email), { at: Date.now() - 2 * hourMs - 1_000 });
  return (await shop.enrollmentOf(cart))?.id ?? '';
}

test('the step waits for the hour at which the person opened emails about other carts', async () => {
  await publishYaml(shop, yaml(''));
  const before = await left('hour-before', 'reader@example.com');
  await dispatch(before);
  // Six hours from now, yesterday.
  const hour = new Date(Date.now() + 6 * hourMs).getUTCHours();
  await owner.query(`update messages set opened_at = $2, settled_at = settled_at - interval '4 hours' where enrollment_id = $1`, [
    before,
    new Date(Date.now() - 18 * hourMs),
  ]);
  await shop.post(
    'order.placed',
    { order: { id: 'order-before', currency: 'EUR', total: '129.90' }, cart_id: 'hour-before' },
    { at: Date.now() - 3 * hourMs },
  );
  await publishYaml(shop, yaml(', bestHour: true'));
  const id = await left('hour-now', 'reader@example.com');
  await dispatch(id);
  const rows = await shop.deps.db.withTenant(shop.tenant.tenantId, (tx) => tx.select().from(decisions).where(eq(decisions.enrollmentId, id)));
  expect(rows[0]).toMatchObject({ verdict: 'defer', reason: 'best_hour' });
  expect(rows[0]?.checks.find((c) => c.gate === 'best_hour')?.input).toMatchObject({ hour, known: true });
  expect(new Date(rows[0]?.until ?? 0).getUTCHours()).toBe(hour);
});
