import { randomUUID } from 'node:crypto';
import { eq } from 'drizzle-orm';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { auditLog, enrollments, outbox } from '../../db/schema/index.ts';
import { publishYaml } from '../helpers/publish-yaml.ts';
import { asOwner } from '../helpers/database.ts';
import { aCart, letTimePass, openShop, type Shop } from '../helpers/shop.ts';
import { anotherStore, ask, dispatch, leaveCart, sendFirstMail } from './left-carts.ts';

// Starts by hand: which rules they may overrule, which not, and that a repeated request starts nothing twice.

let shop: Shop;
let other: { tenantId: string; apiKey: string };
beforeAll(async () => {
  shop = await openShop({ timeScale: 1 });
  other = await anotherStore(shop, 'other-store');
});
afterAll(() => shop.close());

interface Started {
  status: number;
  body: { id: string; code?: string; enrollment?: string; detail: string };
}
async function post(url: string, payload: Record<string, unknown> | undefined, key?: string, apiKey = shop.tenant.apiKey): Promise<Started> {
  const headers = { authorization: `Bearer ${apiKey}`, ...(key === undefined ? {} : { 'idempotency-key': key }) };
  const response = await shop.app.inject({ method: 'POST', url, headers, ...(payload === undefined ? {} : { payload }) });
  return { status: response.statusCode, body: response.json() };
}
const again = (id: string, payload?: Record<string, unknown>, key?: string) => post(`/api/enrollments/${id}/re-enroll`, payload, key);
const stop = (id: string) => ask(shop, shop.tenant.apiKey, `/recovery/sequences/${id}/stop?reason=test`, 'POST');
const about = (subject: string) =>
  shop.deps.db.withTenant(shop.tenant.tenantId, (tx) => tx.select().from(enrollments).where(eq(enrollments.subjectId, subject)));
async function endedAfterFirstMail(cart: string): Promise<string> {
  const id = await leaveCart(shop, cart, `${cart}@example.com`);
  await sendFirstMail(shop, id);
  await stop(id);
  return id;
}

