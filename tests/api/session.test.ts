import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { asOwner } from '../helpers/database.ts';
import { type IdentityProvider, startIdentityProvider } from '../helpers/identity-provider.ts';
import { openShop, type Shop } from '../helpers/shop.ts';
import { anotherStore, ask, type Method } from './left-carts.ts';

// People who sign in: docs/rules.md#rule-94

let provider: IdentityProvider;
let shop: Shop;
let other: { tenantId: string; apiKey: string };
beforeAll(async () => {
  provider = await startIdentityProvider();
  shop = await openShop({ timeScale: 1, oidc: provider.options, installationKey });
  other = await anotherStore(shop, 'other-store');
});
afterAll(async () => {
  await shop.close();
  await provider.close();
});

let made = 0;
/** A browser: it keeps cookies, and says where its pages come from. */
class Browser {
  cookies = new Map<string, string>();
  origin = 'http://rekindle.example.com';
  /** Each has an address of its own: attempts are counted by address, too. */
  readonly #address = `198.51.${100 + (++made >> 8)}.${made & 255}`;

  async ask(url: string, method: Method = 'GET', payload?: Record<string, unknown>, headers: Record<string, string> = {}) {
    const response = await shop.app.inject({
      ...{ method, url, remoteAddress: this.#address },
      headers: {
        ...(this.cookies.size === 0 ? {} : { cookie: [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; ') }),
        ...(method === 'GET' ? {} : { origin: this.origin, 'sec-fetch-site': 'same-origin', 'sec-fetch-mode': 'cors' }),
        ...headers,
      },
      ...(payload === undefined ? {} : { payload }),
    });
    for (const { name, value, maxAge } of response.cookies) {
      if (maxAge === 0 || value === '') this.cookies.delete(name);
      else this.cookies.set(name, value);
    }
    const body = response.headers['content-type']?.toString().includes('json') === true ? response.json<Record<string, unknown>>() : {};
    return { status: response.statusCode, headers: response.headers, body };
  }

  signIn = (email: string, password: string) => this.ask('/api/session', 'POST', { email, password });
}

/** The one number that a query of the owner gives. */
async function count(query: string): Promise<number> {
  const owner = new pg.Client({ connectionString: shop.database.url });
  await owner.connect();
  try {
    return Number((await owner.query<{ n: string }>(`select count(*) as n from ${query}`)).rows[0]?.n);
  } finally {
    await owner.end();
  }
}

const installationKey = 'an-installation-key-of-thirty-two-characters';
const password = 'correct horse battery';
const invite = async (email: string, role: string, apiKey = shop.tenant.apiKey) => {
  const { status, body } = await ask(shop, apiKey, '/api/invitations', 'POST', { email, role });
  expect(status).toBe(201);
  const { id, url } = body as { id: string; url: string };
  const token = url.split('#')[1] ?? '';
  return { id, token };
};
/** Somebody with an account, signed in. */
const join = async (email: string, role: string, apiKey?: string): Promise<Browser> => {
  const browser = new Browser();
  const { token } = await invite(email, role, apiKey);
  const { status } = await browser.ask('/api/session/invitation/accept', 'POST', { token, name: 'An Example', password });
  expect(status).toBe(200);
  return browser;
};
const storesOf = async (browser: Browser) => ((await browser.ask('/api/session')).body['stores'] as { slug: string; role: string }[]) ?? [];

describe('an invitation', () => {
  test('leads to an account that is signed in, and opens once', async () => {
    const { token } = await invite('Ada@Example.com', 'editor');
    const browser = new Browser();
    expect((await browser.ask('/api/session/invitation', 'POST', { token })).body).toMatchObject({
      ...{ store: 'Test Store', email: 'ada@example.com', role: 'editor', has_account: false },
    });
    const accepted = await browser.ask('/api/session/invitation/accept', 'POST', { token, name: 'Ada Example', password });
    expect(accepted.body).toMatchObject({ person: { name: 'Ada Example' }, store: { slug: shop.tenant.slug, role: 'editor' } });
    expect(await storesOf(browser)).toMatchObject([{ slug: shop.tenant.slug, role: 'editor' }]);
    const again = await new Browser().ask('/api/session/invitation/accept', 'POST', { token, name: 'Eve', password });
    expect(again).toMatchObject({ status: 404, body: { code: 'unusable_link' } });
    const { body } = await ask(shop, shop.tenant.apiKey, '/api/members');
    expect((body as { data: unknown[] }).data).toContainEqual(
      expect.objectContaining({ email: 'ada@example.com', name: 'Ada Example', role: 'editor' }),
    );
  });

  test('of somebody with an account is accepted by them alone', async () => {
    const bob = await join('bob@example.com', 'viewer');
    const { token } = await invite('bob@example.com', 'admin', other.apiKey);
    const eve = await join('eve@example.com', 'viewer');
    expect(await new Browser().ask('/api/session/invitation/accept', 'POST', { token, name: 'Eve', password })).toMatchObject({
      ...{ status: 409, body: { code: 'sign_in_first' } },
    });
    expect(await eve.ask('/api/session/invitation/accept', 'POST', { token })).toMatchObject({ status: 409, body: { code: 'another_person' } });
    expect((await bob.ask('/api/session/invitation/accept', 'POST', { token })).status).toBe(200);
    expect(await storesOf(bob)).toMatchObject([
      { slug: 'other-store', role: 'admin' },
      { slug: shop.tenant.slug, role: 'viewer' },
    ]);
  });

  test('opens nothing once it is revoked, replaced or expired', async () => {
    const first = await invite('carl@example.com', 'owner');
    const second = await invite('carl@example.com', 'viewer');
    const third = await invite('cleo@example.com', 'viewer');
    expect((await ask(shop, shop.tenant.apiKey, `/api/invitations/${third.id}`, 'DELETE')).status).toBe(204);
    const preview = async (token: string) => (await new Browser().ask('/api/session/invitation', 'POST', { token })).status;
    expect(await Promise.all([first, second, third].map(({ token }) => preview(token)))).toEqual([404, 200, 404]);
    await asOwner(shop.database.url, `update invitations set expires_at = now() where id = '${second.id}'`);
    expect(await preview(second.token)).toBe(404);
    expect((await ask(shop, other.apiKey, `/api/invitations/${second.id}`, 'DELETE')).status).toBe(404);
  });

  test('that many accept at once makes one account', async () => {
    const { token } = await invite('race@example.com', 'agent');
    const answers = await Promise.all(
      Array.from({ length: 5 }, () => new Browser().ask('/api/session/invitation/accept', 'POST', { token, name: 'Race', password })),
    );
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(await count(`identity.users where email = 'race@example.com'`)).toBe(1);
  });
});

describe('a session', () => {
  test('is opened by the right password, and its cookie is for our own pages alone', async () => {
    await join('dora@example.com', 'viewer');
    const browser = new Browser();
    expect(await browser.signIn('dora@example.com', 'wrong password')).toMatchObject({ status: 401, body: { code: 'wrong_credentials' } });
    expect(await browser.signIn('nobody@example.com', 'wrong password')).toMatchObject({ status: 401, body: { code: 'wrong_credentials' } });
    const answer = await browser.signIn('DORA@example.com', password);
    expect(answer.status).toBe(200);
    expect(String(answer.headers['set-cookie'])).toMatch(/HttpOnly/i);
    expect(String(answer.headers['set-cookie'])).toMatch(/SameSite=Lax/i);
    expect(answer.headers['cache-control']).toBe('no-store');
    expect((await browser.ask('/api/enrollments')).status).toBe(200);
    expect((await browser.ask('/api/session', 'DELETE')).status).toBe(204);
    expect((await browser.ask('/api/session')).status).toBe(401);
  });

  test('that is over opens nothing, also for whoever kept its cookie', async () => {
    const browser = await join('emil@example.com', 'viewer');
    const kept = new Browser();
    kept.cookies = new Map(browser.cookies);
    await browser.ask('/api/session', 'DELETE');
    expect(await kept.ask('/api/enrollments')).toMatchObject({ status: 401, body: { code: 'no_session' } });
    const forged = new Browser();
    forged.cookies.set('rekindle.session_token', 'x'.repeat(32));
    expect((await forged.ask('/api/enrollments')).status).toBe(401);
  });

  test('may do what the role may, says whose change it was, and ends with the membership', async () => {
    const admin = await join('finn@example.com', 'admin');
    expect(await admin.ask('/api/keys')).toMatchObject({ status: 403, body: { code: 'forbidden' } });
    expect((await admin.ask('/api/settings', 'PATCH', { settings: { storeName: 'Juniper & Fold' } })).status).toBe(200);
    const { id } = (await admin.ask('/api/session')).body['person'] as { id: string };
    expect(await count(`settings_versions where changed_by = 'person:${id}'`)).toBe(1);
    expect((await ask(shop, shop.tenant.apiKey, `/api/members/${id}`, 'PATCH', { role: 'viewer' })).status).toBe(204);
    expect((await admin.ask('/api/settings', 'PATCH', { settings: { storeName: 'Fold & Juniper' } })).status).toBe(403);
    expect((await ask(shop, other.apiKey, `/api/members/${id}`, 'DELETE')).status).toBe(404);
    expect((await ask(shop, shop.tenant.apiKey, `/api/members/${id}`, 'DELETE')).status).toBe(204);
    expect(await admin.ask('/api/enrollments')).toMatchObject({ status: 400, body: { code: 'store_needed' } });
  });

  test('with several stores edits what it has seen in the store that it names', async () => {
    const both = await join('two-stores@example.com', 'admin');
    const { token } = await invite('two-stores@example.com', 'admin', other.apiKey);
    await both.ask('/api/session/invitation/accept', 'POST', { token });
    const store = { 'rekindle-store': other.tenantId };
    const seen = String((await both.ask('/api/settings', 'GET', undefined, store)).headers['etag']);
    const change = { settings: { lowStockAt: 11 } };
    expect((await both.ask('/api/settings', 'PATCH', change, { ...store, 'if-match': seen })).status).toBe(200);
    expect((await both.ask('/api/settings', 'PATCH', change, { ...store, 'if-match': seen })).status).toBe(412);
  });

  test('with several stores names one, and two tabs never mix', async () => {
    const gina = await join('gina@example.com', 'viewer');
    const { token } = await invite('gina@example.com', 'editor', other.apiKey);
    await gina.ask('/api/session/invitation/accept', 'POST', { token });
    expect(await gina.ask('/api/members')).toMatchObject({ status: 400, body: { code: 'store_needed' } });
    const membersOf = async (store: string) =>
      (await gina.ask('/api/members', 'GET', undefined, { 'rekindle-store': store })).body['data'] as { email: string }[];
    const [here, there] = await Promise.all([membersOf(shop.tenant.slug), membersOf(other.tenantId)]);
    expect(here.some(({ email }) => email === 'ada@example.com')).toBe(true);
    expect(there.some(({ email }) => email === 'ada@example.com')).toBe(false);
    const third = await anotherStore(shop, 'third-store');
    expect(await gina.ask('/api/members', 'GET', undefined, { 'rekindle-store': third.tenantId })).toMatchObject({
      ...{ status: 403, body: { code: 'not_a_member' } },
    });
  });

  test('is no use to pages of other sites', async () => {
    const owner = await join('hugo@example.com', 'owner');
    owner.origin = 'https://evil.example.net';
    for (const [url, method, body] of [
      ['/api/invitations', 'POST', { email: 'evil@example.net', role: 'owner' }],
      ['/api/session/password', 'PUT', { current: password, next: 'another password' }],
      ['/api/session', 'DELETE', {}],
    ] as const)
      expect(await owner.ask(url, method, body), url).toMatchObject({ status: 403, body: { code: 'foreign_page' } });
    expect(
      await new Browser().ask('/api/session', 'POST', { email: 'hugo@example.com', password }, { origin: 'https://evil.example.net' }),
    ).toMatchObject({
      status: 403,
    });
    owner.origin = 'http://rekindle.example.com';
    expect((await owner.ask('/api/session')).status).toBe(200);
  });

  test('is one of several, which its person sees and ends', async () => {
    const first = await join('ines@example.com', 'viewer');
    const second = new Browser();
    await second.signIn('ines@example.com', password);
    const open = (await first.ask('/api/session/open')).body['data'] as { id: string; current: boolean }[];
    expect(open).toHaveLength(2);
    const another = open.find(({ current }) => !current)?.id ?? '';
    const stranger = await join('jan@example.com', 'viewer');
    expect((await stranger.ask(`/api/session/open/${another}`, 'DELETE')).status).toBe(404);
    expect((await first.ask(`/api/session/open/${another}`, 'DELETE')).status).toBe(204);
    expect((await second.ask('/api/session')).status).toBe(401);
    expect((await first.ask('/api/session')).status).toBe(200);
  });

  test('of other browsers ends with a new password', async () => {
    const first = await join('kira@example.com', 'viewer');
    const second = new Browser();
    await second.signIn('kira@example.com', password);
    expect(await first.ask('/api/session/password', 'PUT', { current: 'not the one', next: 'another password' })).toMatchObject({
      ...{ status: 409, body: { code: 'wrong_password' } },
    });
    expect((await first.ask('/api/session/password', 'PUT', { current: password, next: 'another password' })).status).toBe(204);
    expect((await second.ask('/api/session')).status).toBe(401);
    expect((await first.ask('/api/session')).status).toBe(200);
    expect((await second.signIn('kira@example.com', 'another password')).status).toBe(200);
  });
});

describe('guessing', () => {
  test('an address is closed after ten wrong passwords, wherever they come from, and others are not', async () => {
    await join('lara@example.com', 'viewer');
    await join('mona@example.com', 'viewer');
    const tries = Array.from({ length: 11 }, (_, n) => `203.0.113.${n}`);
    const guess = (remoteAddress: string) =>
      shop.app.inject({ method: 'POST', url: '/api/session', remoteAddress, payload: { email: 'lara@example.com', password: 'not the one' } });
    const statuses = (await Promise.all(tries.map(guess))).map(({ statusCode }) => statusCode).toSorted((a, b) => a - b);
    expect(statuses).toEqual([...Array.from({ length: 10 }, () => 401), 429]);
    const closed = await new Browser().signIn('lara@example.com', password);
    expect(closed).toMatchObject({ status: 429, body: { code: 'too_many_attempts' } });
    expect(Number(closed.headers['retry-after'])).toBeGreaterThan(0);
    expect((await new Browser().signIn('mona@example.com', password)).status).toBe(200);
    await asOwner(shop.database.url, `update identity.sign_in_failures set since = now() - interval '16 minutes'`);
    expect((await new Browser().signIn('lara@example.com', password)).status).toBe(200);
  });
});

test('a session that was stolen finds out no password: after ten wrong ones its change is closed', async () => {
  const browser = await join('lena@example.com', 'viewer');
  const change = (current: string) => browser.ask('/api/session/password', 'PUT', { current, next: 'another password' });
  for (let tries = 0; tries < 10; tries += 1) expect((await change(`guess number ${tries}`)).status).toBe(409);
  expect(await change(password)).toMatchObject({ status: 429, body: { code: 'too_many_attempts' } });
  // Signing in is counted apart.
  expect((await new Browser().signIn('lena@example.com', password)).status).toBe(200);
});

describe('the last owner', () => {
  test('stays, however many ask at once', async () => {
    const store = await anotherStore(shop, 'owned-store');
    const people = await Promise.all(['nina', 'olaf'].map((name) => join(`${name}@example.com`, 'owner', store.apiKey)));
    const ids = await Promise.all(people.map(async (one) => ((await one.ask('/api/session')).body['person'] as { id: string }).id));
    const answers = await Promise.all(ids.map((id) => ask(shop, store.apiKey, `/api/members/${id}`, 'PATCH', { role: 'viewer' })));
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([204, 409]);
    expect(await count(`members where tenant_id = '${store.tenantId}' and role = 'owner'`)).toBe(1);
  });
});

describe('an identity provider', () => {
  const account = (email: string, email_verified = true) => ({ sub: `sub-${email}`, email, email_verified, name: 'Petra Example' });
  async function through(browser: Browser, email: string, verified = true) {
    const begun = await browser.ask('/api/session/oidc', 'POST', { return_to: '/orders' });
    expect(begun.status).toBe(200);
    const back = new URL(provider.consent(String(begun.body['url']), account(email, verified)));
    expect(back.pathname).toBe('/auth/callback/oidc');
    return browser.ask(back.pathname + back.search);
  }

  test('lets in who is invited, and makes their account', async () => {
    const { token } = await invite('petra@example.com', 'admin');
    const browser = new Browser();
    const answer = await through(browser, 'petra@example.com');
    expect(answer).toMatchObject({ status: 302, headers: { location: 'http://rekindle.example.com/orders' } });
    expect((await browser.ask('/api/session')).body).toMatchObject({ person: { email: 'petra@example.com', email_verified: true }, stores: [] });
    expect((await browser.ask('/api/session/invitation/accept', 'POST', { token })).status).toBe(200);
    expect(await storesOf(browser)).toMatchObject([{ role: 'admin' }]);
    const later = new Browser();
    await through(later, 'petra@example.com');
    expect(await storesOf(later)).toMatchObject([{ role: 'admin' }]);
  });

  test('lets in nobody else, and joins no account whose address is unproven', async () => {
    const browser = new Browser();
    const { headers } = await through(browser, 'quentin@example.com');
    expect(String(headers['location'])).toMatch(/\/sign-in\?error=/);
    expect((await browser.ask('/api/session')).status).toBe(401);
    await join('rosa@example.com', 'viewer');
    const hijack = new Browser();
    await through(hijack, 'rosa@example.com');
    expect((await hijack.ask('/api/session')).status).toBe(401);
  });

  test('is not believed without the browser that began', async () => {
    await invite('sven@example.com', 'viewer');
    const begun = await new Browser().ask('/api/session/oidc', 'POST', {});
    const back = new URL(provider.consent(String(begun.body['url']), account('sven@example.com')));
    const stranger = new Browser();
    await stranger.ask(back.pathname + back.search);
    expect((await stranger.ask('/api/session')).status).toBe(401);
  });

  test('sends the browser back to our own pages alone', async () => {
    for (const return_to of ['https://evil.example.net', '//evil.example.net', '/\\evil.example.net'])
      expect((await new Browser().ask('/api/session/oidc', 'POST', { return_to })).status).toBe(400);
  });
});

describe('whoever runs the installation', () => {
  const byKey = (url: string, email: string, key = installationKey) => ask(shop, key, url, 'POST', { email });

  test('gives a link to a new password, which opens once and ends the sessions', async () => {
    const before = await join('tina@example.com', 'viewer');
    expect((await byKey('/api/people/password-link', 'tina@example.com', shop.tenant.apiKey)).status, 'an owner of a store may not').toBe(401);
    expect(await byKey('/api/people/password-link', 'nobody@example.com')).toMatchObject({ status: 404, body: { code: 'unknown_person' } });
    const { url } = (await byKey('/api/people/password-link', 'Tina@example.com')).body as { url: string };
    const link = { token: url.split('#')[1] ?? '', password: 'a new password' };
    const browser = new Browser();
    expect((await browser.ask('/api/session/password-link', 'POST', link)).status).toBe(204);
    expect(await browser.ask('/api/session/password-link', 'POST', link)).toMatchObject({ status: 404, body: { code: 'unusable_link' } });
    expect((await before.ask('/api/session')).status).toBe(401);
    expect((await browser.signIn('tina@example.com', password)).status).toBe(401);
    expect((await browser.signIn('tina@example.com', 'a new password')).status).toBe(200);
  });

  test('removes an account, with its sessions and memberships', async () => {
    const browser = await join('uwe@example.com', 'editor');
    expect((await byKey('/api/people/remove', 'uwe@example.com')).status).toBe(204);
    expect((await browser.ask('/api/enrollments')).status).toBe(401);
    expect((await new Browser().signIn('uwe@example.com', password)).status).toBe(401);
    expect(await count(`members m where not exists (select from identity.users u where u.id = m.user_id)`)).toBe(0);
    expect(await byKey('/api/people/remove', 'uwe@example.com')).toMatchObject({ status: 404, body: { code: 'unknown_person' } });
    const again = await join('uwe@example.com', 'viewer');
    expect(await storesOf(again)).toMatchObject([{ role: 'viewer' }]);
  });
});

test('other addresses of the library are closed', async () => {
  const browser = new Browser();
  for (const path of ['/auth/sign-up/email', '/auth/sign-in/email', '/auth/get-session', '/auth/delete-user', '/auth/error'])
    for (const method of ['GET', 'POST'] as const)
      expect((await browser.ask(path, method, method === 'POST' ? {} : undefined)).status, path).toBe(404);
});

test('the application’s role reads no account, and the role of accounts reads no store', async () => {
  await expect(asOwner(shop.database.url, 'set role rekindle_app; select * from identity.users')).rejects.toMatchObject({ code: '42501' });
  await expect(asOwner(shop.database.url, 'set role rekindle_identity; select * from contacts')).rejects.toMatchObject({ code: '42501' });
});
