import PostalMime from 'postal-mime';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openShop, type Shop, until } from '../helpers/shop.ts';
import { ask } from './left-carts.ts';

// Links for people by email: docs/rules.md#rule-109

let shop: Shop;
let bare: Shop;
beforeAll(async () => {
  [shop, bare] = await Promise.all([
    openShop({ timeScale: 1, mailFrom: { name: 'Rekindle', address: 'team@rekindle.example.com' } }),
    openShop({ timeScale: 1 }),
  ]);
});
afterAll(() => Promise.all([shop.close(), bare.close()]));

type Body = Record<string, unknown>;
const invite = (to: string, more: Body = {}, at = shop) =>
  ask(at, at.tenant.apiKey, '/api/invitations', 'POST', { email: to, role: 'agent', ...more });
let asked = 0;
const post = (url: string, payload: Body, at = shop, headers: Record<string, string> = {}) =>
  at.app.inject({
    method: 'POST',
    url,
    payload,
    remoteAddress: `198.51.100.${++asked}`,
    headers: { origin: 'http://rekindle.example.com', ...headers },
  });
const mailsTo = (address: string, at = shop) => at.smtp.accepted.filter(({ envelope }) => envelope.to.includes(address));
const linkIn = async (mail: { raw: Buffer }) =>
  /http:\/\/rekindle\.example\.com\/[\w-]+#[\w-]+/.exec((await PostalMime.parse(mail.raw)).text ?? '')?.[0] ?? '';

async function join(email: string): Promise<string> {
  const { body } = await invite(email);
  const token = (body as { url: string }).url.split('#')[1] ?? '';
  const accepted = await post('/api/session/invitation/accept', { token, name: 'Ada Example', password: 'correct horse battery' });
  expect(accepted.statusCode).toBe(200);
  const signedIn = await post('/api/session', { email, password: 'correct horse battery' });
  expect(signedIn.statusCode).toBe(200);
  return signedIn.cookies.map(({ name, value }) => `${name}=${value}`).join('; ');
}

describe('an invitation', () => {
  test('comes by email with its link, from the installation where the store has connected nothing', async () => {
    const made = await invite('ada@example.com');
    expect(made).toMatchObject({ status: 201, body: { email: { state: 'sent', detail: null } } });
    const [mail] = mailsTo('ada@example.com');
    if (mail === undefined) throw new Error('no email came');
    const parsed = await PostalMime.parse(mail.raw);
    expect(parsed).toMatchObject({ subject: 'Our store invites you', from: { name: 'Rekindle', address: 'team@rekindle.example.com' } });
    expect(mail.raw.toString('latin1')).not.toMatch(/^List-Unsubscribe/im);
    expect(await linkIn(mail)).toBe((made.body as { url: string }).url);
    expect(await invite('ben@example.com', { send: false })).toMatchObject({ body: { email: { state: 'not_wanted' } } });
    expect(mailsTo('ben@example.com')).toEqual([]);
  });

  test('comes from the store’s own address once it has connected an account; one that could not be sent says so, and has its link', async () => {
    const connected = await ask(shop, shop.tenant.apiKey, '/api/connections', 'POST', {
      integration: 'smtp',
      name: 'Mail',
      config: { url: shop.smtp.url },
    });
    expect(connected.status).toBe(201);
    await ask(shop, shop.tenant.apiKey, '/api/settings', 'PATCH', { settings: { senderName: 'Tea & Tin', senderAddress: 'team@tea.example.com' } });
    await invite('cleo@example.com');
    const [mail] = mailsTo('cleo@example.com');
    expect(mail?.envelope.from).toBe('team@tea.example.com');
    shop.smtp.script({ at: 'mail', act: { reply: '550 not from here' } });
    const failed = await invite('dora@example.com');
    expect(failed).toMatchObject({ status: 201, body: { url: expect.stringContaining('/invitation#') as unknown, email: { state: 'failed' } } });
    const { id } = connected.body as { id: string };
    await ask(shop, shop.tenant.apiKey, `/api/connections/${id}`, 'PATCH', { state: 'disconnected' });
  });

  test('without a sender is made as before, and says that it was not sent', async () => {
    expect(await invite('ada@example.com', {}, bare)).toMatchObject({ status: 201, body: { email: { state: 'not_configured' } } });
    expect(bare.smtp.accepted).toEqual([]);
  });
});

describe('whoever has forgotten their password', () => {
  test('is sent a link that works once, after which every session is over', async () => {
    const cookie = await join('tina@example.com');
    shop.smtp.accepted.length = 0;
    expect((await post('/api/session/forgotten-password', { email: 'Tina@example.com' })).statusCode).toBe(202);
    const mail = await shop.smtp.waitForMail(({ envelope }) => envelope.to.includes('tina@example.com'));
    const link = await linkIn(mail);
    expect(link).toContain('/new-password#');
    const fresh = { token: link.split('#')[1] ?? '', password: 'a new password' };
    expect((await post('/api/session/password-link', fresh)).statusCode).toBe(204);
    expect((await post('/api/session/password-link', fresh)).statusCode).toBe(404);
    expect((await shop.app.inject({ url: '/api/session', headers: { cookie } })).statusCode).toBe(401);
    expect((await post('/api/session', { email: 'tina@example.com', password: 'correct horse battery' })).statusCode).toBe(401);
    expect((await post('/api/session', { email: 'tina@example.com', password: 'a new password' })).statusCode).toBe(200);
  });

  test('gets the same answer where nobody has the address; of one address three links are sent, however often it is asked for', async () => {
    await join('uma@example.com');
    shop.smtp.accepted.length = 0;
    const answers = [];
    for (let n = 0; n < 5; n++) answers.push(await post('/api/session/forgotten-password', { email: 'uma@example.com' }));
    const nobody = await post('/api/session/forgotten-password', { email: 'nobody@example.com' });
    for (const answer of answers) {
      expect([answer.statusCode, answer.body]).toEqual([nobody.statusCode, nobody.body]);
      expect(Object.keys(answer.headers).toSorted()).toEqual(Object.keys(nobody.headers).toSorted());
    }
    // What comes after it shows that nothing else is on its way.
    await join('vera@example.com');
    expect((await post('/api/session/forgotten-password', { email: 'vera@example.com' })).statusCode).toBe(202);
    await shop.smtp.waitForMail(({ envelope, raw }) => envelope.to.includes('vera@example.com') && raw.includes('new-password'));
    await until('three emails', () => mailsTo('uma@example.com').length >= 3);
    expect(mailsTo('uma@example.com')).toHaveLength(3);
    expect(mailsTo('nobody@example.com')).toEqual([]);
  });

  test('from a page of another site is sent nothing', async () => {
    shop.smtp.accepted.length = 0;
    const foreign = { origin: 'https://evil.example.net', 'sec-fetch-site': 'cross-site' };
    expect((await post('/api/session/forgotten-password', { email: 'tina@example.com' }, shop, foreign)).statusCode).toBe(403);
    expect(shop.smtp.accepted).toEqual([]);
  });

  test('is told whom to ask where nothing can be sent', async () => {
    expect((await post('/api/session/forgotten-password', { email: 'tina@example.com' }, bare)).json()).toMatchObject({
      status: 409,
      code: 'no_sender',
    });
    expect((await bare.app.inject('/forgotten-password')).body).toContain('sends no emails');
    expect((await bare.app.inject('/sign-in')).body).not.toContain('/forgotten-password');
    expect((await shop.app.inject('/sign-in')).body).toContain('href="/forgotten-password"');
  });
});
