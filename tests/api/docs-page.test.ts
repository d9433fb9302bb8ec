import { existsSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { chromium } from 'playwright-core';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { buildApp } from '../../api/app.ts';
import { createPrometheus } from '../../config/telemetry.ts';
import { chromiumArgs, chromiumPath } from '../helpers/screenshot.ts';
import { openShop, type Shop, temporalClientOf } from '../helpers/shop.ts';

// The reference at /docs, and what pages of other sites may do with the API.

let shop: Shop;
beforeAll(async () => {
  shop = await openShop({ timeScale: 1 });
});
afterAll(() => shop.close());

test('the page loads its own files alone, each with a tag, compressed where that is taken', async () => {
  const page = await shop.app.inject('/docs');
  expect(page.headers['content-security-policy']).toContain("script-src 'self'; style-src 'self'");
  expect(page.headers['content-security-policy']).not.toContain('unsafe');
  const files = [...page.body.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, url = '']) => url);
  expect(files.filter((url) => !url.startsWith('/') && url !== 'data:,')).toEqual([]);
  for (const url of files.filter((url) => url.startsWith('/docs/'))) {
    const plain = await shop.app.inject(url);
    const zipped = await shop.app.inject({ url, headers: { 'accept-encoding': 'gzip, br' } });
    expect([plain.statusCode, zipped.headers['content-encoding']], url).toEqual([200, 'gzip']);
    expect(gunzipSync(zipped.rawPayload).equals(plain.rawPayload), url).toBe(true);
    const again = await shop.app.inject({ url, headers: { 'if-none-match': String(plain.headers['etag']) } });
    expect([again.statusCode, again.body]).toEqual([304, '']);
  }
});

const hasBrowser = existsSync(chromiumPath);
const title = hasBrowser ? 'in a browser' : `in a browser: SKIPPED, there is no ${chromiumPath} (apt-get install chromium, or set CHROMIUM_PATH)`;
if (!hasBrowser) console.warn(title);
describe.skipIf(!hasBrowser)(title, () => {
  test('every operation is there and opens, and the policy refuses nothing', async () => {
    const address = await shop.app.listen({ host: '127.0.0.1', port: 0 });
    const browser = await chromium.launch({ executablePath: chromiumPath, args: chromiumArgs, headless: true });
    try {
      const page = await browser.newPage();
      const faults: string[] = [];
      page.on('pageerror', (error) => void faults.push(error.message));
      page.on('console', (line) => void (line.type() === 'error' && faults.push(line.text())));
      page.on(
        'request',
        (request) => void (request.url().startsWith(`${address}/`) || request.url().startsWith('data:') || faults.push(request.url())),
      );
      await page.goto(`${address}/docs`);
      const tag = page.locator('.opblock-tag', { hasText: 'bulk actions' });
      await tag.waitFor();
      await tag.click();
      await page.locator('.opblock-summary', { hasText: 'Stop, pause, resume or move many enrollments' }).click();
      await page.getByText('Every running enrollment that the filter of the list finds now').first().waitFor();
      expect(await page.locator('.info .title').textContent()).toContain('Rekindle');
      expect(faults).toEqual([]);
    } finally {
      await browser.close();
    }
  });
});

describe('pages of other sites', () => {
  const origin = 'https://app.example.com';
  const asked = { origin, 'access-control-request-method': 'POST', 'access-control-request-headers': 'authorization,content-type,idempotency-key' };
  test('may read nothing unless their origin is a setting', async () => {
    const answer = await shop.app.inject({ url: '/api/enrollments', headers: { origin, authorization: `Bearer ${shop.tenant.apiKey}` } });
    expect([answer.statusCode, answer.headers['access-control-allow-origin']]).toEqual([200, undefined]);
    const preflight = await shop.app.inject({ method: 'OPTIONS', url: '/api/enrollments', headers: asked });
    expect(preflight.headers['access-control-allow-origin']).toBeUndefined();
  });

  test('call the API with a key where it is, without cookies, and only the API', async () => {
    const links = { temporalUi: null, mailbox: null };
    const own = { deps: shop.deps, logger: pino({ level: 'silent' }), client: temporalClientOf(shop), registry: createPrometheus().registry, links };
    const app = await buildApp({ ...own, corsOrigins: [origin] });
    const preflight = await app.inject({ method: 'OPTIONS', url: '/api/bulk-actions', headers: asked });
    expect(preflight.statusCode).toBe(204);
    expect(preflight.headers).toMatchObject({ 'access-control-allow-origin': origin, 'access-control-max-age': '600' });
    expect(preflight.headers['access-control-allow-headers']).toContain('idempotency-key');
    const headers = { origin, authorization: `Bearer ${shop.tenant.apiKey}` };
    const answer = await app.inject({ url: '/api/enrollments', headers });
    expect(answer.headers).toMatchObject({ 'access-control-allow-origin': origin, vary: expect.stringContaining('Origin') as unknown });
    expect(answer.headers['access-control-allow-credentials']).toBeUndefined();
    expect(answer.headers['access-control-expose-headers']).toContain('etag');
    for (const [url, from] of [
      ['/api/enrollments', 'https://other.example.com'],
      ['/api/session', origin],
      ['/healthz', origin],
    ] as const) {
      const refused = await app.inject({ url, headers: { ...headers, origin: from } });
      expect(refused.headers['access-control-allow-origin'], url).toBeUndefined();
    }
  });
});
