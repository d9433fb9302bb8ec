import { afterAll, beforeAll, expect, test } from 'vitest';
import { eq } from 'drizzle-orm';
import { tasks } from '../../db/schema/index.ts';
import { addTask } from '../../operations/tasks.ts';
import { openShop, type Shop } from '../helpers/shop.ts';

let shop: Shop;
beforeAll(async () => {
  shop = await openShop();
});
afterAll(() => shop.close());

const ask = (method: 'GET' | 'POST' | 'PATCH', url: string, payload?: object) =>
  shop.app.inject({ method, url, headers: { authorization: `Bearer ${shop.tenant.apiKey}` }, ...(payload === undefined ? {} : { payload }) });
const add = (key: string | null, data: Record<string, unknown>) =>
  shop.deps.db.withTenant(shop.tenant.tenantId, (tx) => addTask(tx, shop.tenant.tenantId, { kind: 'question', key, subjectId: null, data }));
const open = async () => (await ask('GET', '/api/tasks?state=open')).json<{ data: { id: string; data: Record<string, unknown> }[] }>().data;

test('of tasks with one key one is open, and a repeat brings it up to date', async () => {
  await add('chat:1', { note: 'first', name: 'Mara' });
  await add('chat:1', { note: 'second' });
  await add(null, { note: 'another' });
  const [another, one, ...rest] = await open();
  expect(rest).toEqual([]);
  expect([one?.data, another?.data]).toEqual([{ note: 'second', name: 'Mara' }, { note: 'another' }]);

  const closed = await ask('POST', `/api/tasks/${one?.id}/close`, { result: 'called back' });
  expect(closed.json()).toMatchObject({ state: 'done', result: 'called back', closed_at: expect.any(String) });
  expect((await ask('POST', `/api/tasks/${one?.id}/close`, {})).statusCode).toBe(409);
  // What is closed is history: the next one is a new task.
  await add('chat:1', { note: 'third' });
  expect((await open()).map(({ data }) => data)).toEqual([{ note: 'third' }, { note: 'another' }]);
  const rows = await shop.deps.db.withTenant(shop.tenant.tenantId, (tx) => tx.select().from(tasks).where(eq(tasks.key, 'chat:1')));
  expect(rows.length).toBe(2);
});

test('a store with a hot lead that its admin was not told of is found', async () => {
  const stores = () => shop.deps.db.tenantsWithWork('alerts');
  await ask('PATCH', '/api/settings', { settings: { adminChatId: '4711' } });
  expect(await stores()).not.toContain(shop.tenant.tenantId);
  await shop.deps.db.withTenant(shop.tenant.tenantId, (tx) =>
    addTask(tx, shop.tenant.tenantId, { kind: 'hot_lead', key: 'hot:1', subjectId: null, data: {} }),
  );
  expect(await stores()).toContain(shop.tenant.tenantId);
});
