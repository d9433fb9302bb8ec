import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { riskModels } from '../../db/schema/index.ts';
import { chanceOf } from '../../domain/risk/logistic.ts';
import { qualityOf } from '../../domain/risk/quality.ts';
import { buildDashboard } from '../../local/dashboard.ts';
import { pages } from '../../web/shell/pages.ts';
import { asOwner } from '../helpers/database.ts';
import { chromiumArgs, chromiumPath, keepSiteOpen } from '../helpers/screenshot.ts';
import { openShop, type Shop } from '../helpers/shop.ts';
import { ask } from './left-carts.ts';

// What every page shows where it has nothing, where the API fails, and where there is no connection: page after page in one tab, without loading it anew.

const hasBrowser = existsSync(chromiumPath);
const title = hasBrowser ? 'every page' : `every page: SKIPPED, there is no ${chromiumPath} (apt-get install chromium, or set CHROMIUM_PATH)`;
const origin = 'http://rekindle.example.com';
const password = 'correct horse battery';

/** The pages of the menu, and those behind them. */
const paths = [
  ...pages.map(({ to }) => to.replace('/$store', '')),
  ...['/sequences/cart', '/sequences/cart/edit', '/sequences/cart/rehearse', `/people/${randomUUID()}`, `/leads/${randomUUID()}`],
  `/campaigns/${randomUUID()}`,
];

/** What a new store shows. The pages that are missing here have something from the beginning. */
const emptyTexts: Readonly<Record<string, string>> = {
  '': 'Nothing has been due yet',
  '/sequences/cart': 'Nobody has begun in these days',
  '/people': 'Nobody yet',
  '/leads': 'No lead yet',
  '/campaigns': 'No campaign',
  '/messages': 'No message',
  '/offers': 'No offer',
  '/tasks': 'Nothing to do',
  '/why-not': 'Nothing was kept back in these days',
  '/experiments': 'Nothing is compared yet',
  '/learning': 'Nothing is suggested',
  '/risk': 'No account is assessed yet',
  '/operations': 'Nothing is stuck',
  '/notifications': 'Nobody is told',
};

