import { randomBytes, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { buildApp } from '../../api/app.ts';
import { networkOf } from '../../api/plugins/rate-limits.ts';
import { createLogger } from '../../config/logger.ts';
import { createPrometheus } from '../../config/telemetry.ts';
import { openShop, type Shop, temporalClientOf } from '../helpers/shop.ts';

// An unverified caller may choose no label, no log field and no request id, because each made-up value would be kept.
let shop: Shop;
let app: Awaited<ReturnType<typeof buildApp>>;
let log = '';
beforeAll(async () => {
  shop = await openShop({ timeScale: 1 });
  const { registry, telemetry } = createPrometheus();
  const destination = { write: (line: string) => void (log += line) };
  app = await buildApp({
    deps: { ...shop.deps, telemetry },
    logger: createLogger({ part: 'api', level: 'trace', destination }),
    client: temporalClientOf(shop),
    registry,
    links: { temporalUi: null, mailbox: null },
  });
  await app.ready();
});
afterAll(async () => {
  await app.close();
  await shop.close();
});

const invented = () => `zz${randomBytes(8).toString('hex')}`;
const labelled = async () => (await app.inject('/metrics')).body.split('\n').filter((line) => line.startsWith('rekindle_'));

/** One unsigned request of every kind, with made-up values wherever a caller may choose. */
async function knock(): Promise<void> {
  const name = invented();
  const post = (url: string) =>
    app.inject({
      method: 'POST',
      url,
      headers: { 'content-type': `application/${name}`, 'x-request-id': name, 'webhook-id': name, 'x-shopify-topic': name, 'user-agent': name },
      payload: `{"type":"${name}"}`,
    });
  await Promise.all([
    post(`/api/webhooks/${name}`),
    post(`/api/webhooks/${name}/${randomUUID()}`),
    post(`/api/webhooks/generic/${name}`),
    post(`/api/webhooks/generic/${randomUUID()}`),
    post(`/api/webhooks/shopify/${name}?${name}=${name}`),
    app.inject(`/${name}/${name}`),
    app.inject({ url: '/recovery/sequences', headers: { authorization: `Bearer ${name}`, 'x-request-id': name } }),
    app.inject(`/o/${name}`),
    app.inject(`/c/${name}`),
  ]);
}

test('thousands of unsigned requests with random segments leave /metrics as long as it was', async () => {
  await knock();
  const before = await labelled();
  for (let n = 0; n < 400; n++) await knock();
  const after = await labelled();
  const names = (lines: string[]) => lines.map((line) => line.replace(/ \S+$/, ''));
  expect(names(after)).toEqual(names(before));
  expect(after.join('\n')).toMatch(/rekindle_webhooks_total\{integration="unknown",result="unknown_connection"\} 802/);
  expect(after.join('\n')).not.toMatch(/zz[0-9a-f]{16}/);
}, 120_000);

test('nothing that such a caller made up is in the log', () => {
  expect(log).not.toMatch(/zz[0-9a-f]{16}/);
});

test('a request id is our own, whatever the caller proposes', async () => {
  const { headers } = await app.inject({ url: '/nowhere', headers: { 'x-request-id': 'mine', 'request-id': 'mine' } });
  expect(headers['x-request-id']).toMatch(/^[0-9a-f-]{36}$/);
});

test('a label with an endless stream of values stays bounded', async () => {
  const { registry, telemetry } = createPrometheus();
  for (let n = 0; n < 5_000; n++) {
    telemetry.webhook(invented(), 'applied', 1);
    telemetry.unreadable(invented(), invented(), true);
    telemetry.verdict('skip', invented());
    telemetry.outboxDone(invented(), 1);
    telemetry.repaired(invented());
  }
  const text = await registry.metrics();
  expect(text).toContain('integration="other"');
  expect(text.length).toBeLessThan(300_000);
});

test('one IPv6 network counts as one caller, and one IPv4 address too', () => {
  expect(networkOf('203.0.113.7')).toBe('203.0.113.7');
  expect(networkOf('::ffff:203.0.113.7')).toBe('::ffff:203.0.113.7');
  expect(networkOf('2001:db8:1:2:3:4:5:6')).toBe('2001:db8:1:2::/64');
  expect(networkOf('2001:0DB8:1:2::9')).toBe('2001:db8:1:2::/64');
  expect(networkOf('2001:db8::1')).toBe('2001:db8:0:0::/64');
  expect(networkOf('::1')).toBe('0:0:0:0::/64');
});
