import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { genericReceiver } from '../../integrations/generic/receive.ts';
import type { Receiver } from '../../integrations/port.ts';
import { shopifyReceiver } from '../../integrations/shopify/receive.ts';
import { wooCommerceReceiver } from '../../integrations/woocommerce/receive.ts';
import { posted } from '../helpers/a-delivery.ts';
import { aStore } from '../helpers/a-store.ts';

const store = { ...aStore, currency: 'EUR' };
const fixture = (file: string) => JSON.parse(readFileSync(new URL(`../fixtures/${file}`, import.meta.url), 'utf8')) as Record<string, unknown>;

function read(receiver: Receiver, headers: Record<string, string>, body: unknown) {
  const raw = Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
  const received = receiver.reread(posted({ raw, headers, receivedAtMs: Date.UTC(2026, 10, 24) }), store);
  return { ...received, facts: received.kind === 'events' ? received.events.flatMap((e) => (e.type === 'facts.reported' ? e.facts : [])) : [] };
}

const shopify = (body: unknown) => read(shopifyReceiver, { 'x-shopify-topic': 'products/update' }, body);
const woo = (body: unknown) => read(wooCommerceReceiver, { 'x-wc-webhook-topic': 'product.updated' }, body);
const said = (facts: { kind: string; subject: string; value: unknown }[]) => facts.map(({ kind, subject, value }) => [kind, subject, value]);

describe('what a shop says about its products', () => {
  test('Shopify: each variant by its exact id, and no stock of what is sold without end', () => {
    const text = readFileSync(new URL('../fixtures/shopify/products-update.json', import.meta.url), 'utf8');
    const { facts } = shopify(text);
    expect(said(facts)).toEqual([
      ['stock', '642667041472713922', { left: 3 }],
      ['price', '642667041472713922', { price: '19.95', currency: 'EUR', as_in_carts: true }],
      ['price', '757650484644203962', { price: '44.95', currency: 'EUR', as_in_carts: true }],
    ]);
    expect(facts[0]?.observedAtMs).toBe(Date.parse('2026-11-20T09:00:00Z'));
  });

  test('Shopify: a product with one variant is known by its own id too; one that is oversold has none left', () => {
    const body = {
      id: 7,
      updated_at: '2026-11-20T10:00:00+01:00',
      variants: [{ id: 8, price: '5.00', inventory_quantity: -2, inventory_policy: 'deny', inventory_management: 'shopify' }],
    };
    expect(said(shopify(body).facts)).toEqual([
      ['stock', '8', { left: 0 }],
      ['price', '8', { price: '5.00', currency: 'EUR', as_in_carts: true }],
      ['stock', '7', { left: 0 }],
      ['price', '7', { price: '5.00', currency: 'EUR', as_in_carts: true }],
    ]);
  });

  test('Shopify: nothing is said about the stock of what is not tracked', () => {
    for (const untracked of [{ inventory_management: null, inventory_quantity: 5 }, { inventory_quantity: 0 }, { inventory_management: 'shopify' }])
      expect(
        said(
          shopify({
            id: 7,
            variants: [
              { id: 8, inventory_policy: 'deny', price: 'free', ...untracked },
              { id: 9, price: '1' },
            ],
          }).facts,
        ),
      ).toEqual([['price', '9', { price: '1.00', currency: 'EUR', as_in_carts: true }]]);
  });

  test('WooCommerce: stock, price and ratings of a simple product', () => {
    expect(said(woo(fixture('woocommerce/product.updated.json')).facts)).toEqual([
      ['stock', '31', { left: 3 }],
      ['price', '31', { price: '19.95', currency: 'EUR', as_in_carts: false }],
      ['review', '31', { average: 4.7, count: 128, quote: null, author: null }],
    ]);
  });

  test('WooCommerce: of a product with variations the ratings alone; no stock where backorders are taken or nobody counts', () => {
    const product = fixture('woocommerce/product.updated.json');
    const kinds = (more: object) => woo({ ...product, ...more }).facts.map(({ kind }) => kind);
    expect(kinds({ type: 'variable' })).toEqual(['review']);
    expect(kinds({ backorders_allowed: true, rating_count: 0 })).toEqual(['price']);
    expect(kinds({ manage_stock: false, rating_count: 0, price: '' })).toEqual([]);
    expect(said(woo({ ...product, manage_stock: false, stock_quantity: null, stock_status: 'outofstock', rating_count: 0 }).facts)[0]).toEqual([
      'stock',
      '31',
      { left: 0 },
    ]);
  });

  test('your own systems: one that is wrong is left out and named, the others count', () => {
    const body = fixture('generic/facts.updated.json') as { data: { facts: object[] } };
    const facts = [...body.data.facts, { kind: 'stock', subject: 'x', value: { left: 'few' } }];
    const received = read(genericReceiver, {}, { ...body, data: { facts } });
    expect(received).toMatchObject({ kind: 'events', notes: [{ field: 'data.facts.5.value.left' }] });
    expect(received.facts.map(({ kind }) => kind)).toEqual(['stock', 'price', 'review', 'market', 'offer_end']);
    expect(received.facts[1]?.observedAtMs).toBe(Date.parse('2026-11-20T09:00:00Z'));
    expect(read(genericReceiver, {}, { ...body, data: {} })).toMatchObject({ kind: 'unreadable' });
  });
});
