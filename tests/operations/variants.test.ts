import { randomUUID } from 'node:crypto';
import { eq } from 'drizzle-orm';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { contacts, variantAssignments } from '../../db/schema/index.ts';
import { dispatchStep } from '../../operations/dispatch-step.ts';
import { pointOf } from '../../operations/dispatch/assignment.ts';
import { compilePreset, publishPreset } from '../../operations/publish-sequence.ts';
import { explainEnrollment } from '../../operations/read/explain.ts';
import { readVariants } from '../../operations/read/variants.ts';
import { ask } from '../api/left-carts.ts';
import { aCart, letTimePass, openShop, type Shop, until } from '../helpers/shop.ts';

// Variants of a step: docs/rules.md#rule-35

const hourMs = 3_600_000;
let shop: Shop;
beforeAll(async () => {
  shop = await openShop({ timeScale: 1 });
});
afterAll(() => shop.close());

const inTenant = <T>(work: Parameters<typeof shop.deps.db.withTenant<T>>[1]) => shop.deps.db.withTenant(shop.tenant.tenantId, work);
const copy = (name: string) => ({
  file: `${name}.liquid`,
  text: `---\nsubject: Subject ${name}\npreheader: It waits\nheading: Hello\ncta: Go on\n---\nHello.\n\n[cart]\n`,
});
async function publish(weights: { a: number; b: number }): Promise<void> {
  const yaml = `sequence: cart\nname: Cart\non: cart.abandoned\nquietFor: 1h\nreentry: { cooldown: 1h }\nsteps:\n  - id: mail\n    at: 2h\n    channel: email\n    variants:\n      - { id: a, content: cart/a, weight: ${weights.a} }\n      - { id: b, content: cart/b, weight: ${weights.b} }\n`;
  await publishPreset(
    shop.deps,
    shop.tenant.tenantId,
    await compilePreset({ file: 'cart.yaml', yaml, copy: { 'cart/a': copy('a'), 'cart/b': copy('b') } }),
  );
}
const dispatch = (enrollmentId: string) => dispatchStep(shop.deps, { tenantId: shop.tenant.tenantId, enrollmentId, stepId: 'mail' });
const mailOf = async (id: string) => (await shop.ledgerOf(id)).find((m) => m.stepId === 'mail');

let counter = 0;
/** Somebody who left a cart two hours ago, and the variant that they will get of two with the same weight. */
async function leave(email = `variant-${++counter}@example.com`) {
  const cart = `variant-cart-${++counter}`;
  await shop.post('cart.updated', aCart(cart, email));
  const { id, sequenceId, contactId } = await until('the enrollment', () => shop.enrollmentOf(cart));
  await letTimePass(shop, 2 * hourMs + 1_000);
  const [contact] = await inTenant((tx) => tx.select().from(contacts).where(eq(contacts.id, contactId)));
  return { cart, email, id, contactId, variant: pointOf(`${sequenceId}\nmail`, contact?.personId ?? '') < 0.5 ? 'a' : 'b' };
}
async function leaveInBoth() {
  const found: Partial<Record<string, Awaited<ReturnType<typeof leave>>>> = {};
  while (found['a'] === undefined || found['b'] === undefined) {
    const left = await leave();
    found[left.variant] = left;
  }
  return { a: found['a'], b: found['b'] };
}
const assigned = (contactId: string) => inTenant((tx) => tx.select().from(variantAssignments).where(eq(variantAssignments.contactId, contactId)));

test('each person gets the text of their variant; it is stored before the send, told by the ledger, the story and the API', async () => {
  await publish({ a: 1, b: 1 });
  const both = await leaveInBoth();
  const preview = async (email: string) => (await ask(shop, shop.tenant.apiKey, `/api/sequences/cart/steps/mail/preview?contact=${email}`)).body;
  for (const [variant, left] of Object.entries(both)) {
    const shown = { subject: `Subject ${variant}`, arm: { variant, experiment: null, by: 'drawn' } };
    expect(await preview(left.email)).toMatchObject(shown);
    await dispatch(left.id);
    expect(await preview(left.email)).toMatchObject({ ...shown, arm: { variant, by: 'kept' } });
    expect(await mailOf(left.id)).toMatchObject({ state: 'sent', variant, payload: { subject: `Subject ${variant}` } });
    expect(await assigned(left.contactId)).toMatchObject([{ stepId: 'mail', variant, shares: { a: 0.5, b: 0.5 } }]);
    const explained = await explainEnrollment(shop.deps, shop.tenant.tenantId, left.id);
    expect(explained?.entries.map((e) => e.sentence)).toContain(`mail went out, as variant ${variant}, in English.`);
    const { body } = await ask(shop, shop.tenant.apiKey, `/api/enrollments/${left.id}/explain`);
    expect(JSON.stringify(body)).toContain(`"variant":"${variant}"`);
  }
});

