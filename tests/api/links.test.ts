import { sql } from 'drizzle-orm';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Checkpoint } from '../../operations/deps.ts';
import { letTimePass, openShop, type Shop } from '../helpers/shop.ts';
import { dispatch, leaveCart, sendFirstMail } from './left-carts.ts';

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const browser = 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0 Safari/537.36';
const oneClick = { payload: 'List-Unsubscribe=One-Click', headers: { 'content-type': 'application/x-www-form-urlencoded' } };
let shop: Shop;
/** Where the next dispatch is held, until it is let go. */
const hold: { at: Checkpoint | null; reached: () => void; released: Promise<void> } = {
  at: null,
  reached: () => undefined,
  released: Promise.resolve(),
};
beforeAll(async () => {
  shop = await openShop({
    timeScale: 1,
    settings: { storeName: 'Lamp & Co' },
    checkpoints: async (point) => {
      if (point !== hold.at) return;
      hold.at = null;
      hold.reached();
      await hold.released;
    },
  });
});
afterAll(() => shop.close());

let count = 0;
const newMail = async () => {
  count += 1;
  const enrollmentId = await leaveCart(shop, `cart-${count}`, `shopper-${count}@example.com`);
  const mail = await sendFirstMail(shop, enrollmentId);
  // An open right after the send would count as a scanner's.
  await letTimePass(shop, minuteMs * 10);
  return { enrollmentId, cartId: `cart-${count}`, email: `shopper-${count}@example.com`, ...mail };
};
const get = (url: string, agent = browser, more: Record<string, string> = {}) => shop.app.inject({ url, headers: { 'user-agent': agent, ...more } });
const reports = async (messageId: string) => {
  const { rows } = await shop.deps.db.withTenant(shop.tenant.tenantId, (tx) =>
    tx.execute<{ type: string; machine: boolean }>(
      sql`select type, machine from message_events where message_id = ${messageId} order by occurred_at, id`,
    ),
  );
  return rows.map((r) => `${r.type}${r.machine ? ' by a machine' : ''}`);
};
const rowOf = async (enrollmentId: string) => (await shop.ledgerOf(enrollmentId)).find((m) => m.stepId === 'email_2h');

describe('the picture', () => {
  test('records an open and is never cached', async () => {
    const mail = await newMail();
    const response = await get(`/o/${mail.open}`);
    expect(response.statusCode).toBe(200);
    expect(response.headers['content-type']).toBe('image/gif');
    expect(response.headers['cache-control']).toContain('no-store');
    expect(response.rawPayload.subarray(0, 6).toString()).toBe('GIF89a');
    expect(await reports(mail.messageId)).toEqual(['opened']);
    expect((await rowOf(mail.enrollmentId))?.openedAt).not.toBeNull();
  });

  test.each([
    ['a bot', 'Googlebot/2.1 (+http://www.google.com/bot.html)', {}],
    ['Apple’s privacy proxy', 'Mozilla/5.0', {}],
    ['nobody who gives a name', '', {}],
    ['a prefetch', browser, { 'sec-purpose': 'prefetch' }],
  ])('fetched by %s counts as a machine’s open', async (_who, agent, headers) => {
    const mail = await newMail();
    expect((await get(`/o/${mail.open}`, agent, headers)).statusCode).toBe(200);
    expect(await reports(mail.messageId)).toEqual(['opened by a machine']);
    expect((await rowOf(mail.enrollmentId))?.openedAt).toBeNull();
  });

  test('fetched through the proxy of the reader’s own email page counts as an open', async () => {
    const mail = await newMail();
    await get(`/o/${mail.open}`, 'Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)');
    expect(await reports(mail.messageId)).toEqual(['opened']);
  });

  test('is answered for a token that is not ours, and with the database away', async () => {
    for (const token of ['nonsense', 'x'.repeat(64), '%00', 'a'.repeat(90)]) {
      const response = await get(`/o/${token}`);
      expect([response.statusCode, response.headers['content-type']], token).toEqual([200, 'image/gif']);
    }
    const mail = await newMail();
    const withTenant = shop.deps.db.withTenant;
    shop.deps.db.withTenant = () => Promise.reject(Object.assign(new Error('connect'), { code: 'ECONNREFUSED' }));
    const [picture, click] = [await get(`/o/${mail.open}`), await get(`/c/${mail.click}`)];
    shop.deps.db.withTenant = withTenant;
    expect([picture.statusCode, picture.headers['content-type']]).toEqual([200, 'image/gif']);
    expect([click.statusCode, click.headers['retry-after'], click.headers['content-type']]).toEqual([503, '2', 'text/html; charset=utf-8']);
  });
});

