import { sql } from 'drizzle-orm';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { readAnalytics } from '../../operations/read/analytics.ts';
import { readNews } from '../../operations/read/live-stories.ts';
import { aCart, letTimePass, openShop, type Shop } from '../helpers/shop.ts';
import { ask, leaveCart, sendFirstMail } from './left-carts.ts';

// Scanners that call themselves a browser: too soon after the send, or several links at once. Recorded, not counted, until a sign of life.

const minuteMs = 60_000;
const browser = 'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0 Safari/537.36';
const otherBrowser =
  'Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1';

let shop: Shop;
beforeAll(async () => {
  shop = await openShop({ timeScale: 1 });
});
afterAll(() => shop.close());

interface Mail {
  enrollmentId: string;
  messageId: string;
  cartId: string;
  email: string;
  open: string;
  click: string;
  unsubscribe: string;
}
let mail: Mail;
let count = 0;
/** An email that has just been sent. */
beforeEach(async () => {
  count += 1;
  const [cartId, email] = [`cart-${count}`, `shopper-${count}@example.com`];
  const enrollmentId = await leaveCart(shop, cartId, email);
  mail = { enrollmentId, cartId, email, ...(await sendFirstMail(shop, enrollmentId)) };
});

const get = (path: string, agent = browser) => shop.app.inject({ url: path, headers: { 'user-agent': agent } });
const follow = (agent?: string) => get(`/c/${mail.click}`, agent);
const openUnsubscribe = (agent?: string) => get(`/u/${mail.unsubscribe}`, agent);
const row = async () => {
  const found = (await shop.ledgerOf(mail.enrollmentId)).find((m) => m.id === mail.messageId);
  return { opened: found?.openedAt != null, clicked: found?.clickedAt != null };
};
const reports = async () => {
  const { rows } = await shop.deps.db.withTenant(shop.tenant.tenantId, (tx) =>
    tx.execute<{ type: string; machine: boolean; suspected: string | null }>(
      sql`select type, machine, data ->> 'suspected' as suspected from message_events where message_id = ${mail.messageId} order by occurred_at, id`,
    ),
  );
  return rows.map((r) => [r.type, ...(r.machine ? ['machine'] : []), ...(r.suspected === null ? [] : [r.suspected])].join(' '));
};
const sentences = async (): Promise<string[]> => {
  const { body } = await ask(shop, shop.tenant.apiKey, `/api/enrollments/${mail.enrollmentId}/explain`);
  return (body as { entries: { sentence: string }[] }).entries.map((e) => e.sentence);
};
const backInTheCart = (inMs: number) => shop.post('cart.updated', aCart(mail.cartId, mail.email), { at: Date.now() + inMs });
const nothing = { opened: false, clicked: false };
const followed = { opened: true, clicked: true };

describe('a click right after the send', () => {
  test('leads to the cart, and is recorded as suspected; nothing counts it', async () => {
    const before = await readAnalytics(shop.deps, shop.tenant.tenantId, 1);
    const response = await follow();
    expect([response.statusCode, response.headers.location]).toEqual([302, `https://shop.example.com/restore/${mail.cartId}`]);
    expect(await row()).toEqual(nothing);
    expect(await reports()).toEqual(['clicked machine soon_after_send']);
    expect(await readAnalytics(shop.deps, shop.tenant.tenantId, 1)).toEqual({ ...before, toMs: expect.any(Number) as unknown });
    expect((await sentences()).at(-1)).toBe(
      'email_2h: clicked, so soon after it was sent that it may be a scanner; it counts only if the shopper shows life afterwards.',
    );
  });

  test('is a person’s once the shopper is back in the cart', async () => {
    await follow();
    await backInTheCart(1_000);
    expect(await row()).toEqual(followed);
    expect(await sentences()).toContain(
      'The shopper followed the link in email_2h: it might have been a scanner, but activity on the cart soon after shows that it was a person.',
    );
  });

  test('that is a person’s after all is news for the live page once, by the order of ids', async () => {
    await follow();
    const sinceMs = Date.now();
    await backInTheCart(1_000);
    const tenant = { ...shop.tenant, id: shop.tenant.tenantId, name: 'Test Store', timeScale: 1, synthetic: true };
    const { rows } = await shop.deps.db.withTenant(shop.tenant.tenantId, (tx) =>
      tx.execute<{ id: string }>(sql`select id from enrollment_events where type = 'message.clicked' and enrollment_id = ${mail.enrollmentId}`),
    );
    const id = rows[0]?.id ?? '';
    expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    const newsSince = async (ms: number) => (await readNews(shop.deps, tenant, { sinceMs: ms, told: new Set(), limit: 25 })).eventIds;
    expect(await newsSince(sinceMs - 1_000)).toContain(id);
    expect(await newsSince(Date.now() + 1_000)).toEqual([]);
  });

  test.each([
    [
      'an order',
      5 * 60,
      () => shop.post('order.placed', { order: { id: `o-${mail.cartId}`, currency: 'EUR', total: '1.00' }, contact: { email: mail.email } }),
    ],
    ['a reply', 5 * 60, () => shop.post('message.received', { contact: { email: mail.email }, channel: 'email', text: 'Is it still there?' })],
    ['a second click', 2, () => follow()],
  ] as const)('is a person’s after %s', async (_what, minutesLater, happens) => {
    await follow();
    await letTimePass(shop, minutesLater * minuteMs);
    expect(await row()).toEqual(nothing);
    await happens();
    expect(await row()).toEqual(followed);
  });

  test.each([
    ['activity an hour later', 60, () => backInTheCart(0)],
    [
      'an order two days later',
      48 * 60,
      () => shop.post('order.placed', { order: { id: `o-${mail.cartId}`, currency: 'EUR', total: '1.00' }, contact: { email: mail.email } }),
    ],
    ['another shopper’s activity', 1, () => shop.post('cart.updated', aCart('somebody-else', 'somebody-else@example.com'))],
    ['a second click at once', 0, () => follow(otherBrowser)],
    ['a program’s click', 5, () => follow('Barracuda Sentinel (EE)')],
  ] as const)('stays suspected after %s', async (_what, minutesLater, happens) => {
    await follow();
    await letTimePass(shop, minutesLater * minuteMs);
    await happens();
    expect(await row()).toEqual(nothing);
  });

  test('does not become a person’s by what the shopper did before it', async () => {
    await backInTheCart(0);
    await letTimePass(shop, minuteMs / 6);
    await follow();
    expect(await row()).toEqual(nothing);
  });
});

