import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createTransport } from 'nodemailer';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type Mailbox, startMailbox } from '../../local/mailbox/mailbox.ts';
import { chromiumArgs, chromiumPath } from '../helpers/screenshot.ts';

// Needs the browser of the distribution; what a machine without one can check of the mailbox is in mailbox.test.ts.
describe.skipIf(!existsSync(chromiumPath))('the mailbox in a browser', { timeout: 60_000 }, () => {
  let browser: Browser;
  let dir: string;
  let mailbox: Mailbox;
  let page: Page;

  beforeAll(async () => {
    browser = await chromium.launch({ executablePath: chromiumPath, args: chromiumArgs, headless: true });
  }, 60_000);
  afterAll(() => browser.close());

  beforeEach(async () => {
    dir = mkdtempSync(join(tmpdir(), 'rekindle-mailbox-page-'));
    mailbox = await startMailbox({ dir, smtpPort: 0, httpPort: 0, host: '127.0.0.1' });
    page = await browser.newPage({ viewport: { width: 1_200, height: 800 }, locale: 'en-US' });
    page.setDefaultTimeout(20_000);
  }, 60_000);
  afterEach(async () => {
    await page.close();
    await mailbox.stop();
    rmSync(dir, { recursive: true });
  });

  async function send(subject: string, more: Record<string, unknown> = {}): Promise<void> {
    const transport = createTransport(mailbox.smtpUrl);
    const to = 'a-rather-long-address-of-somebody@a-rather-long-domain.shop.example.com';
    await transport.sendMail({ from: 'hello@shop.example.com', to, subject, html: `<!doctype html><p>${subject}</p>`, ...more });
    transport.close();
  }
  const subjects = () => page.locator('#list b').allTextContents();
  const focused = () => page.evaluate<string>('document.activeElement.querySelector?.("b")?.textContent ?? document.activeElement.id');

  test('keyboard focus and what is open stay where they are when emails arrive, and go to the neighbour of one that is deleted', async () => {
    for (const subject of ['one', 'two', 'three']) await send(subject);
    await page.goto(mailbox.webUrl);
    await page.locator('#list a', { hasText: 'two' }).focus();
    await page.keyboard.press('Enter');
    await page.frameLocator('#mail').getByText('two').waitFor();
    await send('four');
    await page.locator('#list a', { hasText: 'four' }).waitFor();
    expect(await subjects()).toEqual(['four', 'three', 'two', 'one']);
    expect(await focused()).toBe('two');
    expect(await page.locator('[aria-current]').locator('b').textContent()).toBe('two');

    const { messages } = (await (await fetch(`${mailbox.webUrl}/api/v1/messages`)).json()) as { messages: { ID: string; Subject: string }[] };
    const body = JSON.stringify({ IDs: messages.filter(({ Subject }) => Subject === 'two').map(({ ID }) => ID) });
    await fetch(`${mailbox.webUrl}/api/v1/messages`, { method: 'DELETE', headers: { 'content-type': 'application/json' }, body });
    await page.locator('#list a', { hasText: 'two' }).waitFor({ state: 'detached' });
    expect(await focused()).toBe('one');
  });

  test('the search narrows the list while one types, and keeps its focus when emails arrive', async () => {
    for (const subject of ['Blue teapot', 'Green kettle']) await send(subject);
    await page.goto(mailbox.webUrl);
    await page.locator('#list a').first().waitFor();
    await page.keyboard.press('/');
    await page.keyboard.type('teapot');
    await page.locator('#list a', { hasText: 'kettle' }).waitFor({ state: 'detached' });
    expect(await subjects()).toEqual(['Blue teapot']);
    expect(await page.locator('#count').textContent()).toBe('1 of 2 emails found');
    await send('Another teapot');
    await page.locator('#list a', { hasText: 'Another' }).waitFor();
    expect(await focused()).toBe('search');
    await page.locator('#search').fill('nothing like it');
    await page.getByText('Nothing found for').waitFor();
    await page.locator('#search').fill('');
    await page.locator('#list a', { hasText: 'kettle' }).waitFor();
    expect(await page.locator('#count').textContent()).toBe('3 emails');
  });

  test('times are whole beside long addresses, on a wide and on a narrow page', async () => {
    await send('one');
    for (const width of [1_200, 730, 360]) {
      await page.setViewportSize({ width, height: 800 });
      await page.goto(mailbox.webUrl);
      const time = page.locator('#list time');
      await time.waitFor();
      expect(await time.textContent()).toMatch(/^\d{1,2}:\d\d:\d\d\s[AP]M$/);
      const [box, item] = [await time.boundingBox(), await page.locator('#list a').boundingBox()];
      const needed = await page.evaluate<number>("document.querySelector('#list time').scrollWidth");
      expect(box?.width).toBeGreaterThanOrEqual(needed - 1);
      expect((box?.x ?? width) + (box?.width ?? width)).toBeLessThanOrEqual((item?.x ?? 0) + (item?.width ?? 0));
    }
  });

  test('an email is drawn in standards mode', async () => {
    await send('one');
    await page.goto(mailbox.webUrl);
    await page.locator('#list a').click();
    const frame = page.frame({ url: /\/view\// }) ?? (await page.waitForEvent('framenavigated', (navigated) => navigated.url().includes('/view/')));
    await frame.getByText('one').waitFor();
    expect(await frame.evaluate('document.compatMode')).toBe('CSS1Compat');
  });

  test('its words say emails', async () => {
    await send('one');
    await page.goto(mailbox.webUrl);
    await page.locator('#list a').waitFor();
    expect(await page.evaluate<string>('document.body.innerText')).not.toMatch(/\bmails?\b/i);
    expect(await page.locator('#count').textContent()).toBe('1 email');
  });
});
