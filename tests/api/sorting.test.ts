import fc from 'fast-check';
import pg from 'pg';
import { v7 as uuidv7 } from 'uuid';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { asc, eq } from 'drizzle-orm';
import {
  apiKeys,
  campaigns,
  contacts,
  enrollments,
  offers,
  riskAssessments,
  scripts,
  sequences,
  subjects,
  tasks,
  tenants,
} from '../../db/schema/index.ts';
import { aCart, openShop, type Shop } from '../helpers/shop.ts';
import { ask, askAll } from './left-carts.ts';

// Every list that may be sorted by more than its age, with random values: equal ones, and none. The lists are taken from the published description.

interface Parameter {
  name: string;
  schema: { enum?: string[]; default?: string };
}
type Entry = Record<string, unknown> & { id: string };

const rows = 24;
const day = 86_400_000;

let shop: Shop;
let owner: pg.Client;
let sorts: Map<string, string[]>;

/** Gives the rows of a list other values. `values` has one for each, by a small number; null: none. */
const fillers: Record<string, { field: string; fill: (values: (number | null)[]) => Promise<void> }> = {
  '/api/contacts': {
    field: 'last_name',
    fill: (values) =>
      set(
        'contacts',
        'last_name',
        values.map((n) => (n === null ? null : word(n))),
      ),
  },
  '/api/enrollments': {
    field: 'ended_at',
    fill: (values) =>
      each('enrollments', (n) => [`status = $3, ended_at = $4`, n === null ? 'ACTIVE' : 'COMPLETED', n === null ? null : time(n)] as const, values),
  },
  '/api/leads': {
    field: 'updatedAt',
    fill: (values) =>
      set(
        'subjects',
        'last_activity_at',
        values.map((n) => time(n ?? 0)),
        `kind = 'lead'`,
      ),
  },
  '/api/tasks': {
    field: 'due_at',
    fill: (values) =>
      set(
        'tasks',
        'due_at',
        values.map((n) => time(n ?? 0)),
      ),
  },
  '/api/risk/assessments': {
    field: 'score',
    fill: (values) =>
      set(
        'risk_assessments',
        'score',
        values.map((n) => (n ?? 0) / 7),
      ),
  },
  '/api/offers': {
    field: 'ends_at',
    fill: (values) =>
      set(
        'offers',
        'ends_at',
        values.map((n) => time(n ?? 0)),
      ),
  },
  '/api/keys': {
    field: 'last_used_at',
    fill: (values) =>
      set(
        'api_keys',
        'last_used_at',
        values.map((n) => (n === null ? null : time(n))),
      ),
  },
  // Their names are unique.
  '/api/campaigns': { field: 'name', fill: (values) => set('campaigns', 'name', unique(values)) },
  '/api/scripts': { field: 'name', fill: (values) => set('scripts', 'name', unique(values)) },
  '/api/sequences': { field: 'slug', fill: async () => {} },
};

const word = (n: number) => `${'abcdefgh'[n % 8]}${'abcdefgh'[Math.floor(n / 8) % 8]}`;
const unique = (values: (number | null)[]) => Array.from({ length: rows }, (_, at) => word(values[at % values.length] ?? 0) + word(at));
const time = (n: number) => new Date(Date.UTC(2026, 0, 1) + n * day).toISOString();

async function each(table: string, change: (n: number | null) => readonly [string, ...unknown[]], values: (number | null)[], which = 'true') {
  const { rows: found } = await owner.query<{ id: string }>(`select id from ${table} where tenant_id = $1 and ${which} order by id`, [
    shop.tenant.tenantId,
  ]);
  for (const [at, { id }] of found.entries()) {
    const [assignments, ...given] = change(values[at % values.length] ?? null);
    await owner.query(`update ${table} set ${assignments} where tenant_id = $1 and id = $2`, [shop.tenant.tenantId, id, ...given]);
  }
}

