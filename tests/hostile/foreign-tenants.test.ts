import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { compositions, erasures, experiments, personExports, tasks } from '../../db/schema/index.ts';
import { anotherStore, ask, leaveCart, type Method, sendFirstMail } from '../api/left-carts.ts';
import { openShop, type Shop } from '../helpers/shop.ts';
import { everythingStored } from './hostile-shop.ts';

interface Operation {
  security?: Record<string, unknown>[];
  requestBody?: unknown;
  parameters?: { name: string; in: string; required?: boolean }[];
}

let shop: Shop;
let other: { tenantId: string; apiKey: string };
/** An id of each kind of thing that our store has. */
let ids: { kind: string; id: string }[];
/** What a store's own key opens. */
let routes: { method: Method; path: string; operation: Operation }[];
beforeAll(async () => {
  shop = await openShop({ timeScale: 1 });
  other = await anotherStore(shop, 'another-store');
  await sendFirstMail(shop, await leaveCart(shop, 'cart-1', 'ada@example.com'));
  await ask(shop, shop.tenant.apiKey, '/api/campaigns', 'POST', { name: 'Ours' });
  await ask(shop, shop.tenant.apiKey, '/api/scripts', 'POST', { name: 'ours', channel: 'call', content: 'Hello, {{ store.name }} here.' });
  const enrollment = await shop.enrollmentOf('cart-1');
  const text = { state: 'ready' as const, channel: 'email', language: 'en', fingerprint: '', model: 'made-up', body: 'Hello.', dueAt: 0 };
  await shop.deps.db.withTenant(shop.tenant.tenantId, (tx) =>
    tx
      .insert(compositions)
      .values({ tenantId: shop.tenant.tenantId, id: randomUUID(), enrollmentId: enrollment?.id ?? '', stepId: 'email_2h', ...text }),
  );
  await shop.deps.db.withTenant(shop.tenant.tenantId, (tx) =>
    tx.insert(tasks).values({ tenantId: shop.tenant.tenantId, id: randomUUID(), kind: 'question' }),
  );
  await shop.deps.db.withTenant(shop.tenant.tenantId, (tx) =>
    tx.insert(experiments).values({
      ...{ tenantId: shop.tenant.tenantId, id: randomUUID(), sequenceId: enrollment?.sequenceId ?? '', stepId: 'email_2h' },
      shares: { a: 0.5, b: 0.5 },
    }),
  );
  await ask(shop, shop.tenant.apiKey, '/api/risk/runs', 'POST');
  for (const table of [erasures, personExports])
    await shop.deps.db.withTenant(shop.tenant.tenantId, (tx) =>
      tx.insert(table).values({
        ...{ tenantId: shop.tenant.tenantId, id: randomUUID(), contactId: enrollment?.contactId ?? '' },
        ...{ origin: 'request', requestedBy: 'test' },
      }),
    );
  await ask(shop, shop.tenant.apiKey, '/api/invitations', 'POST', { email: 'ours@example.com', role: 'viewer' });
  await ask(shop, shop.tenant.apiKey, '/api/conversions', 'POST', { sub_id: 'ours', status: 'sale' });
  await ask(shop, shop.tenant.apiKey, '/api/bulk-actions', 'POST', { action: 'pause', filter: { sequence: 'cart' } });
  const hook = await ask(shop, shop.tenant.apiKey, '/api/webhook-endpoints', 'POST', { url: 'https://hooks.example.com/' });
  await ask(shop, shop.tenant.apiKey, `/api/webhook-endpoints/${(hook.body as { id: string }).id}/test`, 'POST');
  await ask(shop, shop.tenant.apiKey, '/api/notification-targets', 'POST', { channel: 'email', address: 'ours@example.com' });
  await shop.deps.db.withTenant(shop.tenant.tenantId, (tx) =>
    tx.insert(tasks).values({ tenantId: shop.tenant.tenantId, id: randomUUID(), kind: 'consultation' }),
  );
  const headers = { authorization: `Bearer ${shop.tenant.apiKey}`, 'content-type': 'text/csv' };
  await shop.app.inject({ method: 'POST', url: '/api/imports', headers, payload: 'email\nours@example.com\n' });
  const { rows } = await shop.deps.db.withTenant(shop.tenant.tenantId, (tx) =>
    tx.execute<{ kind: string; id: string }>(
      [
        'enrollments',
        'subjects',
        'contacts',
        'messages',
        'decisions',
        'sequences',
        'sequence_versions',
        'connections',
        'api_keys',
        'tenants',
        'inbox',
        'campaigns',
        'scripts',
        'compositions',
        'lead_conversions',
        'imports',
        'tasks',
        'experiments',
        'risk_runs',
        'erasures',
        'person_exports',
        'invitations',
        'webhook_endpoints',
        'notification_targets',
        'notifications',
        'webhook_deliveries',
        'bulk_actions',
      ]
        .map((table) => `(select '${table}' as kind, id::text from ${table} limit 1)`)
        .join(' union all '),
    ),
  );
  ids = rows;
  const { paths } = (await shop.app.inject('/openapi.json')).json<{ paths: Record<string, Record<string, Operation>> }>();
  routes = Object.entries(paths)
    .flatMap(([path, methods]) => Object.entries(methods).map(([method, operation]) => ({ method: method.toUpperCase() as Method, path, operation })))
    .filter(({ operation }) => (operation.security ?? []).some((way) => 'apiKey' in way));
});
afterAll(() => shop.close());

