import { afterAll, beforeAll, expect, test } from 'vitest';
import { changeSettings } from '../../operations/settings.ts';
import { aCart, until } from '../helpers/shop.ts';
import { type ModelShop, openModelShop } from '../helpers/model-shop.ts';

// From the cart to the mailbox, with a text that a model wrote ahead of time: real Temporal, Postgres, HTTP and SMTP.

let opened: ModelShop;
beforeAll(async () => {
  opened = await openModelShop({ timeScale: 3_600, worker: true });
});
afterAll(() => opened.close());

const ended = (cart: string) =>
  until('the end', async () => {
    const enrollment = await opened.shop.enrollmentOf(cart);
    return enrollment?.endedAt == null ? null : enrollment;
  });
/** The ended enrollment of a cart whose step was in time for the model; null: its time was over. */
async function inTime(cart: string, email: string) {
  await opened.shop.deliver('cart.updated', aCart(cart, email));
  const enrollment = await ended(cart);
  const reason = (await opened.copyCheckOf(enrollment.id))?.input['reason'];
  return ['not_composed', 'timed_out', 'composing'].includes(String(reason)) ? null : enrollment;
}
const mailTo = (address: string) => opened.shop.smtp.accepted.filter((m) => m.envelope.to.includes(address));

test('a model’s text is composed before the step is due, goes out on time, and is explained', async () => {
  // On a busy machine a step's time may be over before the model has answered: the template goes out, and another cart comes.
  let enrollment = await inTime('cart-model-1', 'ada@example.com');
  for (let n = 2; enrollment === null && n <= 4; n += 1) {
    opened.model.calls.length = 0;
    opened.shop.smtp.accepted.length = 0;
    enrollment = await inTime(`cart-model-${n}`, 'ada@example.com');
  }
  if (enrollment === null) throw new Error('no model was in time for any of four carts');
  expect(enrollment.status).toBe('COMPLETED');
  expect(opened.model.calls).toHaveLength(1);
  const [mail] = mailTo('ada@example.com');
  expect(mail?.raw.toString()).toMatch(/Walnut desk lamp/);
  expect(mail?.raw.toString()).not.toContain('The template says this');
  expect(await opened.compositionOf(enrollment.id)).toMatchObject({ state: 'ready', channel: 'email', language: 'en', calls: 1 });
  const answer = await opened.shop.app.inject({
    method: 'GET',
    url: `/api/enrollments/${enrollment.id}/explain`,
    headers: { authorization: `Bearer ${opened.shop.tenant.apiKey}` },
  });
  expect(answer.body).toContain('A model’s text goes out');
});

test('a model that does not answer delays nothing: the template goes out', async () => {
  opened.model.next({ act: 'hang' });
  await opened.shop.deliver('cart.updated', aCart('cart-hangs', 'grace@example.com'));
  const enrollment = await ended('cart-hangs');
  const [row] = await opened.shop.ledgerOf(enrollment.id);
  expect(row?.state).toBe('sent');
  expect((row?.claimedAt ?? 0) - (row?.dueAt ?? 0)).toBeLessThan(30_000);
  expect(mailTo('grace@example.com')[0]?.raw.toString()).toContain('The template says this');
  expect((await opened.copyCheckOf(enrollment.id))?.input).toMatchObject({ by: 'template' });
});

test('a step waits for a person: approved, the workflow goes on at once; with nobody there, the template goes out when the time is over', async () => {
  const { deps, tenant, app } = opened.shop;
  const set = (changes: Record<string, unknown>) => changeSettings(deps, tenant.tenantId, { changes, expectedVersion: null, by: 'test' });
  // In seconds, on this clock.
  await set({ modelApproval: true, modelApprovalHours: 120 });
  /** The enrollment of a cart whose text was there in time and waits. */
  const waiting = async () => {
    for (let n = 1; n <= 4; n += 1) {
      await opened.shop.deliver('cart.updated', aCart(`cart-approved-${n}`, `hedy-${n}@example.com`));
      const enrollment = await until('a text that waits, or the end', async () => {
        const found = await opened.shop.enrollmentOf(`cart-approved-${n}`);
        return found !== null && (found.notBefore['nudge'] !== undefined || found.endedAt !== null) ? found : null;
      });
      if (enrollment.endedAt === null) return { cart: `cart-approved-${n}`, email: `hedy-${n}@example.com`, enrollment };
    }
    throw new Error('no text was there in time for any of four carts');
  };
  const { cart, email, enrollment: waits } = await waiting();
  const row = await opened.compositionOf(waits.id);
  const headers = { authorization: `Bearer ${tenant.apiKey}` };
  const approvedMs = Date.now();
  const answer = await app.inject({ method: 'POST', url: `/api/compositions/${row?.id ?? ''}/approve`, headers });
  expect(answer.statusCode).toBe(200);
  await ended(cart);
  expect(Date.now() - approvedMs).toBeLessThan(60_000);
  expect(mailTo(email)[0]?.raw.toString()).not.toContain('The template says this');

  await set({ modelApprovalHours: 3 });
  await opened.shop.deliver('cart.updated', aCart('cart-alone', 'joan@example.com'));
  const alone = await ended('cart-alone');
  const [sent] = await opened.shop.ledgerOf(alone.id);
  const waitedMs = (sent?.claimedAt ?? 0) - (sent?.dueAt ?? 0);
  expect(waitedMs).toBeGreaterThanOrEqual(2_700);
  expect(waitedMs).toBeLessThan(40_000);
  expect(mailTo('joan@example.com')).toHaveLength(1);
  expect(mailTo('joan@example.com')[0]?.raw.toString()).toContain('The template says this');
  await set({ modelApproval: false });
});
