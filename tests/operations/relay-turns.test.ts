import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { anotherStore } from '../api/left-carts.ts';
import { openShop, type Shop } from '../helpers/shop.ts';

// The relay hands what is to be started to Temporal in turns by store: docs/adr/0122-stores-take-turns-all-the-way.md

let shop: Shop;
let owner: pg.Client;
let neighbour: string;
beforeAll(async () => {
  shop = await openShop();
  owner = new pg.Client({ connectionString: shop.database.url });
  await owner.connect();
  neighbour = (await anotherStore(shop, 'neighbour')).tenantId;
});
afterAll(async () => {
  await owner.end();
  await shop.close();
});

/** So many sequences that begin, in this order, of which each is also to be stopped. @returns their enrollments */
async function begun(tenantId: string, count: number, from: number): Promise<string[]> {
  const id = (n: number) => `01900000-0000-7000-8000-${(from + n).toString(16).padStart(12, '0')}`;
  const ids = Array.from({ length: count }, (_, n) => id(n));
  await owner.query(`insert into contacts (tenant_id, id, person_id) select $1, i, i from unnest($2::uuid[]) i`, [tenantId, ids]);
  await owner.query(
    `insert into subjects (tenant_id, id, contact_id, kind, details, started_at, last_activity_at) select $1, i, i, 'cart', '{}', now(), now() from unnest($2::uuid[]) i`,
    [tenantId, ids],
  );
  await owner.query(
    `insert into enrollments (tenant_id, id, sequence_id, version_id, contact_id, subject_id, sequence_type, time_scale, anchor_at)
     select $1, i, s.id, s.current_version_id, i, i, 'first_time', 1, now() from unnest($2::uuid[]) i, sequences s where s.tenant_id = $1 and s.slug = 'cart'`,
    [tenantId, ids],
  );
  for (const kind of ['start', 'stop'])
    await owner.query(
      `insert into outbox (tenant_id, enrollment_id, kind) select $1, i.id, $3 from unnest($2::uuid[]) with ordinality i(id, n) order by i.n`,
      [tenantId, ids, kind],
    );
  return ids;
}

test('thousands of one store keep another waiting for one turn, each store’s own come in order, and nothing is stopped before it is started', async () => {
  const many = await begun(shop.tenant.tenantId, 2_000, 0);
  const few = await begun(neighbour, 3, 10_000);
  const claimed = await shop.deps.db.claimOutbox(50, 60_000);
  expect(
    claimed
      .filter(({ tenantId }) => tenantId === neighbour)
      .map(({ enrollmentId }) => enrollmentId)
      .toSorted(),
  ).toEqual(few);
  expect(
    claimed
      .filter(({ tenantId }) => tenantId !== neighbour)
      .map(({ enrollmentId }) => enrollmentId)
      .toSorted(),
  ).toEqual(many.slice(0, 47));
  expect(new Set(claimed.map(({ kind }) => kind))).toEqual(new Set(['start']));

  // Several processes at once: none is given what another has, and each gets as many as it asked for.
  const together = await Promise.all([1, 2, 3].map(() => shop.deps.db.claimOutbox(50, 60_000)));
  expect(together.map((some) => some.length)).toEqual([50, 50, 50]);
  const all = [...claimed, ...together.flat()].map(({ enrollmentId }) => enrollmentId);
  expect(new Set(all).size).toBe(200);
});

test('more stores than a process takes at once keep none of them from having a turn', async () => {
  await owner.query('truncate outbox');
  for (const n of Array.from({ length: 6 }, (_, i) => i)) await begun((await anotherStore(shop, `old-${n}`)).tenantId, 200, 20_000 + n * 1_000);
  const late = (await anotherStore(shop, 'late')).tenantId;
  await begun(late, 1, 40_000);
  let turns = 0;
  for (let taken = false; !taken; turns++) taken = (await shop.deps.db.claimOutbox(5, 60_000)).some(({ tenantId }) => tenantId === late);
  // It has five chances of seven in each; in the order of what is due it would come last, after 240.
  expect(turns).toBeLessThan(40);
});
