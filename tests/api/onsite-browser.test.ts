import { existsSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import axe from 'axe-core';
import { eq } from 'drizzle-orm';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { contactIdentities } from '../../db/schema/index.ts';
import { createConnection } from '../../operations/connections.ts';
import { dispatchStep } from '../../operations/dispatch-step.ts';
import { connectSite, type Site } from '../helpers/a-site.ts';
import { aBrowser } from '../helpers/push-browser.ts';
import { chromiumArgs, wholeChromiumPath } from '../helpers/screenshot.ts';
import { aCart, openShop, type Shop } from '../helpers/shop.ts';

// The script in a real browser, against the real API, on a page whose content security policy allows nothing but it.

const hasBrowser = existsSync(wholeChromiumPath);
const title = hasBrowser
  ? 'the script in a browser'
  : `the script in a browser: SKIPPED, there is no ${wholeChromiumPath} (apt-get install chromium, or set CHROMIUM_PATH)`;
if (!hasBrowser) console.warn(title);

interface Box {
  left: number;
  right: number;
}

describe.skipIf(!hasBrowser)(title, () => {
  let shop: Shop;
  let site: Site;
  let api: string;
  let pages: Server;
  let pageUrl: string;
  let browser: Browser;
  let attributes = '';
  let policies = "'none'";
  let counter = 0;

  beforeAll(async () => {
    shop = await openShop({ timeScale: 1 });
    api = await shop.app.listen({ host: '127.0.0.1', port: 0 });
    pages = createServer((request, response) => {
      if (request.url === '/worker.js')
        return void response.setHeader('content-type', 'text/javascript').end(`importScripts('${api}/onsite/push-worker.js');`);
      response.setHeader('content-type', 'text/html; charset=utf-8');
      response.setHeader(
        'content-security-policy',
        `default-src 'none'; script-src ${api}; connect-src ${api}; style-src 'none'; worker-src 'self'; trusted-types ${policies}; require-trusted-types-for 'script'`,
      );
      response.end(
        `<!doctype html><html lang="en"><title>A shop</title><body><main><h1>A shop</h1><button id="before">Add to cart</button></main>
<script async src="${api}/onsite/rekindle.js" ${attributes}></script></body></html>`,
      );
    });
    await new Promise<void>((done) => pages.listen(0, '127.0.0.1', done));
    pageUrl = `http://127.0.0.1:${(pages.address() as AddressInfo).port}`;
    site = await connectSite(shop, pageUrl);
    browser = await chromium.launch({ executablePath: wholeChromiumPath, args: chromiumArgs, headless: true });
  });
  afterAll(async () => {
    await browser.close();
    pages.closeAllConnections();
    await new Promise((done) => pages.close(done));
    await shop.close();
  });

  const userAgent = 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0 Safari/537.36';

  /** A cart whose pop-up waits for a page view. */
  async function armed(): Promise<{ cart: string; id: string }> {
    const cart = `browser-cart-${++counter}`;
    await shop.post('cart.updated', aCart(cart, `${cart}@example.com`), { at: Date.now() - 70 * 60_000 });
    await site.view(cart);
    const { id = '' } = (await shop.enrollmentOf(cart)) ?? {};
    await dispatchStep(shop.deps, { tenantId: shop.tenant.tenantId, enrollmentId: id, stepId: 'popup_1h' });
    return { cart, id };
  }

  /** Open a page of the shop in a browser of its own. `faults`: whatever it complained about. */
  async function visit(cart: string | null, { more = '', ...options }: BrowserContextOptions & { more?: string } = {}) {
    attributes = `data-key="${site.key}" ${cart === null ? '' : `data-cart="${cart}" data-proof="${site.proofOf(cart)}"`} ${more}`;
    const context = await browser.newContext({ userAgent, viewport: { width: 900, height: 700 }, ...options });
    const page = await context.newPage();
    const faults: string[] = [];
    page.on('console', (message) => message.type() === 'error' && faults.push(message.text()));
    page.on('pageerror', (error) => faults.push(String(error)));
    return { page, context, faults };
  }

  const dialogOf = (page: Page) => page.locator('rekindle-popup dialog');
  /** The value of an expression about `node`, the dialog. */
  const inPopup = <T = string>(page: Page, expression: string) =>
    page.evaluate<T>(`((node) => ${expression})(document.querySelector('rekindle-popup').shadowRoot.querySelector('dialog'))`);
  const openedAt = async (id: string) => (await shop.ledgerOf(id)).find((m) => m.stepId === 'popup_1h')?.openedAt ?? null;
  const axeFindings = async (page: Page) => {
    await page.evaluate(axe.source);
    const { violations } = await page.evaluate<{ violations: { id: string; nodes: { html: string }[] }[] }>('axe.run(document)');
    return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 80)).join(' ')}`);
  };
  const focused = (page: Page) =>
    page.evaluate<string>("(document.activeElement?.shadowRoot?.activeElement ?? document.activeElement)?.tagName ?? ''");

  test('the pop-up is shown once, keeps the focus, closes with Escape, and gives the focus back', async () => {
    const { cart, id } = await armed();
    const { page, context, faults } = await visit(cart);
    await page.goto(pageUrl);
    await dialogOf(page).waitFor();
    expect(await page.getByRole('dialog', { name: 'Still interested in Walnut desk lamp?' }).count()).toBe(1);
    expect(await inPopup(page, "node.getAttribute('aria-describedby')")).toBe('text');
    expect(await focused(page)).toBe('A');
    for (const expected of ['BUTTON', 'A', 'BUTTON']) {
      await page.keyboard.press('Tab');
      expect(await focused(page)).toBe(expected);
    }
    await page.keyboard.press('Shift+Tab');
    await page.keyboard.press('Shift+Tab');
    expect(await focused(page)).toBe('BUTTON');
    expect(await page.getByRole('link', { name: 'Back to my cart' }).getAttribute('href')).toMatch(/^http:\/\/rekindle\.example\.com\/c\/[\w-]{64}$/);
    expect(await axeFindings(page)).toEqual([]);
    await expect.poll(() => openedAt(id)).not.toBeNull();
    await page.keyboard.press('Escape');
    await expect.poll(() => page.locator('rekindle-popup').count()).toBe(0);
    // Nobody pushed anything before: the page has the focus again.
    expect(await focused(page)).toBe('BODY');
    await page.reload();
    await page.locator('#before').click();
    expect(await page.locator('rekindle-popup').count()).toBe(0);
    expect(await context.cookies()).toEqual([]);
    expect(await page.evaluate<number>('localStorage.length + sessionStorage.length')).toBe(0);
    expect(faults).toEqual([]);
    await context.close();
  });

  test('whoever was at a button is there again when it closes', async () => {
    const { cart } = await armed();
    const { page, context } = await visit(null);
    await page.goto(pageUrl);
    await page.locator('#before').focus();
    await page.evaluate(`rekindle.cart(${JSON.stringify(cart)}, ${JSON.stringify(site.proofOf(cart))}); rekindle.view()`);
    await dialogOf(page).waitFor();
    await page.getByRole('button', { name: 'Keep looking' }).click();
    await expect.poll(() => page.evaluate<string>('document.activeElement.id')).toBe('before');
    await context.close();
  });

  test.each([
    { name: 'dark', colorScheme: 'dark' as const },
    { name: 'on a phone', viewport: { width: 320, height: 568 } },
  ])('nothing is wrong with it, $name, right to left, with reduced motion', async ({ name: _name, ...options }) => {
    const { cart } = await armed();
    const { page, context, faults } = await visit(cart, { reducedMotion: 'reduce', ...options });
    await page.route('**/onsite/views', async (route) => {
      const answer = await route.fetch();
      const { popup } = (await answer.json()) as { popup: Record<string, unknown> };
      const words = {
        language: 'fa',
        direction: 'rtl',
        heading: 'هنوز به آن فکر می‌کنید؟',
        text: 'سبد خرید شما همان جایی است که گذاشتید.',
        cta: 'بازگشت به سبد خرید',
        close: 'فعلاً نه',
      };
      await route.fulfill({ response: answer, json: { popup: { ...popup, ...words } } });
    });
    await page.goto(pageUrl);
    await dialogOf(page).waitFor();
    expect(await axeFindings(page)).toEqual([]);
    const boxOf = (selector: string) => `(({ left, right }) => ({ left, right }))(node.querySelector('${selector}').getBoundingClientRect())`;
    const drawn = await inPopup<{ direction: string; animation: string; box: Box; link: Box; button: Box }>(
      page,
      `({ direction: getComputedStyle(node).direction, animation: getComputedStyle(node).animationName,
        box: (({ left, right }) => ({ left, right }))(node.getBoundingClientRect()), link: ${boxOf('a')}, button: ${boxOf('button')} })`,
    );
    expect(drawn).toMatchObject({ direction: 'rtl', animation: 'none' });
    expect(drawn.box.left).toBeGreaterThanOrEqual(0);
    expect(drawn.box.right).toBeLessThanOrEqual(page.viewportSize()?.width ?? 0);
    expect(drawn.link.right).toBeGreaterThanOrEqual(drawn.button.right);
    expect(faults).toEqual([]);
    await context.close();
  });

  test('the store’s colours are custom properties of the page', async () => {
    const { cart } = await armed();
    const { page, context } = await visit(cart);
    await page.goto(pageUrl);
    await page.evaluate("document.documentElement.style.setProperty('--rekindle-accent', 'rgb(120, 20, 60)')");
    await dialogOf(page).waitFor();
    expect(await inPopup(page, "getComputedStyle(node.querySelector('a')).backgroundColor")).toBe('rgb(120, 20, 60)');
    await context.close();
  });

  test('nothing is stored before the visitor agrees where the store asks for it, and nothing after they take it back', async () => {
    const { cart } = await armed();
    const { page, context } = await visit(cart, { more: 'data-remember="consent"' });
    await page.goto(pageUrl);
    await dialogOf(page).waitFor();
    const stored = () => page.evaluate<string | null>("localStorage.getItem('rekindle.cart')");
    expect(await stored()).toBeNull();
    await page.evaluate('rekindle.consent(true)');
    expect(await stored()).toContain(cart);
    await page.evaluate('rekindle.consent(false)');
    expect(await stored()).toBeNull();
    await context.close();
  });

  test('a visitor is asked for notifications when they press something, and reads what comes', async () => {
    const config = { contact: 'mailto:push@example.com' };
    const connection = { integration: 'web-push', name: 'Notifications', config, secrets: [] };
    expect(await createConnection(shop.deps, shop.tenant.tenantId, connection, 'test')).toMatchObject({ kind: 'created' });
    const { cart, id } = await armed();
    policies = 'rekindle';
    const { page, context, faults } = await visit(cart, { more: 'data-worker="/worker.js"' });
    await context.grantPermissions(['notifications']);
    // The browser’s own push service is out of reach: it answers here, and everything else is the browser’s.
    const { subscription } = aBrowser();
    await page.addInitScript(`let given = null;
      const answer = (options) => ({ options, toJSON: () => (${JSON.stringify(subscription)}) });
      PushManager.prototype.subscribe = async (options) => (given = answer(options));
      PushManager.prototype.getSubscription = async () => given;
      window.givenKey = () => given?.options.applicationServerKey ?? null;`);
    let answer = () => {};
    const answered = new Promise<void>((done) => (answer = done));
    await page.route('**/onsite/views', async (route) => {
      await answered;
      await route.continue();
    });
    const viewed = page.waitForRequest('**/onsite/views');
    await page.goto(pageUrl);
    await viewed;
    expect(await page.evaluate('window.givenKey()')).toBeNull();
    // They press before the page view is answered, and with it the key.
    const agreed = page.evaluate('rekindle.notifications()');
    answer();
    expect(await agreed).toBe(true);
    expect(await page.evaluate('window.givenKey()')).toMatch(/^B[\w-]{86}$/);
    const { contactId = '' } = (await shop.enrollmentOf(cart)) ?? {};
    const held = await shop.deps.db.withTenant(shop.tenant.tenantId, (tx) =>
      tx.select().from(contactIdentities).where(eq(contactIdentities.contactId, contactId)),
    );
    expect(held.map(({ kind }) => kind).toSorted()).toEqual(['email', 'push', 'visitor']);
    expect(id).not.toBe('');

    const worker = await context.newCDPSession(page);
    await worker.send('ServiceWorker.enable');
    const found = new Promise<string>((resolve) =>
      worker.on('ServiceWorker.workerRegistrationUpdated', ({ registrations }) => registrations[0] && resolve(registrations[0].registrationId)),
    );
    await worker.send('ServiceWorker.disable');
    await worker.send('ServiceWorker.enable');
    const shown = () =>
      page.evaluate(`navigator.serviceWorker.getRegistration('/worker.js').then((r) => r.getNotifications())
        .then((all) => all.map(({ title, body, dir, lang, tag, data }) => ({ title, body, dir, lang, tag, data })))`);
    const message = { title: 'هنوز اینجاست', text: 'سبد شما آماده است.', url: 'https://r.example/s/1', language: 'fa', direction: 'rtl', tag: 'one' };
    const deliver = async (data: unknown) =>
      worker.send('ServiceWorker.deliverPushMessage', { origin: pageUrl, registrationId: await found, data: JSON.stringify(data) });
    await deliver(message);
    const expected = { title: message.title, body: message.text, dir: 'rtl', lang: 'fa', tag: 'one', data: { rekindle: message.url } };
    await expect.poll(shown).toEqual([expected]);
    // Sent twice, shown once; and what is the store’s own is left to the store.
    await deliver(message);
    await deliver({ hello: 'from the store' });
    await deliver({ ...message, tag: 'two' });
    await expect.poll(shown).toEqual([expected, { ...expected, tag: 'two' }]);
    expect(faults).toEqual([]);
    await context.close();
    policies = "'none'";
  });

  test('titles with markup are text in it, and a link of the cart that is code leads nowhere', async () => {
    const markup = '<img src=x onerror=alert(1)><script>alert(1)</script>';
    const cart = `browser-cart-${++counter}`;
    const items = [{ title: markup, quantity: 1, price: '9.00', product_url: 'javascript:alert(1)' }];
    const left = aCart(cart, `${cart}@example.com`, { items, restore_url: 'javascript:alert(1)' });
    await shop.post('cart.updated', left, { at: Date.now() - 70 * 60_000 });
    await site.view(cart);
    const { id = '' } = (await shop.enrollmentOf(cart)) ?? {};
    await dispatchStep(shop.deps, { tenantId: shop.tenant.tenantId, enrollmentId: id, stepId: 'popup_1h' });
    const { page, context, faults } = await visit(cart);
    await page.goto(pageUrl);
    await dialogOf(page).waitFor();
    expect(await dialogOf(page).textContent()).toContain('<img src=x');
    expect(await inPopup<string[]>(page, "[...node.querySelectorAll('*')].map(({ localName }) => localName)")).not.toContain('img');
    const link = new URL(await inPopup(page, "node.querySelector('a').href"));
    // Behind the link that counts the click: the store.
    const followed = await fetch(api + link.pathname, { redirect: 'manual', headers: { 'user-agent': userAgent } });
    expect([followed.status, followed.headers.get('location')]).toEqual([302, 'https://shop.example.com/']);
    expect(faults).toEqual([]);
    await context.close();
  });

  test('a page is none the worse where we are away, or say something strange', async () => {
    for (const answer of [
      { status: 500, body: 'oops' },
      { status: 200, body: '<html>' },
      { status: 200, body: '{"popup":{}}' },
    ]) {
      const { page, context, faults } = await visit('some-cart');
      await page.route('**/onsite/views', (route) => route.fulfill({ ...answer, headers: { 'access-control-allow-origin': pageUrl } }));
      const answered = page.waitForResponse('**/onsite/views');
      await page.goto(pageUrl);
      await answered;
      await page.locator('#before').click({ force: true });
      expect(faults.filter((fault) => !fault.includes('500'))).toEqual([]);
      await context.close();
    }
  });
});
