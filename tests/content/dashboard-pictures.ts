/**
 * Takes the pictures of docs/ that show a running Rekindle: the live story, and pages of the dashboard with the demo stores.
 * Run: npm run docs:pictures (needs Chromium), which draws the others too. It takes the installation of `npm start` that runs from this checkout, and starts
 * one where there is none; the demo has to have worked for some minutes, or the pictures are of an empty store.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type BrowserContext, chromium } from 'playwright-core';
import { z } from 'zod';
import { readCredentials } from '../../cli/credentials.ts';
import { localDir } from '../../local/local-files.ts';
import { createClient, unwrap } from '../../sdk/index.ts';
import { chromiumArgs, wholeChromiumPath } from '../helpers/screenshot.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const folder = process.argv[2] ?? join(root, 'docs/images');
const largestBytes = 150_000;
/** Carts that a demo store needs before its pages show something. */
const fewestOrders = 5;
const longestWaitMs = 15 * 60_000;

const started = await running();
try {
  await takeAll();
} finally {
  if (started !== null) await ended(started);
}

async function takeAll(): Promise<void> {
  const { apiUrl, installationKey } = readCredentials(process.env, localDir);
  const addresses = z.object({ live: z.string() }).parse(JSON.parse(await readFile(join(localDir, 'addresses.json'), 'utf8')));
  const installation = createClient({ baseUrl: apiUrl, apiKey: installationKey ?? '' });
  const keyOf = async (slug: string) => unwrap(await installation.tenants.createKey(slug, { name: 'pictures' }));
  const [demoKey, leadsKey] = [await keyOf('demo'), await keyOf('leads')];
  const demo = createClient({ baseUrl: apiUrl, apiKey: demoKey.api_key });
  const leads = createClient({ baseUrl: apiUrl, apiKey: leadsKey.api_key });
  await until(
    'the demo store has orders',
    async () => unwrap(await demo.enrollments.list({ sequence: 'cart', status: 'CONVERTED', limit: 20 })).data.length >= fewestOrders,
  );

  const browser = await chromium.launch({ executablePath: wholeChromiumPath, args: chromiumArgs, headless: true });
  const email = `pictures-${Date.now()}@example.com`;
  try {
    const context = await browser.newContext({ viewport: { width: 1200, height: 860 }, reducedMotion: 'reduce', locale: 'en-GB' });
    for (const client of [demo, leads]) await accept(context, unwrap(await client.invitations.create({ email, role: 'owner' })).url);
    const take = async (name: string, url: string, heading: string) => {
      const page = await context.newPage();
      await page.goto(url, { waitUntil: 'load' });
      await page.getByRole('heading', { name: heading }).first().waitFor();
      await until('the page is loaded', async () => (await page.locator('[role=status] .sr-only').count()) === 0);
      await page.waitForLoadState('networkidle').catch(() => null);
      const picture = await page.screenshot();
      if (picture.length > largestBytes) throw new Error(`${name}.png has ${picture.length} bytes: ${largestBytes} at most`);
      await writeFile(join(folder, `${name}.png`), picture);
      console.log(`${name}.png ${Math.round(picture.length / 1_000)} kB`);
      await page.close();
    };
    const app = `${apiUrl}/app`;
    const [person] = unwrap(await demo.enrollments.list({ sequence: 'cart', status: 'CONVERTED', limit: 1 })).data;
    const [campaign] = unwrap(await leads.campaigns.list({ limit: 1 })).data;
    if (person === undefined || campaign === undefined) throw new Error('the demo stores have no order or no campaign');
    await take('live-story', addresses.live, 'Rekindle');
    await take('dashboard-today', `${app}/demo`, 'Today');
    await take('dashboard-sequence', `${app}/demo/sequences/cart`, 'The way through');
    await take('dashboard-person', `${app}/demo/people/${person.contact}`, 'What happened');
    await take('dashboard-operations', `${app}/demo/operations`, 'The waves');
    await take('dashboard-campaign', `${app}/leads/campaigns/${campaign.id}`, campaign.name);
  } finally {
    await browser.close();
    for (const [slug, { id }] of [
      ['demo', demoKey],
      ['leads', leadsKey],
    ] as const)
      await installation.tenants.revokeKey(slug, id);
  }
}

/** The first invitation makes an account, the next adds a store to it. */
async function accept(context: BrowserContext, url: string): Promise<void> {
  const page = await context.newPage();
  await page.goto(url);
  const name = page.getByLabel('Your name');
  const inside = page.waitForURL((at) => at.pathname.startsWith('/app'));
  await Promise.race([name.waitFor(), inside]);
  if (await name.isVisible().catch(() => false)) {
    await name.fill('Olga Owner');
    await page.getByLabel('Password').fill(crypto.randomUUID());
    await page.getByRole('button', { name: 'Accept' }).click();
  }
  await inside;
  await page.close();
}

async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + longestWaitMs;
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error(`Waited ${longestWaitMs / 60_000} minutes: ${what}`);
    await sleep(1_000);
  }
}

/** @returns the start that was made for the pictures; null: one runs already */
async function running(): Promise<ChildProcess | null> {
  const { apiUrl } = readCredentials(process.env, localDir);
  const answers = async () => (await fetch(`${apiUrl}/healthz`).catch(() => null)) !== null;
  if (await answers()) return null;
  const start = spawn(process.execPath, [join(root, 'local/start.mjs')], { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] });
  await until('npm start is ready', answers);
  return start;
}

async function ended(start: ChildProcess): Promise<void> {
  const gone = new Promise((resolve) => start.once('exit', resolve));
  start.kill('SIGINT');
  await gone;
}
