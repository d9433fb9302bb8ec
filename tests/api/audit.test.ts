import { afterAll, beforeAll, expect, test } from 'vitest';
import { firstKey, issueKey } from '../../operations/api-keys.ts';
import { openShop, type Shop } from '../helpers/shop.ts';
import { anotherStore, ask, askAll } from './left-carts.ts';

let shop: Shop;
beforeAll(async () => {
  shop = await openShop({ timeScale: 1 });
});
afterAll(() => shop.close());
interface Entry {
  id: string;
  actor: string;
  key_name: string | null;
  action: string;
  subject: string | null;
}
const own = (url: string, method: 'GET' | 'POST' | 'PATCH' | 'DELETE' = 'GET', body?: Record<string, unknown>) =>
  ask(shop, shop.tenant.apiKey, url, method, body);
const found = async (query: string) => ((await own(`/api/audit?${query}`)).body as { data: Entry[] }).data;

test('what was done by hand is listed with who did it, the latest first', async () => {
  const made = (await own('/api/connections', 'POST', { integration: 'generic', name: 'Our own', secrets: [] })).body as { id: string };
  await own(`/api/connections/${made.id}`, 'PATCH', { name: 'Ours' });
  const [changed, created] = await found(`subject=${made.id}`);
  expect([changed, created]).toMatchObject([
    { action: 'connection.change', key_name: 'first key', actor: expect.stringMatching(/^api_key:/) as string, data: { fields: ['name'] } },
    { action: 'connection.create', key_name: 'first key', subject: made.id },
  ]);
  expect((await found('action=connection.')).map(({ action }) => action)).toEqual(expect.arrayContaining(['connection.change', 'connection.create']));
  expect(await found('action=connection')).toEqual([]);
  // A sign of a pattern is a sign.
  expect(await found('action=connection%25.')).toEqual([]);
  expect((await found(`actor=${changed?.actor ?? ''}`)).length).toBeGreaterThanOrEqual(2);
  expect(await found(`since=${new Date(Date.now() + 60_000).toISOString()}`)).toEqual([]);
  const all = await askAll<Entry>(shop, shop.tenant.apiKey, '/api/audit?limit=1');
  expect(all.map(({ id }) => id)).toEqual((await found('limit=500')).map(({ id }) => id));
});

test('it is for admins, and another store’s is not there', async () => {
  const editor = (await issueKey(shop.deps, shop.tenant.tenantId, { ...firstKey, role: 'editor' }, 'test')).apiKey;
  expect(await ask(shop, editor, '/api/audit')).toMatchObject({ status: 403, body: { permission: 'administer' } });
  const other = await anotherStore(shop, 'another-store');
  const theirs = await askAll<Entry>(shop, other.apiKey, '/api/audit');
  const ours = (await found('limit=500')).map(({ id }) => id);
  expect(theirs.filter(({ id }) => ours.includes(id))).toEqual([]);
});