const addressOf = ({ path, operation }: (typeof routes)[number], id: string) => {
  const query = (operation.parameters ?? []).filter((p) => p.in === 'query' && p.required === true).map((p) => `${p.name}=x`);
  return path.replace('{id}', id) + (query.length === 0 ? '' : `?${query.join('&')}`);
};

/** What each of them takes as a change. */
const bodyOf = ({ method, path, operation }: (typeof routes)[number]) => {
  if (operation.requestBody === undefined) return undefined;
  if (path.endsWith('/send')) return { type: 'contact.updated', data: { contact: { email: 'taken-over@example.com' } } };
  if (path.endsWith('/leads') || path.endsWith('/match')) return { lead: randomUUID() };
  if (path.endsWith('/authorise')) return { code: 'taken-over' };
  if (path.endsWith('/merge')) return { with: randomUUID() };
  if (path.endsWith('/consents')) return { channel: 'all', state: 'denied' };
  if (path === '/api/tasks/{id}/snooze') return { until: '2999-01-01T00:00:00Z' };
  if (path.endsWith('/accept') || path.endsWith('/reassign')) return { owner: 'Taken over' };
  if (path.endsWith('/snooze')) return { hours: 1 };
  if (path.endsWith('/dismiss')) return { reason: 'Taken over' };
  if (path === '/api/members/{id}') return { role: 'viewer' };
  if (path === '/api/scripts/{id}') return { name: 'taken-over' };
  if (path === '/api/notification-targets/{id}') return { owner: 'Taken over' };
  if (path === '/api/webhook-endpoints/{id}') return { description: 'Taken over' };
  if (path === '/api/webhook-endpoints/{id}/redeliver') return { since: '2026-01-01T00:00:00Z' };
  return method === 'PATCH' ? { name: 'Taken over' } : {};
};

test('every route that takes an id answers another store’s ids as it answers ids that nobody has, and does nothing', async () => {
  const withId = routes.filter(({ path }) => path.includes('{id}'));
  expect(withId.length).toBeGreaterThanOrEqual(3);
  expect(ids.length).toBeGreaterThanOrEqual(10);
  const before = await everythingStored(shop);
  for (const route of withId) {
    const nobodys = await ask(shop, other.apiKey, addressOf(route, randomUUID()), route.method, bodyOf(route));
    expect(nobodys.status, route.path).toBe(404);
    // None of them does anything, so that they may ask at once.
    await Promise.all(
      ids.map(async ({ kind, id }) => {
        const ours = await ask(shop, other.apiKey, addressOf(route, id), route.method, bodyOf(route));
        expect([ours.status, ours.body], `${route.method} ${route.path} with one of ${kind}`).toEqual([nobodys.status, nobodys.body]);
      }),
    );
  }
  expect(await everythingStored(shop)).toEqual(before);
}, 600_000);

test('every route that lists shows another store nothing of ours, whatever the cursor and the parameters say', async () => {
  const secrets = [...ids.map(({ id }) => id), 'ada@example.com'];
  const shows = async (route: (typeof routes)[number], query: string, but?: string) => {
    const text = JSON.stringify((await ask(shop, other.apiKey, addressOf(route, '') + query, route.method)).body);
    for (const secret of secrets) if (secret !== but) expect(text, `${route.method} ${route.path}${query}`).not.toContain(secret);
  };
  let turn = 0;
  for (const route of routes.filter(({ path }) => !path.includes('{'))) {
    await shows(route, '');
    const known = (route.operation.parameters ?? []).filter((one) => one.in === 'query').map(({ name }) => name);
    for (const parameter of ['cursor', 'tenant', 'tenant_id', 'store', 'id', ...known.filter((name) => name.endsWith('_id'))]) {
      // A route looks at the parameters of its description alone, which is what it reads them by: any one id shows that of the others.
      const tried = known.includes(parameter) ? ids : ids.slice(turn % ids.length, (turn++ % ids.length) + 1);
      await Promise.all(tried.map(({ id }) => shows(route, `?${parameter}=${id}`, id)));
    }
    if (!known.includes('cursor')) continue;
    // A cursor that is well-formed: the one that our own list gives.
    const { nextCursor } = (await ask(shop, shop.tenant.apiKey, `${addressOf(route, '')}?limit=1`)).body as { nextCursor?: string | null };
    if (typeof nextCursor === 'string') await shows(route, `?cursor=${nextCursor}`);
  }
}, 600_000);

test('a key in two headers, in another case or with something behind it is the key or none, never another store’s', async () => {
  const list = (headers: Record<string, string>) => shop.app.inject({ url: '/recovery/sequences', headers });
  expect((await list({ authorization: `bearer ${shop.tenant.apiKey}` })).json<unknown[]>()).toHaveLength(1);
  // The bearer counts.
  expect((await list({ authorization: `Bearer ${other.apiKey}`, 'x-api-key': shop.tenant.apiKey })).json()).toEqual([]);
  for (const key of [
    shop.tenant.apiKey.toUpperCase(),
    `${shop.tenant.apiKey}x`,
    `${shop.tenant.apiKey}, ${other.apiKey}`,
    `${shop.tenant.apiKey}%00`,
  ])
    expect((await list({ authorization: `Bearer ${key}` })).statusCode, key).toBe(401);
});