async function set(table: string, column: string, values: unknown[], which = 'true') {
  const { rows: found } = await owner.query<{ id: string }>(`select id from ${table} where tenant_id = $1 and ${which} order by id`, [
    shop.tenant.tenantId,
  ]);
  // A unique column must not meet an old value on the way.
  if (column === 'name') await owner.query(`update ${table} set name = id::text where tenant_id = $1`, [shop.tenant.tenantId]);
  for (const [at, { id }] of found.entries())
    await owner.query(`update ${table} set ${column} = $3 where tenant_id = $1 and id = $2`, [shop.tenant.tenantId, id, values[at % values.length]]);
}

beforeAll(async () => {
  shop = await openShop({ timeScale: 1 });
  owner = new pg.Client({ connectionString: shop.database.url });
  await owner.connect();
  for (let n = 0; n < rows; n++) await shop.post('cart.updated', aCart(`cart-${n}`, `${n}@example.com`));
  const { tenantId } = shop.tenant;
  await shop.deps.db.withTenant(tenantId, async (tx) => {
    const begun = await tx.select().from(enrollments).orderBy(asc(enrollments.id));
    const now = Date.now();
    for (const { id: enrollmentId, contactId, subjectId } of begun) {
      const id = uuidv7();
      const offer = { code: id.slice(-6).toUpperCase(), percentOff: 10, source: 'pool', state: 'minted', grantedAt: now, endsAt: now } as const;
      await tx.insert(offers).values({ tenantId, id, enrollmentId, stepId: 'email_72h', contactId, ...offer });
      await tx.insert(tasks).values({ tenantId, id: uuidv7(), kind: 'question' });
      await tx.insert(subjects).values({ tenantId, id: uuidv7(), kind: 'lead', contactId, startedAt: now, lastActivityAt: now });
      await tx.insert(campaigns).values({ tenantId, id, name: id });
      const script = { channel: 'call', about: 'lead', texts: {}, content: {}, changedBy: 'test' };
      await tx.insert(scripts).values({ tenantId, id, name: id, ...script });
      const assessed = { at: now, by: 'rules', rulesBecause: 'no_model', basis: 'rank', band: 'early', bandBefore: 'none', cause: 'asked' } as const;
      const by = { thresholds: { version: 0, early: 0.3, active: 0.6, critical: 0.8 }, prediction: { what: 'no_purchase', withinDays: 60 } } as const;
      await tx.insert(riskAssessments).values({ tenantId, id: uuidv7(), subjectId, score: 0.5, factors: [], ...assessed, ...by });
    }
    expect(await tx.$count(contacts)).toBe(rows);
    expect(await tx.$count(sequences)).toBeGreaterThan(5);
    expect(await tx.$count(tenants)).toBe(1);
  });
  for (let n = 0; n < 6; n++) await own('/api/keys', 'POST', { name: `key ${n}` });
  const { paths } = (await shop.app.inject('/openapi.json')).json<{ paths: Record<string, Record<string, { parameters?: Parameter[] }>> }>();
  sorts = new Map(
    Object.entries(paths).flatMap(([path, { get }]) => {
      const sort = get?.parameters?.find(({ name }) => name === 'sort')?.schema.enum;
      return sort === undefined ? [] : [[path, sort] as const];
    }),
  );
});
afterAll(async () => {
  await owner.end();
  await shop.close();
});

const own = (url: string, method: 'GET' | 'POST' = 'GET', payload?: Record<string, unknown>) => ask(shop, shop.tenant.apiKey, url, method, payload);
const all = (url: string) => askAll<Entry>(shop, shop.tenant.apiKey, url);

/** By value, then by id; without a value at the end. */
function sorted(entries: readonly Entry[], field: string, descending: boolean): string[] {
  const sign = descending ? -1 : 1;
  const compare = (a: Entry, b: Entry) => {
    const [x, y] = [a[field], b[field]] as (string | number | null)[];
    if (x === null || y === null || x === undefined || y === undefined) return x === y ? sign * (a.id < b.id ? -1 : 1) : x === null ? 1 : -1;
    return sign * (x < y ? -1 : x > y ? 1 : a.id < b.id ? -1 : 1);
  };
  return entries.toSorted(compare).map(({ id }) => id);
}

