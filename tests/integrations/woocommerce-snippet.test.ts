import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import type { DomainEvent } from '../../domain/events.ts';
import { wooCommerceReceiver } from '../../integrations/woocommerce/receive.ts';
import { posted } from '../helpers/a-delivery.ts';
import { aStore } from '../helpers/a-store.ts';

const secret = 'an-invented-secret';
const folder = new URL('../fixtures/woocommerce-snippet/', import.meta.url);
const snippet = fileURLToPath(new URL('../../integrations/woocommerce/snippet/rekindle-carts.php', import.meta.url));

interface Request {
  url: string;
  body: string;
  blocking: boolean;
  headers: Record<string, string>;
}
interface Played {
  steps: Record<string, Request[]>;
  orders: Record<string, unknown>[];
  key: string;
  after: string | null;
  restored: { redirect: string; key: string; lines: unknown[]; coupons: string[] };
  refused: unknown[];
  /** Of the pages: what stands in them, and which cart they are told. */
  scripts: unknown[];
  answers: unknown[];
}

const recorded: Played = JSON.parse(readFileSync(new URL('recorded.json', folder), 'utf8'));
const hasPhp = spawnSync('php', ['--version']).status === 0;

function play(): Played {
  return JSON.parse(execFileSync('php', [fileURLToPath(new URL('stand-in.php', folder)), snippet, secret], { encoding: 'utf8' }));
}

/** What the receiver makes of a request, and no other secret. */
function eventsOf({ body, headers }: Request): DomainEvent[] {
  const own = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
  const delivery = posted({ raw: Buffer.from(body), headers: own, receivedAtMs: Date.UTC(2090, 0) });
  expect(wooCommerceReceiver.receive(delivery, ['another'], aStore)).toEqual({ kind: 'refused', reason: 'bad_signature' });
  const received = wooCommerceReceiver.receive(delivery, [secret], aStore);
  if (received.kind !== 'events') throw new Error(JSON.stringify(received));
  expect(received.notes).toEqual([]);
  return received.events;
}

function check({ steps, orders, key, after, restored, refused, scripts, answers }: Played): void {
  const reported = Object.fromEntries(
    Object.entries(steps).map(([name, requests]) => [
      name,
      requests
        .flatMap(eventsOf)
        .map((event) => (event.type === 'cart.updated' ? { key: event.keys[0]?.value, person: event.person, cart: event.cart } : event)),
    ]),
  );
  const line = { title: 'Assam & mint', variant: '250 g', quantity: 2, priceMinor: 1200, compareAtMinor: 1500, productId: '23', stock: 0 };
  expect(reported).toMatchObject({
    'a page without a cart': [],
    'something is added': [{ key, person: { email: null, country: null }, cart: { currency: 'EUR', totalMinor: 2400, items: [line] } }],
    'nothing has changed': [],
    'the checkout is filled in': [
      {
        key,
        person: {
          ...{ email: 'ada@example.com', phone: '+12025550143', firstName: 'Ada', country: 'AT', locale: 'de-AT' },
          consents: [{ channel: 'email', state: 'granted', basis: 'box', wording: 'Yes, write to me about my cart.' }],
        },
        cart: { totalMinor: 2400 },
      },
    ],
    // Else it would end as emptied, and its purchase would be nobody's.
    'the cart was bought': [],
    'the next cart': [{ person: { consents: [] }, cart: { items: [{ productId: '94', variant: null }] } }],
    'the next cart is emptied': [{ cart: { items: [], totalMinor: 0 } }],
    'the link was followed': [],
  });
  expect(reported['the next cart']?.[0]).not.toMatchObject({ key });
  const restoreUrl: string = JSON.parse(steps['the checkout is filled in']?.[0]?.body ?? '{}').restore_url;
  expect(restoreUrl).toMatch(/^https:\/\/shop\.example\/cart\/\?rekindle=[\w-]+\.[\w-]+$/);
  const marks = { _rekindle_cart: key, _rekindle_restore_url: restoreUrl };
  expect(orders).toEqual([marks, { ...marks, saved: true }]);
  expect(after).toBeNull();
  expect(restored).toMatchObject({
    redirect: '/cart/',
    key,
    lines: [{ product_id: 93, variation_id: 23, quantity: 2, variation: { attribute_pa_size: '250-g' } }],
    coupons: ['spring'],
  });
  // The pages are the same for everybody, so that a cache may keep them; who has which cart is asked for.
  const script = {
    ...{ async: true, src: 'https://rekindle.example/onsite/rekindle.js', 'data-key': 'public-key' },
    ...{ 'data-cart-url': '/?wc-ajax=rekindle_cart', 'data-remember': 'consent' },
  };
  expect(scripts).toEqual([script, script]);
  expect(answers).toEqual([{ token: null }, { token: key }]);
  expect(refused.every((content) => content === null)).toBe(true);
  for (const request of Object.values(steps).flat()) {
    expect(request).toMatchObject({ blocking: false, url: 'https://rekindle.example/api/webhooks/woocommerce/c1' });
    expect(JSON.stringify(request)).not.toContain(secret);
  }
}

/** Without what differs each time: keys, times, signatures. */
function timeless(played: Played): string {
  return JSON.stringify(played)
    .replace(/[\da-f]{32}/g, 'KEY')
    .replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'TIME')
    .replace(/(rekindle=)[\w-]+\.[\w-]+/g, '$1LINK')
    .replace(/("X-WC-Webhook-Signature":")[^"]+/g, '$1SIGNATURE');
}

describe('the snippet for the shop', () => {
  test('what it was recorded to do: signed carts, marked orders, links that restore', () => check(recorded));

  test.skipIf(!hasPhp)(`does the same when it runs${hasPhp ? '' : ' (skipped: php is not installed; apt-get install php-cli)'}`, () => {
    execFileSync('php', ['-l', snippet]);
    const played = play();
    check(played);
    expect(timeless(played), 'record again: php stand-in.php rekindle-carts.php an-invented-secret > recorded.json').toBe(timeless(recorded));
  });
});
