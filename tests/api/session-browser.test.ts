import { existsSync } from 'node:fs';
import axe from 'axe-core';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { chromiumArgs, chromiumPath } from '../helpers/screenshot.ts';
import { type IdentityProvider, startIdentityProvider } from '../helpers/identity-provider.ts';
import { openShop, type Shop } from '../helpers/shop.ts';
import { ask } from './left-carts.ts';

// The pages with which people sign in, in a real browser.

const hasBrowser = existsSync(chromiumPath);
const title = hasBrowser
  ? 'pages to sign in'
  : `pages to sign in: SKIPPED, there is no ${chromiumPath} (apt-get install chromium, or set CHROMIUM_PATH)`;
if (!hasBrowser) console.warn(title);
const origin = 'http://rekindle.example.com';

describe.skipIf(!hasBrowser)(title, () => {
  let shop: Shop;
  let provider: IdentityProvider;
  let browser: Browser;
  const faults: string[] = [];

  beforeAll(async () => {
    provider = await startIdentityProvider();
    shop = await openShop({ timeScale: 1, oidc: provider.options });
    const { port } = new URL(await shop.app.listen({ host: '127.0.0.1', port: 0 }));
    const args = [...chromiumArgs, `--host-resolver-rules=MAP rekindle.example.com:80 127.0.0.1:${port}`];
    browser = await chromium.launch({ executablePath: chromiumPath, args, headless: true });
  });
  afterAll(async () => {
    await browser.close();
    await shop.close();
    await provider.close();
  });

  async function open(path: string): Promise<Page> {
    const page = await (await browser.newContext()).newPage();
    page.on('pageerror', (error) => void faults.push(error.message));
    // What the server refuses is in the console as well, and that a test has no TLS; only what the page does wrong counts.
    const expected = /^Failed to load resource|^The Cross-Origin-Opener-Policy header has been ignored/;
    page.on('console', (line) => void (line.type() === 'error' && !expected.test(line.text()) && faults.push(line.text())));
    await page.goto(`${origin}${path}`);
    return page;
  }
  const invite = async (email: string) => {
    const { body } = await ask(shop, shop.tenant.apiKey, '/api/invitations', 'POST', { email, role: 'editor' });
    return new URL((body as { url: string }).url);
  };
  const check = async (page: Page) => {
    await page.evaluate(axe.source);
    const { violations } = await page.evaluate(() => (globalThis as unknown as { axe: typeof axe }).axe.run());
    expect(violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`)).toEqual([]);
  };
  const heading = (page: Page) => page.locator('h1');
  // What the dashboard shows is tested elsewhere: here it may not be built.
  const inDashboard = (page: Page) => page.waitForURL((url) => /^\/app(\/|$)/.test(url.pathname), { waitUntil: 'commit' });

  test('lead from an invitation to an account, out, and in again', async () => {
    const link = await invite('ada@example.com');
    const page = await open(link.pathname + link.hash);
    await page.getByText('Test Store invites ada@example.com, with the role editor.').waitFor();
    await check(page);
    await page.getByLabel('Your name').fill('Ada Example');
    await page.getByLabel('Password').fill('correct horse battery');
    await page.getByRole('button', { name: 'Accept' }).click();
    await inDashboard(page);
    await page.goto(`${origin}/sign-in`);
    await page.getByText('Test Store: editor').waitFor();
    expect(await heading(page).textContent()).toBe('You are signed in');
    await check(page);
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByLabel('Email address').fill('ada@example.com');
    await page.getByLabel('Password').fill('not the password');
    await page.getByRole('button', { name: 'Sign in', exact: true }).click();
    await page.getByRole('alert').getByText('The email address or the password is not right.').waitFor();
    await check(page);
    await page.getByLabel('Password').fill('correct horse battery');
    await page.keyboard.press('Enter');
    await inDashboard(page);
    expect(faults).toEqual([]);
  });

  test('say that a link is used up', async () => {
    const page = await open('/invitation#inv_nothing');
    await page.getByRole('alert').getByText('This link is used up or has expired. Ask for a new one.').waitFor();
    expect(await page.getByRole('button').count(), 'none of them is of any use').toBe(0);
  });

  test('set a new password', async () => {
    const person = await shop.deps.identity.findByEmail('ada@example.com');
    const page = await open(`/new-password#${await shop.deps.identity.passwordLink(person?.id ?? '')}`);
    await check(page);
    await page.getByLabel('New password').fill('another password');
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByLabel('Email address').fill('ada@example.com');
    await page.getByLabel('Password').fill('another password');
    await page.keyboard.press('Enter');
    await inDashboard(page);
    expect(faults).toEqual([]);
  });

  const throughProvider = (page: Page) =>
    page.route(`${provider.options.issuer}/authorize*`, (route) => {
      const account = { sub: 'petra', email: 'petra@example.com', email_verified: true, name: 'Petra Example' };
      return route.fulfill({ status: 302, headers: { location: provider.consent(route.request().url(), account) } });
    });

  test('tell whoever comes without the link of their invitation what is missing', async () => {
    await invite('petra@example.com');
    const page = await open('/sign-in');
    await throughProvider(page);
    await page.getByRole('button', { name: 'Sign in at your identity provider' }).click();
    await page.getByRole('alert').getByText('No store has let you in yet. Open the link of your invitation').waitFor();
    await check(page);
    expect(faults).toEqual([]);
  });

  test('go by the identity provider, and come back with the invitation', async () => {
    const link = await invite('petra@example.com');
    const page = await open(link.pathname + link.hash);
    await throughProvider(page);
    await page.getByRole('button', { name: 'Sign in at your identity provider' }).click();
    await inDashboard(page);
    await page.goto(`${origin}/sign-in`);
    await page.getByText('Petra Example (petra@example.com)').waitFor();
    await page.getByText('Test Store: editor').waitFor();
    expect(faults).toEqual([]);
  });
});