describe('a list that may be sorted by a field', () => {
  test('is among these', () => {
    // Keys of another store are the same list, asked for with the installation's key.
    const named = [...sorts].flatMap(([path, known]) => (known.length > 2 && !path.startsWith('/api/tenants') ? [path] : []));
    expect(named.toSorted()).toEqual(Object.keys(fillers).toSorted());
  });

  test('is the whole of it in that order, page by page, with equal values and without any', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.option(fc.integer({ min: 0, max: 4 }), { freq: 3 }), { minLength: 3, maxLength: 9 }),
        fc.integer({ min: 1, max: 9 }),
        fc.boolean(),
        async (values, limit, descending) => {
          for (const [path, { field, fill }] of Object.entries(fillers)) {
            await fill(values);
            const listed = await all(path);
            // The key that asks, the oldest, is used meanwhile.
            const asking = path === '/api/keys' ? listed[0]?.id : null;
            const entries = listed.filter((one) => asking === null || one.id !== asking);
            // Sequences are known by their slug.
            const byId = path === '/api/sequences' ? entries.map((one) => ({ ...one, id: String(one['slug']) })) : entries;
            const found = await all(`${path}?sort=${descending ? '-' : ''}${field}&limit=${limit}`);
            const ids = found
              .filter((one) => asking === null || one.id !== asking)
              .map((one) => (path === '/api/sequences' ? String(one['slug']) : one.id));
            expect(ids, `${path} ${field}`).toEqual(sorted(byId, field, descending));
          }
        },
      ),
      { numRuns: 5 },
    );
  });

  test('refuses a cursor of another order, and an order that it does not have', async () => {
    for (const [path, { field }] of Object.entries(fillers)) {
      const { nextCursor } = (await own(`${path}?limit=1&sort=${field}`)).body as { nextCursor: string };
      for (const other of ['created_at', '-created_at', `-${field}`])
        expect(await own(`${path}?sort=${other}&cursor=${nextCursor}`), `${path} ${other}`).toMatchObject({
          status: 400,
          body: { code: 'invalid_request', errors: [{ path: 'querystring/cursor', message: expect.stringContaining(`sort=${field}`) as unknown }] },
        });
      expect((await own(`${path}?sort=${field}&cursor=${nextCursor}`)).status).toBe(200);
      expect(await own(`${path}?sort=colour`)).toMatchObject({ status: 400, body: { errors: [{ path: 'querystring/sort' }] } });
      for (const forged of ['x', '2026', '1e999', '\0', 'a'.repeat(3_000), '99999999999999999']) {
        const id = '01a1fd44-f7e3-707e-84b7-fb0330d18fa6';
        const list = Buffer.from(nextCursor, 'base64url').toString().split(' ')[0];
        const cursor = Buffer.from(`${list} ${field} ${id}=${forged}`).toString('base64url');
        expect([200, 400], `${path} ${forged}`).toContain((await own(`${path}?sort=${field}&cursor=${cursor}`)).status);
      }
    }
  });

  test('goes on where it stood although the row of its cursor has another value meanwhile, or is gone', async () => {
    await fillers['/api/tasks']?.fill([0, 1, 2, 3]);
    const whole = await all('/api/tasks?sort=due_at');
    const first = (await own('/api/tasks?sort=due_at&limit=5')).body as { data: Entry[]; nextCursor: string };
    await shop.deps.db.withTenant(shop.tenant.tenantId, (tx) =>
      tx
        .update(tasks)
        .set({ dueAt: Date.UTC(2030, 0, 1) })
        .where(eq(tasks.id, first.data[4]?.id ?? '')),
    );
    const rest = (await own(`/api/tasks?sort=due_at&limit=500&cursor=${first.nextCursor}`)).body as { data: Entry[] };
    expect(rest.data.slice(0, -1).map(({ id }) => id)).toEqual(whole.slice(5).map(({ id }) => id));
    expect(await shop.deps.db.withTenant(shop.tenant.tenantId, (tx) => tx.$count(apiKeys))).toBeGreaterThan(6);
  });
});