describe('re-enrolling', () => {
  test('begins a new enrollment whose steps count from now, and sends again what the earlier one had sent', async () => {
    const before = await endedAfterFirstMail('cart-again');
    const { status, body } = await again(before, { note: 'she asked for it on the phone' });
    expect(status).toBe(201);
    expect(body).toMatchObject({ status: 'ACTIVE', ended_at: null, last_step: null });
    expect(body.id).not.toBe(before);
    const entries = await shop.deps.db.withTenant(shop.tenant.tenantId, (tx) => tx.select().from(outbox).where(eq(outbox.enrollmentId, body.id)));
    expect(entries.map((e) => e.kind)).toEqual(['start']);

    const { anchorAt } = (await about((await shop.enrollmentOf('cart-again'))?.subjectId ?? '')).find((e) => e.id === body.id) ?? {};
    expect(Math.abs((anchorAt ?? 0) - shop.deps.clock.nowMs())).toBeLessThan(60_000);
    await letTimePass(shop, 3_601_000);
    await dispatch(shop, body.id, 'popup_1h');
    // Two messages keep three hours apart, whichever enrollment they are of.
    await letTimePass(shop, 3 * 3_601_000);
    await dispatch(shop, body.id, 'email_2h');
    const sent = (await shop.ledgerOf(body.id)).find((m) => m.stepId === 'email_2h');
    expect(sent).toMatchObject({ state: 'sent' });
  });

  test('says in the story and in the audit log who did it, and why', async () => {
    const before = await endedAfterFirstMail('cart-audit');
    const { body } = await again(before, { note: 'asked on the phone' });
    const story = (await ask(shop, shop.tenant.apiKey, `/api/enrollments/${body.id}/explain`)).body as {
      entries: { type?: string; sentence: string }[];
    };
    expect(story.entries.find((e) => e.type === 'enrolled')?.sentence).toMatch(
      /^A person took the cart \(.*\) into the sequence by hand \(api_key:[\w-]+\), after an earlier run that had ended; version 1\.$/,
    );
    const [entry] = await shop.deps.db.withTenant(shop.tenant.tenantId, (tx) => tx.select().from(auditLog).where(eq(auditLog.subject, body.id)));
    expect(entry).toMatchObject({
      action: 'enrollment.start',
      actor: expect.stringMatching(/^api_key:/) as unknown,
      data: { sequence: 'cart', note: 'asked on the phone' },
    });
  });

  test('twice starts nothing twice: with a key it answers the same, without one it says what runs', async () => {
    const before = await endedAfterFirstMail('cart-twice');
    const key = randomUUID();
    const first = await again(before, undefined, key);
    expect(first.status).toBe(201);
    expect(await again(before, undefined, key)).toEqual(first);
    expect(await again(before)).toMatchObject({ status: 409, body: { code: 'already_running', enrollment: first.body.id } });
    // A request that is repeated long after: the enrollment that it made has ended, and no other is made.
    await stop(first.body.id);
    await asOwner(shop.database.url, 'update keyed_requests set kept_until = now() where key = $1', [key]);
    expect(await again(before, undefined, key)).toMatchObject({ status: 200, body: { id: first.body.id, status: 'EXITED' } });
    const elsewhere = await endedAfterFirstMail('cart-other-key');
    expect(await again(elsewhere, undefined, key)).toMatchObject({ status: 422, body: { code: 'idempotency_key_reused' } });
  });

  test('by many at once begins one', async () => {
    const before = await endedAfterFirstMail('cart-race');
    const key = randomUUID();
    const answers = await Promise.all([...Array(4)].flatMap(() => [again(before, undefined, key), again(before)]));
    const made = answers.filter((a) => a.status === 201);
    // Who repeats it after its end gets the first answer again.
    expect(new Set(made.map(({ body }) => body.id)).size).toBe(1);
    for (const a of answers) expect([200, 201, 409], JSON.stringify(a.body)).toContain(a.status);
    const subject = (await shop.enrollmentOf('cart-race'))?.subjectId ?? '';
    expect(await about(subject)).toHaveLength(2);
    const withKey = answers.filter((_, n) => n % 2 === 0).filter((a) => a.status !== 409);
    expect(new Set(withKey.map((a) => a.body.id)).size).toBeLessThanOrEqual(1);
  });
});

