import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openShop, type Shop } from '../helpers/shop.ts';

// What every event and every pass of a job asks reads a bounded number of rows, however large the tables are.

let shop: Shop;
let owner: pg.Client;
beforeAll(async () => {
  shop = await openShop();
  owner = new pg.Client({ connectionString: shop.database.url });
  await owner.connect();
  // Twenty thousand enrollments of ten thousand contacts, one in ten still open; foreign keys are not the point here.
  await owner.query('set session_replication_role = replica');
  await owner.query(
    `insert into enrollments (tenant_id, id, sequence_id, version_id, contact_id, subject_id, status, stop_reason, sequence_type, cart_value_minor, currency, time_scale, anchor_at, ended_at)
     select $1, gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), ('00000000-0000-7000-8000-' || lpad((n % 10000)::text, 12, '0'))::uuid, gen_random_uuid(),
       case when n % 10 = 0 then 'ACTIVE' else 'EXITED' end, case when n % 10 = 0 then null else 'replied' end, 'returning', 100, 'EUR', 1, now(),
       case when n % 10 = 0 then null else now() end
     from generate_series(1, 20000) n`,
    [shop.tenant.tenantId],
  );
  await owner.query('analyze enrollments');
});
afterAll(async () => {
  await owner.end();
  await shop.close();
});

async function planOf(query: string): Promise<string> {
  const { rows } = await owner.query<{ 'QUERY PLAN': string }>(`explain ${query}`);
  return rows.map((row) => row['QUERY PLAN']).join('\n');
}
const contact = "'00000000-0000-7000-8000-000000000042'";

test('every stop looks up a contact’s enrollments by their contact', async () => {
  const tenant = `tenant_id = '${shop.tenant.tenantId}'`;
  for (const open of ['and ended_at is null', '']) {
    const plan = await planOf(`select id from enrollments where ${tenant} and contact_id in (${contact}) ${open}`);
    expect(plan).toMatch(/Index Cond:.*contact_id/);
    expect(plan).not.toContain('Seq Scan');
  }
});

test('the reconciler walks open enrollments only', async () => {
  const tenant = `tenant_id = '${shop.tenant.tenantId}'`;
  const plan = await planOf(`select id from enrollments where ${tenant} and ended_at is null and id > ${contact} order by id limit 500`);
  expect(plan).toContain('enrollments_open');
  expect(plan).not.toContain('Seq Scan');
});
