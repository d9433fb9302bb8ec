import pino from 'pino';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { buildApp } from '../../api/app.ts';
import { createPrometheus } from '../../config/telemetry.ts';
import { openShop, type Shop, temporalClientOf } from '../helpers/shop.ts';

// Limits count by the address of the caller: docs/rules.md#rule-136

let shop: Shop;
beforeAll(async () => {
  shop = await openShop();
});
afterAll(() => shop.close());

type App = Awaited<ReturnType<typeof buildApp>>;
const appBehind = (trustedProxies: readonly string[]): Promise<App> => {
  const links = { temporalUi: null, mailbox: null };
  const own = { deps: shop.deps, logger: pino({ level: 'silent' }), client: temporalClientOf(shop), registry: createPrometheus().registry, links };
  return buildApp({ ...own, trustedProxies });
};
/** Ask with a wrong key; the status says whether the caller has used up its attempts. */
const guess = async (app: App, remoteAddress: string, forwardedFor: string): Promise<number> => {
  const headers = { authorization: `Bearer rk_${'x'.repeat(43)}`, 'x-forwarded-for': forwardedFor };
  return (await app.inject({ url: '/api/enrollments', remoteAddress, headers })).statusCode;
};
/** As many wrong keys as one address may give in a minute, each with something else before the caller's address. */
const useUp = async (app: App, remoteAddress: string, caller: string): Promise<void> => {
  for (let tries = 0; tries < 30; tries += 1) await guess(app, remoteAddress, `192.0.2.${tries}, ${caller}`);
};

test('behind a proxy that is named each caller is counted, whatever they claim to be', async () => {
  const app = await appBehind(['10.20.0.0/16']);
  await useUp(app, '10.20.0.5', '198.51.100.1');
  expect(await guess(app, '10.20.0.5', '203.0.113.9, 198.51.100.1')).toBe(429);
  expect(await guess(app, '10.20.0.5', '198.51.100.2')).toBe(401);
  // A second proxy between them, of ours as well.
  expect(await guess(app, '10.20.0.5', '198.51.100.1, 10.20.0.6')).toBe(429);
});

test('whoever is no proxy of ours is counted by their connection', async () => {
  const app = await appBehind(['10.20.0.0/16']);
  await useUp(app, '198.51.100.7', '203.0.113.1');
  expect(await guess(app, '198.51.100.7', '203.0.113.2')).toBe(429);
  expect(await guess(app, '198.51.100.8', '198.51.100.7')).toBe(401);
});

test('where no proxy is named, none is believed', async () => {
  const app = await appBehind([]);
  await useUp(app, '10.20.0.5', '198.51.100.1');
  expect(await guess(app, '10.20.0.5', '198.51.100.2')).toBe(429);
});

test('a request that never comes to its end is ended', () => {
  const { headersTimeout, requestTimeout } = shop.app.server;
  expect(headersTimeout).toBeGreaterThan(0);
  expect(headersTimeout).toBeLessThanOrEqual(60_000);
  expect(requestTimeout).toBeGreaterThan(0);
  expect(requestTimeout).toBeLessThanOrEqual(300_000);
});