describe('a start by hand is refused', () => {
  test('of a cart that was bought, or whose shopper has ordered since', async () => {
    const bought = await endedAfterFirstMail('cart-bought');
    await shop.post('order.placed', { order: { id: 'o-1', currency: 'EUR', total: '9.00' }, cart_id: 'cart-bought' });
    expect(await again(bought)).toMatchObject({ status: 409, body: { code: 'bought', detail: 'The cart was bought.' } });
    const elsewhere = await endedAfterFirstMail('cart-since');
    await shop.post('order.placed', { order: { id: 'o-2', currency: 'EUR', total: '9.00' }, contact: { email: 'cart-since@example.com' } });
    expect(await again(elsewhere)).toMatchObject({
      status: 409,
      body: { code: 'bought', detail: expect.stringContaining('ordered since') as unknown },
    });
  });

  test.each([
    ['all', false, 'opted_out'],
    ['email', false, 'opted_out'],
    ['all', true, 'do_not_contact'],
  ])('after an opt-out of %s (final: %s): %s', async (channel, final, code) => {
    const cart = `cart-out-${channel}-${final}`;
    const id = await endedAfterFirstMail(cart);
    await shop.post('contact.opted_out', { contact: { email: `${cart}@example.com` }, channel, final });
    expect(await again(id)).toMatchObject({ status: 409, body: { code } });
    expect(await shop.enrollmentOf(cart)).toMatchObject({ id });
  });

  test('where the address has bounced', async () => {
    const id = await endedAfterFirstMail('cart-bounced');
    const addressHash = shop.deps.sealing.addressHash(shop.tenant.tenantId, 'email', 'cart-bounced@example.com');
    await shop.deps.db.withTenant(shop.tenant.tenantId, (tx) =>
      tx.execute(`insert into suppressions (tenant_id, id, address_hash, channel, reason, since)
        values ('${shop.tenant.tenantId}', gen_random_uuid(), '${addressHash}', 'email', 'hard_bounce', now())`),
    );
    expect(await again(id)).toMatchObject({ status: 409, body: { code: 'suppressed' } });
  });

  test('where the person is in the sequence about another cart: nothing gives way', async () => {
    const first = await endedAfterFirstMail('cart-old');
    await shop.post('cart.updated', aCart('cart-newer', 'cart-old@example.com'));
    const running = await shop.enrollmentOf('cart-newer');
    expect(await again(first)).toMatchObject({ status: 409, body: { code: 'another_running', enrollment: running?.id } });
    expect(await shop.enrollmentOf('cart-newer')).toMatchObject({ endedAt: null });
  });

  test('of what is unknown, of another store, or cannot be meant', async () => {
    const id = await endedAfterFirstMail('cart-foreign');
    expect(await post(`/api/enrollments/${id}/re-enroll`, {}, undefined, other.apiKey)).toMatchObject({
      status: 404,
      body: { code: 'unknown_enrollment' },
    });
    expect(await post('/api/enrollments', { subject_id: 'cart-foreign' }, undefined, other.apiKey)).toMatchObject({
      status: 404,
      body: { code: 'unknown_subject' },
    });
    expect(await again('nonsense')).toMatchObject({ status: 404 });
    for (const body of [{}, { email: 'ada' }, { email: 'a@example.com', phone: '+436601234567' }, { emial: 'a@example.com' }]) {
      expect(await post('/api/enrollments', body), JSON.stringify(body)).toMatchObject({ status: 400, body: { code: 'invalid_request' } });
    }
    expect(await post('/api/enrollments', { subject_id: 'cart-foreign', sequence: 'nosuch' })).toMatchObject({
      status: 409,
      body: { code: 'no_sequence', detail: 'There is no sequence nosuch.' },
    });
    expect(await post('/api/enrollments', { subject_id: 'cart-foreign', sequence: 'lead-nurture' })).toMatchObject({
      status: 409,
      body: { code: 'no_sequence', detail: 'The sequence lead-nurture is about something else than the cart.' },
    });
  });
});

test('a sequence is started for somebody who was never in one, by their address', async () => {
  await shop.post('cart.updated', aCart('cart-quiet', 'quiet@example.com', { updated_at: new Date(Date.now() - 40 * 86_400_000).toISOString() }));
  const before = await shop.enrollmentOf('cart-quiet');
  if (before !== null) await stop(before.id);
  expect(await post('/api/enrollments', { email: 'Quiet@Example.com', sequence: 'cart' })).toMatchObject({ status: 201, body: { status: 'ACTIVE' } });
});

test('a manual sequence begins only where somebody names it', async () => {
  await publishYaml(
    shop,
    'sequence: vip\nname: A personal offer\non: manual\nabout: cart\nsteps:\n  - { id: offer, at: 1h, channel: email, content: cart/offer }\n',
  );
  await shop.post('cart.updated', aCart('cart-manual', 'manual@example.com'));
  const begun = await about((await shop.enrollmentOf('cart-manual'))?.subjectId ?? '');
  expect(begun).toHaveLength(1);
  const byName = await post('/api/enrollments', { email: 'manual@example.com', sequence: 'vip' });
  expect(byName).toMatchObject({ status: 201, body: { status: 'ACTIVE' } });
  await letTimePass(shop, 3_601_000);
  await dispatch(shop, byName.body.id, 'offer');
  expect(await shop.ledgerOf(byName.body.id)).toMatchObject([{ stepId: 'offer', state: 'sent' }]);
  // Without a name it is the sequence that such a cart starts.
  await stop(begun[0]?.id ?? '');
  const unnamed = await post('/api/enrollments', { email: 'manual@example.com' });
  expect(unnamed).toMatchObject({ status: 201 });
  expect((await about(begun[0]?.subjectId ?? '')).find((e) => e.id === unnamed.body.id)?.sequenceId).toBe(begun[0]?.sequenceId);
});
