import { type BrowserContext, chromium, type Page } from 'playwright-core';
import { freePort } from '../local/ports.ts';
import { loadPresets, publishPresets } from '../operations/publish-presets.ts';
import { buildDashboard } from '../local/dashboard.ts';
import { createClient, unwrap } from '../sdk/index.ts';
import { chromiumArgs, wholeChromiumPath } from '../tests/helpers/screenshot.ts';
import { fillAsleep, fillHistory, placeOf } from './growth/fill.ts';
import { fillLists } from './growth/fill-lists.ts';
import { budgeted, type Measured, quantile } from './measure.ts';
import type { BenchOptions } from './options.ts';
import { openDeps, openTenant } from './shop.ts';
import { asOwner, type BenchStack, endChild } from './stack.ts';

const asleep = 10_000;
const others = 5_000;
const loads = 5;
const email = 'owner@example.com';
const password = 'correct horse battery';

/** What the browser measures by itself (web-vitals: LCP, INP). In the page, so it is a text. */
const observers = `
  window.lcp = 0; window.inp = 0;
  new PerformanceObserver((list) => { for (const entry of list.getEntries()) window.lcp = entry.startTime; }).observe({ type: 'largest-contentful-paint', buffered: true });
  new PerformanceObserver((list) => { for (const entry of list.getEntries()) if (entry.interactionId) window.inp = Math.max(window.inp, entry.duration); }).observe({ type: 'event', buffered: true, durationThreshold: 16 });
`;

/** A page, and something that its reader does there. */
const visits: readonly { path: string; act: (page: Page) => Promise<void> }[] = [
  { path: '', act: (page) => page.getByRole('button', { name: /Recovery rate/ }).click() },
  {
    path: '/people',
    async act(page) {
      await page.getByRole('searchbox').click();
      await page.keyboard.type('shopper-77@example.com');
      await page.keyboard.press('Enter');
      await page.getByText('Found for').waitFor();
    },
  },
  {
    path: '/messages',
    async act(page) {
      await page.locator('[data-row]').nth(3).focus();
      for (let n = 0; n < 5; n++) await page.keyboard.press('ArrowDown');
    },
  },
  { path: '/sequences/cart', act: (page) => page.getByRole('button', { name: '7 days' }).click() },
  { path: '/why-not', act: (page) => page.getByRole('link', { name: 'Today', exact: true }).click() },
  { path: '/operations', act: (page) => page.getByRole('button', { name: 'Practise an outage' }).click() },
];

/**
 * The dashboard in a real browser where a store has a million people: when the largest piece of a page is painted, and how long the page takes to show
 * that somebody did something. Each load in a new page, with what a returning reader's browser has kept.
 */
export async function measureDashboard(stack: BenchStack, { contacts, say }: BenchOptions): Promise<Measured> {
  await buildDashboard();
  const databaseUrl = await stack.newDatabase('dashboard');
  const deps = openDeps(databaseUrl, stack.masterKey);
  const slug = 'bench-dashboard';
  const tenant = { ...(await openTenant(deps, slug)), slug };
  await publishPresets(deps, await loadPresets());
  await deps.db.close();
  await asOwner(databaseUrl, async (owner) => {
    const place = await placeOf(owner, tenant);
    await fillHistory(owner, place, { contacts, events: 0 }, say);
    await fillAsleep(owner, place, { from: 0, to: asleep });
    await fillLists(owner, place, others);
    await owner.query('update api_keys set requests_per_minute = 10000000 where tenant_id = $1', [tenant.tenantId]);
  });
  const port = await freePort();
  const origin = `http://localhost:${port}`;
  const api = await stack.spawn('api/server.ts', {
    DATABASE_URL: databaseUrl,
    TEMPORAL_ADDRESS: stack.temporalAddress,
    REKINDLE_MASTER_KEY: stack.masterKey.toString('base64'),
    PUBLIC_URL: origin,
    PORT: String(port),
    LOG_LEVEL: 'fatal',
  });
  const browser = await chromium.launch({ executablePath: wholeChromiumPath, args: chromiumArgs, headless: true });
  const lcpMs: number[] = [];
  const inpMs: number[] = [];
  const notes: string[] = [];
  try {
    const context = await browser.newContext({ viewport: { width: 1280, height: 900 } });
    await context.addInitScript(observers);
    await signIn(context, origin, tenant.apiKey ?? '');
    for (const { path, act } of visits) {
      const here: { lcp: number; inp: number }[] = [];
      // The first one fills the browser's cache, and Postgres's.
      for (let n = 0; n <= loads; n++) {
        const seen = await visit(context, `${origin}/app/${slug}${path}`, act);
        if (n > 0) here.push(seen);
        else notes.push(`${path || '/'}: first load ${Math.round(seen.lcp)} ms`);
      }
      lcpMs.push(...here.map(({ lcp }) => lcp));
      inpMs.push(...here.map(({ inp }) => inp));
      const say2 = (values: number[]) => `${Math.round(quantile(values, 0.5))} ms, at most ${Math.round(Math.max(...values))} ms`;
      const line = `${path || '/'}: painted after ${say2(here.map(({ lcp }) => lcp))}; an interaction shows after ${say2(here.map(({ inp }) => inp))}`;
      notes.push(line);
      say(line);
    }
  } finally {
    await browser.close();
    await endChild(api);
  }
  return {
    figures: [
      budgeted('dashboard_lcp_max', Math.max(...lcpMs), 'ms', '<= 1,500 ms', (ms) => ms <= 1_500),
      budgeted('dashboard_inp_max', Math.max(...inpMs), 'ms', '<= 200 ms', (ms) => ms <= 200),
    ],
    latencies: [],
    notes: [`${contacts} people, ${asleep} open enrollments; ${loads} loads of each of ${visits.length} pages`, ...notes],
  };
}

async function signIn(context: BrowserContext, origin: string, apiKey: string): Promise<void> {
  const invited = unwrap(await createClient({ baseUrl: origin, apiKey }).invitations.create({ email, role: 'owner' }));
  const token = new URL(invited.url).hash.slice(1);
  // Not by the browser, which would be signed in by it.
  const accepted = await fetch(`${origin}/api/session/invitation/accept`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ token, name: 'Ada', password }),
  });
  if (!accepted.ok) throw new Error(`the invitation was not accepted: ${await accepted.text()}`);
  const page = await context.newPage();
  await page.goto(`${origin}/app`);
  await page.getByLabel('Email address').fill(email);
  await page.getByLabel('Password').fill(password);
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: 'Today', exact: true }).waitFor();
  await page.close();
}

async function visit(context: BrowserContext, url: string, act: (page: Page) => Promise<void>): Promise<{ lcp: number; inp: number }> {
  const page = await context.newPage();
  await page.goto(url);
  await page.getByRole('heading').first().waitFor();
  await page.waitForLoadState('networkidle').catch(() => undefined);
  await page.waitForFunction(`document.querySelectorAll('[role=status] .sr-only').length === 0`);
  const lcp = await page.evaluate<number>('window.lcp');
  await act(page);
  // Interactions are reported with the next frames.
  await page.waitForTimeout(300);
  const inp = await page.evaluate<number>('window.inp');
  await page.close();
  return { lcp, inp };
}