describe('several links at once', () => {
  beforeEach(() => letTimePass(shop, 20 * minuteMs));

  test('do not count as a person’s: the second is suspected, and the first is withdrawn', async () => {
    await follow();
    expect(await row()).toEqual(followed);
    await openUnsubscribe(otherBrowser);
    expect(await row()).toEqual(nothing);
    expect(await reports()).toEqual(['clicked', 'unsubscribe_opened machine several_links']);
    expect(await sentences()).toContain('The click in email_2h is not counted: another link of it was followed within seconds, as scanners do.');
    await backInTheCart(1_000);
    expect(await row()).toEqual(followed);
  });

  test('are so in either order, and when one of them is followed by a program that says so', async () => {
    expect((await openUnsubscribe('Barracuda Sentinel (EE)')).statusCode).toBe(200);
    await follow();
    expect(await reports()).toEqual(['unsubscribe_opened machine', 'clicked machine several_links']);
    expect(await row()).toEqual(nothing);
  });

  test('are found when they come in the same instant', async () => {
    for (let round = 0; round < 8; round += 1) {
      await Promise.all(round % 2 === 0 ? [follow(), openUnsubscribe()] : [openUnsubscribe(), follow()]);
      expect(await row()).toEqual(nothing);
      await letTimePass(shop, minuteMs);
    }
  });

  test('leave an open that was before them', async () => {
    await get(`/o/${mail.open}`);
    await letTimePass(shop, minuteMs);
    await follow();
    await openUnsubscribe();
    expect(await row()).toEqual({ opened: true, clicked: false });
  });

  test('leave a click of an hour before', async () => {
    await follow();
    await letTimePass(shop, 60 * minuteMs);
    await Promise.all([follow(), openUnsubscribe()]);
    expect(await row()).toEqual(followed);
  });

  test('are not a picture and a click, nor one link twice, nor a minute apart', async () => {
    await get(`/o/${mail.open}`);
    await Promise.all([follow(), follow()]);
    expect(await row()).toEqual(followed);
    await letTimePass(shop, minuteMs);
    await openUnsubscribe();
    expect(await row()).toEqual(followed);
    expect(await reports()).toEqual(['opened', 'clicked', 'clicked', 'unsubscribe_opened']);
  });
});

test('a picture that is fetched right after the send is suspected too, until a sign of life', async () => {
  await get(`/o/${mail.open}`);
  expect(await reports()).toEqual(['opened machine soon_after_send']);
  expect(await row()).toEqual(nothing);
  await letTimePass(shop, minuteMs);
  await backInTheCart(0);
  expect(await row()).toEqual({ opened: true, clicked: false });
  expect(await sentences()).toContain('The shopper opened email_2h, as activity on the cart soon after shows.');
});

test('HEAD counts for nothing, whenever it comes', async () => {
  await letTimePass(shop, 20 * minuteMs);
  for (const path of [`/c/${mail.click}`, `/o/${mail.open}`])
    await shop.app.inject({ method: 'HEAD', url: path, headers: { 'user-agent': browser } });
  expect(await row()).toEqual(nothing);
  expect(await reports()).toEqual(['clicked machine', 'opened machine']);
});

test('a suspected click is no proof that a message in doubt was accepted; a sign of life afterwards is', async () => {
  const state = async () => (await shop.ledgerOf(mail.enrollmentId)).find((m) => m.id === mail.messageId)?.state;
  await shop.deps.db.withTenant(shop.tenant.tenantId, (tx) => tx.execute(sql`update messages set state = 'unknown' where id = ${mail.messageId}`));
  await follow();
  expect(await state()).toBe('unknown');
  await backInTheCart(1_000);
  expect(await state()).toBe('sent');
});
