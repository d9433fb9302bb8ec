import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { type BrowserContext, chromium } from 'playwright-core';

/** What to photograph: a page that is served, or HTML as it stands. */
export type Subject = { url: string } | { html: string };

export interface ScreenshotOptions {
  /** CSS pixels. */
  width: number;
  /** CSS pixels; null: as high as the page. */
  height?: number | null;
  /** Device pixels per CSS pixel. */
  scale?: number;
  dark?: boolean;
  /** Pictures of invented shops: what their addresses answer, nothing is fetched. */
  pictures?: Record<string, { contentType: string; body: string }>;
  /** For live pages: a selector that must be visible first. */
  waitFor?: string;
}

// The distribution's browsers; playwright's own is not downloaded.
const wholeBrowser = '/usr/bin/chromium';
const headlessShell = '/usr/bin/chromium-headless-shell';
/** The shell where there is one: a browser without windows, which takes less of the processors. */
export const chromiumPath = process.env['CHROMIUM_PATH'] ?? (existsSync(headlessShell) ? headlessShell : wholeBrowser);
/** As people have it, for pictures and figures, and for what the shell cannot do: it asks nobody whether a site may send notifications. */
export const wholeChromiumPath = process.env['CHROMIUM_PATH'] ?? wholeBrowser;
export const chromiumArgs = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--process-per-site',
];

/** Keep a page of a site open: where none is, each page that opens starts a process of the browser and compiles the site's scripts anew. */
export async function keepSiteOpen(context: BrowserContext, origin: string): Promise<void> {
  const page = await context.newPage();
  await page.goto(`${origin}/readyz`);
}

/** Photograph a page as PNG, for documents and for looking at it. */
export async function takeScreenshot(subject: Subject, file: string, options: ScreenshotOptions): Promise<void> {
  const browser = await chromium.launch({ executablePath: chromiumPath, args: chromiumArgs, headless: true });
  try {
    const page = await browser.newPage({
      viewport: { width: options.width, height: options.height ?? 800 },
      deviceScaleFactor: options.scale ?? 1,
      colorScheme: options.dark === true ? 'dark' : 'light',
    });
    for (const [url, picture] of Object.entries(options.pictures ?? {})) await page.route(url, (route) => route.fulfill(picture));
    if ('url' in subject) await page.goto(subject.url, { waitUntil: 'load' });
    else await page.setContent(subject.html, { waitUntil: 'load' });
    if (options.waitFor !== undefined) await page.waitForSelector(options.waitFor);
    await writeFile(file, await page.screenshot({ fullPage: options.height === undefined || options.height === null }));
  } finally {
    await browser.close();
  }
}