test('the same person gets the same variant with every further cart, whatever the weights are by then', async () => {
  await publish({ a: 1, b: 1 });
  const { b } = await leaveInBoth();
  await dispatch(b.id);
  await shop.post('order.placed', { order: { id: randomUUID(), currency: 'EUR', total: '1.00' }, contact: { email: b.email } });
  await letTimePass(shop, 2 * hourMs);
  await publish({ a: 1_000, b: 1 });
  const again = await leave(b.email);
  await dispatch(again.id);
  expect(await mailOf(again.id)).toMatchObject({ state: 'sent', variant: 'b' });
  expect(await assigned(b.contactId)).toHaveLength(1);
});

test('a merged person keeps the variant that came first', async () => {
  await publish({ a: 1, b: 1 });
  const { a, b } = await leaveInBoth();
  await dispatch(b.id);
  await letTimePass(shop, 4 * hourMs);
  await dispatch(a.id);
  for (const { email } of [a, b]) await shop.post('contact.updated', { contact: { id: `merged-${a.cart}`, email } });
  await letTimePass(shop, 24 * hourMs);
  const after = await leave(a.email);
  await dispatch(after.id);
  expect(await mailOf(after.id)).toMatchObject({ variant: 'b' });
});

test('the counts of each variant stand beside what they should be, with the sample-ratio check', async () => {
  await letTimePass(shop, 10 * 24 * hourMs);
  const [found] = await readVariants(shop.deps, shop.tenant.tenantId);
  const people = found?.variants.reduce((sum, v) => sum + v.people, 0) ?? 0;
  expect(people).toBeGreaterThan(3);
  expect(found?.variants.reduce((sum, v) => sum + v.expected, 0)).toBeCloseTo(people, 6);
  expect(found?.variants.every((v) => v.complete === v.people && v.sent > 0)).toBe(true);
  const { body } = await ask(shop, shop.tenant.apiKey, '/api/variants');
  expect(body).toMatchObject({
    data: [
      {
        sequence: 'cart',
        step: 'mail',
        variants: [{ variant: 'a' }, { variant: 'b' }],
        sample_ratio: { mismatch: false },
        judgement: { state: 'too_few', winner: null },
      },
    ],
  });
  // Forty people whom a defect put all in one variant.
  const { sequenceId } = (await shop.enrollmentOf('variant-cart-2')) ?? { sequenceId: '' };
  for (let n = 0; n < 40; n++) {
    const email = `broken-${n}@example.com`;
    await shop.post('contact.updated', { contact: { email } });
  }
  await inTenant(async (tx) => {
    const rows = await tx.select({ id: contacts.id }).from(contacts);
    const { tenantId } = shop.tenant;
    const values = rows.map(({ id }) => ({
      tenantId,
      id: randomUUID(),
      sequenceId,
      stepId: 'mail',
      contactId: id,
      variant: 'a',
      shares: { a: 0.5, b: 0.5 },
    }));
    await tx.insert(variantAssignments).values(values).onConflictDoNothing();
  });
  const [broken] = await readVariants(shop.deps, shop.tenant.tenantId);
  expect(broken).toMatchObject({ sampleRatio: { mismatch: true }, judgement: null });
});

test('times are compared as texts are: who is assigned when the step is due counts, whenever theirs goes out', async () => {
  const yaml = `sequence: cart\nname: Cart\non: cart.abandoned\nquietFor: 1h\nreentry: { cooldown: 1h }\nsteps:\n  - id: mail\n    at: 2h\n    expires: 1h\n    channel: email\n    variants:\n      - { id: a, content: cart/a }\n      - { id: b, content: cart/a, later: 3h }\n`;
  await publishPreset(shop.deps, shop.tenant.tenantId, await compilePreset({ file: 'cart.yaml', yaml, copy: { 'cart/a': copy('a') } }));
  const seen = new Set<string>();
  while (seen.size < 2) {
    const { id, contactId, variant } = await leave();
    seen.add(variant);
    await dispatch(id);
    expect(await assigned(contactId)).toMatchObject([{ stepId: 'mail', variant, shares: { a: 0.5, b: 0.5 } }]);
    if (variant === 'b') {
      expect(await mailOf(id)).toBeUndefined();
      const explained = await explainEnrollment(shop.deps, shop.tenant.tenantId, id);
      expect(explained?.entries.map((e) => e.sentence).join('\n')).toContain('its variant goes out later than the others');
      // Beyond the hour for which the step may be late: that hour counts from the variant's own time.
      await letTimePass(shop, 3 * hourMs + hourMs / 2);
      await dispatch(id);
      expect(await assigned(contactId)).toHaveLength(1);
    }
    expect(await mailOf(id)).toMatchObject({ state: 'sent', variant });
  }
});