describe.skipIf(!hasBrowser)(title, () => {
  let shop: Shop;
  let browser: Browser;
  let context: BrowserContext;

  beforeAll(async () => {
    await buildDashboard();
    shop = await openShop({ timeScale: 1 });
    const { port } = new URL(await shop.app.listen({ host: '127.0.0.1', port: 0 }));
    const args = [...chromiumArgs, `--host-resolver-rules=MAP rekindle.example.com:80 127.0.0.1:${port}`];
    browser = await chromium.launch({ executablePath: chromiumPath, args, headless: true });
    context = await browser.newContext({ reducedMotion: 'reduce' });
    context.setDefaultTimeout(60_000);
    const { body } = await ask(shop, shop.tenant.apiKey, '/api/invitations', 'POST', { email: 'owner@example.com', role: 'owner' });
    const token = new URL((body as { url: string }).url).hash.slice(1);
    await shop.app.inject({ method: 'POST', url: '/api/session/invitation/accept', payload: { token, name: 'Owner', password } });
    const page = await context.newPage();
    await page.goto(`${origin}/app`);
    await page.getByLabel('Email address').fill('owner@example.com');
    await page.getByLabel('Password').fill(password);
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Today', exact: true }).waitFor();
    await page.close();
    await keepSiteOpen(context, origin);
  });
  afterAll(async () => {
    await browser?.close();
    await shop?.close();
  });

  async function open(path = ''): Promise<Page> {
    const page = await context.newPage();
    await page.goto(`${origin}/app/${shop.tenant.slug}${path}`);
    await page.getByRole('navigation', { name: 'Pages' }).waitFor();
    return page;
  }
  /** As a link of the page would. */
  const goTo = (page: Page, path: string) => page.evaluate(`history.pushState({}, '', ${JSON.stringify(`/app/${shop.tenant.slug}${path}`)})`);
  const main = (page: Page) => page.getByRole('main');
  const nothingIsLoading = (page: Page, path: string) =>
    expect.poll(() => main(page).getByText('Loading', { exact: true }).count(), { message: `${path}: nothing is loading`, timeout: 60_000 }).toBe(0);

  test('says what is empty', async () => {
    const page = await open();
    for (const path of paths.filter((one) => !/[0-9a-f]{8}-/.test(one))) {
      await goTo(page, path);
      await main(page).getByRole('heading', { level: 1 }).first().waitFor();
      const words = emptyTexts[path];
      if (words !== undefined) await main(page).getByText(words, { exact: true }).first().waitFor();
      await nothingIsLoading(page, path);
      expect(await main(page).getByRole('button', { name: 'Try again' }).count(), `${path}: no fault`).toBe(0);
    }
    await page.close();
  });

  test('says what the API answers where it fails, and asks again when it is told to', async () => {
    const page = await open();
    await page.route(/\/api\/(?!session)/, (route) =>
      route.fulfill({
        status: 500,
        contentType: 'application/problem+json',
        body: JSON.stringify({ type: 'about:blank', title: 'Internal error', status: 500, code: 'internal', detail: 'The disk is full.' }),
      }),
    );
    await page.reload();
    for (const path of paths) {
      await goTo(page, path);
      const name = pages.find(({ to }) => to === `/$store${path}`)?.name;
      if (name !== undefined) await main(page).getByRole('heading', { name, exact: true }).waitFor();
      const fault = main(page).getByRole('alert').filter({ hasText: 'The disk is full.' });
      await fault.getByRole('button', { name: 'Try again' }).first().waitFor();
      await nothingIsLoading(page, path);
    }
    await goTo(page, '/tasks');
    const again = main(page).getByRole('button', { name: 'Try again' });
    await again.waitFor();
    await page.unroute(/\/api\/(?!session)/);
    await again.click();
    await main(page).getByText('Nothing to do', { exact: true }).waitFor();
    await page.close();
  });

  test('says that there is no connection, and loads what is missing once it is back', async () => {
    const page = await open();
    await main(page).getByRole('heading', { name: 'Today', exact: true }).waitFor();
    await context.setOffline(true);
    for (const path of paths.filter((one) => one !== '')) {
      await goTo(page, path);
      await main(page).getByText('You are offline', { exact: true }).first().waitFor();
      expect(await page.getByText(/^Not connected/).count(), `${path}: the menu says so, too`).toBe(1);
    }
    await goTo(page, '/people');
    await main(page).getByText('You are offline', { exact: true }).waitFor();
    await context.setOffline(false);
    await main(page).getByText('Nobody yet', { exact: true }).waitFor();
    await goTo(page, '');
    await main(page).getByText('Nothing has been due yet', { exact: true }).waitFor();
    await page.close();
  });

  test('decisions are saved as CSV, and nothing in them is computed by a spreadsheet', async () => {
    const page = await open();
    const about = { kind: 'normal_wait', verdict: 'defer', reason: 'quiet_hours', subject_kind: 'cart', count: 1 };
    const row = { ...about, day: '2026-03-10', sequence: 'cart', step: 'email_2h' };
    const decision = { id: randomUUID(), contact: randomUUID(), at: '2026-03-10T10:00:00Z', step: '=1+1', sequence: 'cart', until: null, gates: [] };
    for (const [path, json] of [
      [/\/api\/explain\/summary/, { time_zone: 'UTC', rows: [row], reasons: [{ ...about, sentence: 'It is night.' }], not_begun: [] }],
      [/\/api\/decisions/, { data: [{ ...decision, sentence: '@SUM(A1)' }], nextCursor: null }],
    ] as const)
      await page.route(path, (route) => route.fulfill({ json }));
    await goTo(page, '/why-not?reason=quiet_hours');
    const [file] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: 'Save as CSV' }).click()]);
    expect(file.suggestedFilename()).toBe(`${shop.tenant.slug}-decisions-quiet_hours.csv`);
    expect(await text(await file.createReadStream())).toContain(`,'=1+1,cart,,[],'@SUM(A1)\r\n`);
    await page.close();
  });

  test('people who come in are in the list at once', async () => {
    const page = await open('/people');
    await page.getByText('Nobody yet', { exact: true }).waitFor();
    await page.getByText(/^Live/).waitFor();
    await leave('told', 'Told', 'AtOnce');
    // Without the event it would be asked for a minute later.
    await page.getByRole('link', { name: /^Told AtOnce/ }).waitFor({ timeout: 50_000 });
    await page.close();
  });

  test('the river says why people ended, and a reason lists them', async () => {
    for (const [id, reason] of [
      ['out-1', 'opted_out'],
      ['out-2', 'opted_out'],
      ['by-hand', 'manual'],
    ] as const) {
      await leave(id, id, 'Gone');
      await asOwner(
        shop.database.url,
        `update enrollments set status = 'EXITED', stop_reason = $2, activated_at = now(), ended_at = now() where id = $1`,
        [(await shop.enrollmentOf(`cart-${id}`))?.id, reason],
      );
    }
    const page = await open('/sequences/cart');
    const why = page.getByRole('region', { name: 'Why they ended' });
    await why.getByRole('button', { name: '2 opted out' }).waitFor();
    // Both before a message, so beside that stretch.
    await page.getByRole('button', { name: '2 opted out' }).first().press('Enter');
    await page.getByRole('link', { name: 'out-2 Gone' }).waitFor();
    await page.getByRole('link', { name: 'by-hand Gone' }).waitFor({ state: 'hidden' });
    expect(new URL(page.url()).searchParams.get('step')).toBe('-');
    await page.getByRole('button', { name: 'Only: opted out, before any message' }).waitFor();
    await why.getByRole('button', { name: '1 manual' }).press('Enter');
    await page.getByRole('link', { name: 'by-hand Gone' }).waitFor();
    await page.getByRole('link', { name: 'out-1 Gone' }).waitFor({ state: 'hidden' });
    expect(new URL(page.url()).searchParams.get('reason')).toBe('manual');
    await page.getByRole('button', { name: /^Only: manual/ }).click();
    await page.getByRole('link', { name: 'out-1 Gone' }).waitFor();
    await page.close();
  });

  test('what a model foretold stands beside what came of it', async () => {
    const logits = Array.from({ length: 500 }, (_, index) => (index - 250) / 60);
    const quality = qualityOf(
      logits.map(chanceOf),
      logits.map((logit, index) => chanceOf(logit) > ((index * 37) % 100) / 100),
    );
    const model = { model: { kind: 'logistic', terms: [], slopes: [], intercept: 0 }, calibration: { slope: 1, intercept: 0 } };
    await shop.deps.db.withTenant(shop.tenant.tenantId, (tx) =>
      tx.insert(riskModels).values({
        ...{ tenantId: shop.tenant.tenantId, id: randomUUID(), version: 1, prediction: { what: 'no_purchase', withinDays: 60 }, role: 'champion' },
        ...{ name: 'logistic', model: model as never, quality, examples: 2_500, lost: 1_250 },
      }),
    );
    const page = await open('/risk');
    await page.getByRole('img', { name: 'In 10 of 10 groups as many left as foretold, as far as that is certain.' }).waitFor();
    const figures = page.getByRole('region', { name: 'Foretold and what came of it, in figures' });
    expect(await figures.getByRole('row').count()).toBe(11);
    await page.close();
  });

  test('courses to compare and what ends a test are chosen by the form', async () => {
    const page = await open('/sequences/cart/edit?step=email_24h');
    await page.getByRole('button', { name: 'Add a condition' }).click();
    await page
      .getByLabel(/^Condition \d+: what$/)
      .last()
      .selectOption('arm');
    await page
      .getByLabel(/^Condition \d+: value$/)
      .last()
      .fill('short');
    await page.getByRole('button', { name: 'Settings', exact: true }).click();
    await page.getByLabel('Courses that are compared by chance').fill('short 2, long');
    await page.getByRole('button', { name: 'Save the draft' }).click();
    await page.getByText('not saved', { exact: true }).waitFor({ state: 'hidden' });
    const form = await ask(shop, shop.tenant.apiKey, '/api/sequences/cart/form');
    expect(form.body).toMatchObject({ said: { arms: [{ id: 'short', weight: 2 }, { id: 'long' }] } });
    await goTo(page, '/settings');
    await page.getByLabel('A variant that does harm is taken out', { exact: false }).uncheck();
    await page.getByLabel('Late messages', { exact: false }).fill('45');
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByText(/^Changed/).waitFor();
    const settings = await ask(shop, shop.tenant.apiKey, '/api/settings');
    expect(settings.body).toMatchObject({ settings: { guardrailsStop: false, catchUpPerMinute: 45 } });
    await page.close();
  });

  const leave = (id: string, first: string, last: string) =>
    shop.post('cart.updated', {
      cart: { id: `cart-${id}`, currency: 'EUR', total: '10.00', items: [], restore_url: 'https://shop.example.com/cart' },
      contact: { id, email: `${id}@example.com`, first_name: first, last_name: last },
    });
});
