import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openShop, type Shop } from '../helpers/shop.ts';

// What every event or every pass of a job asks has an index, also where the tables are large.

let shop: Shop;
beforeAll(async () => {
  shop = await openShop();
});
afterAll(() => shop.close());

/** The plan of a query with sequential scans forbidden: an index that could be used is used. */
async function planOf(query: string): Promise<string> {
  const owner = new pg.Client({ connectionString: shop.database.url });
  await owner.connect();
  try {
    await owner.query('set enable_seqscan = off');
    const { rows } = await owner.query<{ 'QUERY PLAN': string }>(`explain ${query}`);
    return rows.map((row) => row['QUERY PLAN']).join('\n');
  } finally {
    await owner.end();
  }
}
const tenant = "tenant_id = '00000000-0000-7000-8000-000000000000'";
const id = "'00000000-0000-7000-8000-000000000001'";

test('every stop looks up a contact’s enrollments by an index', async () => {
  expect(await planOf(`select id from enrollments where ${tenant} and contact_id in (${id}) and ended_at is null`)).toMatch(
    /Index Cond:.*contact_id/,
  );
  expect(await planOf(`select id from enrollments where ${tenant} and contact_id in (${id})`)).toMatch(/Index Cond:.*contact_id/);
});

test('the reconciler walks open enrollments only', async () => {
  expect(await planOf(`select id from enrollments where ${tenant} and ended_at is null and id > ${id} order by id limit 500`)).toMatch(
    /enrollments_open/,
  );
});