describe('the way back', () => {
  test('leads to the restore link and records the click, which is an open too', async () => {
    const mail = await newMail();
    const response = await get(`/c/${mail.click}`);
    expect(response.statusCode).toBe(302);
    expect(response.headers.location).toBe(`https://shop.example.com/restore/${mail.cartId}`);
    expect(response.headers['cache-control']).toContain('no-store');
    expect(await rowOf(mail.enrollmentId)).toMatchObject({ openedAt: expect.any(Number) as unknown, clickedAt: expect.any(Number) as unknown });
  });

  test('HEAD and scanners are led there as well, and counted as machines', async () => {
    const mail = await newMail();
    const head = await shop.app.inject({ method: 'HEAD', url: `/c/${mail.click}`, headers: { 'user-agent': browser } });
    expect(head.statusCode).toBe(302);
    expect((await get(`/c/${mail.click}`, 'Barracuda Sentinel (EE)')).statusCode).toBe(302);
    expect(await reports(mail.messageId)).toEqual(['clicked by a machine', 'clicked by a machine']);
    expect((await rowOf(mail.enrollmentId))?.clickedAt).toBeNull();
  });

  test('with a token that is not ours answers 404 with a small page', async () => {
    const response = await get('/c/nonsense');
    expect(response.statusCode).toBe(404);
    expect(response.headers['content-type']).toContain('text/html');
    expect(response.body).toContain('leads nowhere');
  });

  test('redirects nowhere else, whatever is added to it', async () => {
    const mail = await newMail();
    const response = await get(`/c/${mail.click}?to=https://evil.example.com&url=//evil.example.com`);
    expect(response.headers.location).toBe(`https://shop.example.com/restore/${mail.cartId}`);
  });

  test('a link that is used over and over is slowed down, others are not', async () => {
    const mail = await newMail();
    let last = await get(`/c/${mail.click}`);
    for (let n = 0; n < 70; n++) last = await get(`/c/${mail.click}?n=${n}`);
    expect(last.statusCode).toBe(429);
    expect(Number(last.headers['retry-after'])).toBeGreaterThan(0);
    expect((await reports(mail.messageId)).length).toBeLessThanOrEqual(60);
    const other = await newMail();
    expect((await get(`/c/${other.click}`)).statusCode).toBe(302);
  });

  test('requested under many spellings of its address is one link', async () => {
    const mail = await newMail();
    const spell = (n: number) => mail.click.replaceAll(/./g, (c, at: number) => ((n >> (at % 7)) & 1 ? `%${c.charCodeAt(0).toString(16)}` : c));
    const answers: number[] = [];
    for (let n = 0; n < 70; n++) answers.push((await get(`/c/${spell(n)}`)).statusCode);
    expect(answers.slice(0, 60).every((status) => status === 302)).toBe(true);
    expect(answers.slice(60)).toEqual(Array.from({ length: 10 }, () => 429));
  });
});

test('a token works for its purpose alone', async () => {
  const { open, click, unsubscribe, messageId } = await newMail();
  for (const token of [click, unsubscribe]) await get(`/o/${token}`);
  for (const token of [open, unsubscribe]) expect((await get(`/c/${token}`)).statusCode).toBe(404);
  for (const token of [open, click]) {
    expect((await get(`/u/${token}`)).statusCode).toBe(404);
    expect((await shop.app.inject({ method: 'POST', url: `/u/${token}`, ...oneClick })).statusCode).toBe(404);
  }
  expect(await reports(messageId)).toEqual([]);
});

