import { afterAll, beforeAll, expect, test } from 'vitest';
import { v7 as uuidv7 } from 'uuid';
import { eq } from 'drizzle-orm';
import { suppressions as suppressionsCommand } from '../../cli/suppressions.ts';
import { auditLog, suppressions } from '../../db/schema/index.ts';
import { dispatchStep } from '../../operations/dispatch-step.ts';
import { explainEnrollment } from '../../operations/read/explain.ts';
import { ask, askAll } from '../api/left-carts.ts';
import { clientOf } from '../helpers/client-of.ts';
import { aCart, openShop, type Shop } from '../helpers/shop.ts';

// Suppressions with their kinds: explained, listed, lifted where they may be (docs/rules.md#rule-32).

const hourMs = 3_600_000;
let shop: Shop;
beforeAll(async () => {
  shop = await openShop({ timeScale: 1 });
});
afterAll(() => shop.close());

let counter = 0;
async function left() {
  const cart = `sup-cart-${++counter}`;
  const email = `sup-${counter}@example.com`;
  await shop.post('cart.updated', aCart(cart, email), { at: Date.now() - 2 * hourMs });
  const { id = '' } = (await shop.enrollmentOf(cart)) ?? {};
  await dispatch(id, 'popup_1h');
  return { email, id };
}
const dispatch = (enrollmentId: string, stepId: string) => dispatchStep(shop.deps, { tenantId: shop.tenant.tenantId, enrollmentId, stepId });
async function suppress(email: string, reason: 'opted_out' | 'bounce' | 'complaint' | 'refused') {
  const { tenantId } = shop.tenant;
  const addressHash = shop.deps.sealing.addressHash(tenantId, 'email', email);
  await shop.deps.db.withTenant(tenantId, (tx) => tx.insert(suppressions).values({ tenantId, id: uuidv7(), addressHash, channel: 'email', reason }));
}
const listed = (email: string) =>
  askAll<{ id: string; reason: string; may_be_lifted: boolean }>(shop, shop.tenant.apiKey, `/api/suppressions?email=${email}`);

test.each([
  ['opted_out', 'by an opt-out.', false],
  ['complaint', 'by a complaint or a final opt-out.', false],
  ['bounce', 'by an address that does not exist.', true],
  ['refused', 'by the provider, which refused the address for good.', true],
] as const)('%s is explained, listed, and lifted only where it may be', async (reason, words, liftable) => {
  const { email, id } = await left();
  await suppress(email, reason);
  await dispatch(id, 'email_2h');
  expect((await shop.ledgerOf(id)).find((m) => m.stepId === 'email_2h')).toMatchObject({ state: 'skipped', skipReason: 'suppressed' });
  const explained = await explainEnrollment(shop.deps, shop.tenant.tenantId, id);
  expect(explained?.entries.map((e) => e.sentence)).toContainEqual(expect.stringContaining(words));
  const [found] = await listed(email);
  expect(found).toMatchObject({ reason, may_be_lifted: liftable });
  const answer = await ask(shop, shop.tenant.apiKey, `/api/suppressions/${found?.id}/lift`, 'POST');
  expect(answer.status).toBe(liftable ? 200 : 409);
  expect(await listed(email)).toHaveLength(liftable ? 0 : 1);
  const audit = await shop.deps.db.withTenant(shop.tenant.tenantId, (tx) =>
    tx
      .select()
      .from(auditLog)
      .where(eq(auditLog.subject, found?.id ?? '')),
  );
  expect(audit).toHaveLength(liftable ? 1 : 0);
  if (liftable) expect((await ask(shop, shop.tenant.apiKey, `/api/suppressions/${found?.id}/lift`, 'POST')).status).toBe(200);
});

test('by command; and what is unknown is not found', async () => {
  const { email } = await left();
  await suppress(email, 'bounce');
  const store = clientOf(shop);
  const run = (args: string[], options = {}) => suppressionsCommand.run({ store, installation: () => store, args, options });
  const { data, lines } = await run([], { email });
  expect(lines).toEqual([expect.stringContaining('bounce on email since')]);
  expect((await run(['lift', (data as { id: string }[])[0]?.id ?? ''])).lines).toEqual([expect.stringContaining(', lifted ')]);
  expect((await run([], { email })).lines).toEqual(['Nothing is suppressed.']);
  expect((await ask(shop, shop.tenant.apiKey, '/api/suppressions/nothing/lift', 'POST')).status).toBe(404);
});
