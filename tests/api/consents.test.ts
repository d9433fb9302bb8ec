import { afterAll, beforeAll, expect, test } from 'vitest';
import { openShop, type Shop } from '../helpers/shop.ts';
import { anotherStore, ask, askAll } from './left-carts.ts';

let shop: Shop;
beforeAll(async () => {
  shop = await openShop({ timeScale: 1 });
});
afterAll(() => shop.close());

const of = (query: string) => askAll<Record<string, unknown>>(shop, shop.tenant.apiKey, `/api/consents?${query}`);

test('every statement is kept with its wording and proof, and shown to its store alone', async () => {
  const email = 'consent@example.com';
  const at = Date.now() - 60_000;
  const given = {
    contact: { email },
    channel: 'email',
    source: 'form',
    wording: 'Yes, send me offers.',
    wording_version: '2026-03',
    ip: '192.0.2.7',
    user_agent: 'Mozilla/5.0',
    url: 'https://shop.example.com/news',
  };
  await shop.post('contact.opted_in', given, { at });
  await shop.post('contact.opted_out', { contact: { email }, channel: 'all', source: 'phone call' }, { at: at + 1_000 });
  const statements = await of('email=Consent@Example.com');
  expect(statements).toMatchObject([
    {
      channel: 'all',
      state: 'denied',
      source: 'phone call',
      basis: 'person',
      wording: null,
      ip: null,
      stated_at: new Date(at + 1_000).toISOString(),
    },
    {
      ...{ channel: 'email', purpose: 'marketing', state: 'granted', source: 'form', basis: 'person', wording: given.wording },
      ...{ wording_version: '2026-03', ip: '192.0.2.7', user_agent: 'Mozilla/5.0', url: given.url, stated_at: new Date(at).toISOString() },
    },
  ]);
  expect(await of('email=nobody@example.com')).toEqual([]);
  const other = await anotherStore(shop, 'consents-other');
  expect((await ask(shop, other.apiKey, `/api/consents?email=${email}`)).body).toMatchObject({ data: [] });
});

test('it asks whose', async () => {
  for (const query of ['', 'email=nothing', 'phone=x', 'colour=red'])
    expect((await ask(shop, shop.tenant.apiKey, `/api/consents?${query}`)).status).toBe(400);
});