describe('unsubscribing', () => {
  const post = (token: string, more: { payload?: string; headers?: Record<string, string> } = oneClick) =>
    shop.app.inject({ method: 'POST', url: `/u/${token}`, ...more });

  test('GET shows a button and does nothing, however often it is fetched', async () => {
    const mail = await newMail();
    for (const agent of [browser, 'Googlebot/2.1', '']) {
      const response = await get(`/u/${mail.unsubscribe}`, agent);
      expect(response.statusCode).toBe(200);
      expect(response.body).toMatch(/<form method="post">[\s\S]*<button>/);
      expect(response.body).toContain('Lamp &amp; Co');
      expect(response.headers['set-cookie']).toBeUndefined();
    }
    expect((await shop.enrollmentOf(mail.cartId))?.endedAt).toBeNull();
  });

  test('POST needs no cookie, ends the sequence, and no later email goes out', async () => {
    const mail = await newMail();
    const response = await post(mail.unsubscribe);
    expect(response.statusCode).toBe(200);
    expect(response.body).toContain('You are unsubscribed');
    expect(await shop.enrollmentOf(mail.cartId)).toMatchObject({ status: 'EXITED', stopReason: 'opted_out' });
    await letTimePass(shop, 24 * hourMs);
    await dispatch(shop, mail.enrollmentId, 'email_24h');
    expect(shop.smtp.accepted.filter((m) => m.envelope.to.includes(mail.email))).toHaveLength(1);
    expect((await post(mail.unsubscribe)).statusCode, 'a repeat').toBe(200);
  });

  test.each([
    [
      'multipart',
      {
        payload: '--b\r\ncontent-disposition: form-data; name="List-Unsubscribe"\r\n\r\nOne-Click\r\n--b--\r\n',
        headers: { 'content-type': 'multipart/form-data; boundary=b' },
      },
    ],
    ['nothing in it', {}],
  ])('POST with %s works as well', async (_what, body) => {
    const mail = await newMail();
    expect((await post(mail.unsubscribe, body)).statusCode).toBe(200);
    expect((await shop.enrollmentOf(mail.cartId))?.stopReason).toBe('opted_out');
  });

  test('while an email to the shopper is leaving, the answer waits for it', async () => {
    const mail = await newMail();
    await letTimePass(shop, 22 * hourMs + 1_000);
    let release: () => void = () => undefined;
    hold.released = new Promise((resolve) => (release = resolve));
    const reached = new Promise<void>((resolve) => (hold.reached = resolve));
    hold.at = 'dispatch.claimed';
    const dispatching = dispatch(shop, mail.enrollmentId, 'email_24h');
    await reached;
    const busy = await post(mail.unsubscribe);
    expect(busy.statusCode).toBe(503);
    expect(busy.headers['retry-after']).toBe('1');
    expect(busy.body).toContain('once more');
    // The stop itself is written: only its confirmation waits.
    expect((await shop.enrollmentOf(mail.cartId))?.stopReason).toBe('opted_out');
    release();
    await dispatching;
    expect((await post(mail.unsubscribe)).statusCode).toBe(200);
  });

  test('with a token that is not ours, or too much in it, nothing happens', async () => {
    expect((await post('nonsense')).statusCode).toBe(404);
    const mail = await newMail();
    expect((await post(mail.unsubscribe, { ...oneClick, payload: 'x'.repeat(20_000) })).statusCode).toBe(413);
    expect((await shop.enrollmentOf(mail.cartId))?.endedAt).toBeNull();
  });
});

test('pages for shoppers run and load nothing that they do not carry themselves', async () => {
  const mail = await newMail();
  const first = await get(`/u/${mail.unsubscribe}`);
  const second = await get(`/u/${mail.unsubscribe}`);
  const policy = String(first.headers['content-security-policy']);
  expect(policy).toContain("default-src 'none'");
  expect(policy).toContain("frame-ancestors 'none'");
  const nonce = /style-src 'nonce-([^']+)'/.exec(policy)?.[1] ?? '';
  expect(first.body).toContain(`<style nonce="${nonce}">`);
  expect(second.body).not.toContain(nonce);
  expect(first.body).not.toMatch(/\son\w+=|javascript:|<script|style="/i);
  expect(first.headers).toMatchObject({
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'no-referrer',
    'x-frame-options': 'DENY',
    'cache-control': 'no-store',
  });
});

test('wrong tokens are answered 429 after a while', async () => {
  let last = await get('/c/guess-0');
  for (let n = 1; n < 40; n++) last = await get(`/c/guess-${n}`);
  expect(last.statusCode).toBe(429);
  const mail = await newMail();
  expect((await get(`/c/${mail.click}`)).statusCode, 'a good link from the same address').toBe(302);
});
