import { afterAll, beforeAll, expect, test } from 'vitest';
import { dispatchStep } from '../../operations/dispatch-step.ts';
import { explainEnrollment } from '../../operations/read/explain.ts';
import { changeSettings } from '../../operations/settings.ts';
import { aCart, openShop, type Shop } from '../helpers/shop.ts';

// Consent by the law where the person is, on the way from the webhook to the explanation: docs/rules.md#rule-31

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
let shop: Shop;
beforeAll(async () => {
  shop = await openShop({ timeScale: 1, settings: { consentLaw: 'strict' } });
});
afterAll(() => shop.close());

let counter = 0;
async function left(contact: Record<string, unknown>, before: (email: string) => Promise<unknown> = async () => undefined) {
  const cart = `law-cart-${++counter}`;
  const email = `law-${counter}@example.com`;
  await before(email);
  await shop.post('cart.updated', { ...aCart(cart, null), contact: { email, ...contact } }, { at: Date.now() - 2 * hourMs });
  const { id = '' } = (await shop.enrollmentOf(cart)) ?? {};
  for (const stepId of ['popup_1h', 'email_2h']) await dispatchStep(shop.deps, { tenantId: shop.tenant.tenantId, enrollmentId: id, stepId });
  return { id, mail: (await shop.ledgerOf(id)).find((m) => m.stepId === 'email_2h') };
}
const consented = (email: string) => shop.post('contact.opted_in', { contact: { email }, channel: 'email' }, { at: Date.now() - dayMs });
const bought = (daysAgo: number) => (email: string) =>
  shop.post(
    'order.placed',
    { order: { id: `law-order-${counter}`, currency: 'EUR', total: '10.00' }, contact: { email } },
    { at: Date.now() - daysAgo * dayMs },
  );
const read = (consentLaw: 'strict' | 'law' | 'off') =>
  changeSettings(shop.deps, shop.tenant.tenantId, { changes: { consentLaw }, expectedVersion: null, by: 'test' });

test('without consent nothing goes to a country whose law asks for it, and the explanation names the law', async () => {
  const { id, mail } = await left({ country: 'DE' });
  expect(mail).toMatchObject({ state: 'skipped', skipReason: 'consent_required' });
  const explained = await explainEnrollment(shop.deps, shop.tenant.tenantId, id);
  expect(explained?.entries.map((e) => e.sentence)).toContainEqual(
    'email_2h is not sent: the law where the shopper is asks for consent, and none is known: in DE the law asks for consent (UWG § 7(2) and (3)).',
  );
  expect((await left({ country: 'DE' }, consented)).mail?.state).toBe('sent');
});

test('where nothing is known of the law, or of the country, the store’s setting decides as before', async () => {
  for (const contact of [{}, { country: 'BR' }, { country: 'US' }]) expect((await left(contact)).mail?.state).toBe('sent');
});

test('a number of another country counts too: the strictest holds', async () => {
  expect((await left({ country: 'US', phone: '+4915112345678' })).mail).toMatchObject({ skipReason: 'consent_required' });
});

test('a purchase stands for consent for as long as the law has it, where the store reads the law so', async () => {
  expect((await left({ country: 'CA' }, bought(30))).mail).toMatchObject({ skipReason: 'consent_required' });
  await read('law');
  expect((await left({ country: 'CA' }, bought(30))).mail?.state).toBe('sent');
  expect((await left({ country: 'CA' }, bought(800))).mail).toMatchObject({ skipReason: 'consent_expired' });
  await read('off');
  expect((await left({ country: 'CA' })).mail?.state).toBe('sent');
  await read('strict');
});
