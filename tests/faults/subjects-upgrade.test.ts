import { randomBytes, randomUUID } from 'node:crypto';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { drizzle } from 'drizzle-orm/node-postgres';
import pg from 'pg';
import { expect, inject, test } from 'vitest';
import { migrate } from '../../db/migrate.ts';
import { readSums } from '../../operations/read/sums.ts';
import { openPool } from '../helpers/open-pool.ts';
import { comparable, countSlowly } from '../helpers/slow-figures.ts';

// 0016 comes over a store while the build before writes carts, sends, sells and reads its figures: with the very statements and functions of
// that build, as the application's role, on connections that keep their plans.

const migrations = join(import.meta.dirname, '../../db/migrations');

async function migrateBefore(url: string, tag: string): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'rekindle-migrations-'));
  try {
    cpSync(migrations, folder, { recursive: true });
    const file = join(folder, 'meta/_journal.json');
    const journal: { entries: { tag: string }[] } = JSON.parse(readFileSync(file, 'utf8'));
    const entries = journal.entries.slice(
      0,
      journal.entries.findIndex((entry) => entry.tag === tag),
    );
    writeFileSync(file, JSON.stringify({ ...journal, entries }));
    await migrate(url, folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Rows whose new side says something else than the old one. A null on the new side says nothing: the old one is read then, column by column. */
const torn = `
  select 'subject' as what, s.id from subjects s where s.kind = 'cart' and
    (s.details <> cart_details(s.items, s.restore_url, s.origin, s.bought) or s.value_minor is not null and s.value_minor is distinct from s.total_minor)
  union all
  select 'enrollment', e.id from enrollments e where e.segment is not null and sequence_type_of(e.segment) <> e.sequence_type
    or e.value_minor is not null and e.value_minor is distinct from e.cart_value_minor`;

test('the build before goes on writing and reading while subjects become general, and nothing is lost or counted twice', async () => {
  const admin = new pg.Client({ connectionString: inject('postgresUrl') });
  await admin.connect();
  const name = `test_${randomBytes(6).toString('hex')}`;
  await admin.query(`create database ${name}`);
  const url = new URL(inject('postgresUrl'));
  url.pathname = `/${name}`;
  const owner = new pg.Client({ connectionString: url.href });
  const app = openPool({ connectionString: url.href, options: '-c role=rekindle_app', max: 6 });
  try {
    await migrateBefore(url.href, '0016_subjects');
    await owner.connect();
    const [tenant, connection, sequence, version] = [randomUUID(), randomUUID(), randomUUID(), randomUUID()];
    await owner.query(`insert into tenants (id, slug, name, settings) values ($1, 'store', 'Store', '{}')`, [tenant]);
    await owner.query(`insert into connections (tenant_id, id, integration, name) values ($1, $2, 'generic', 'x')`, [tenant, connection]);
    await owner.query(`insert into sequences (tenant_id, id, slug, name) values ($1, $2, 'cart', 'Cart')`, [tenant, sequence]);
    await owner.query(
      `insert into sequence_versions (tenant_id, id, sequence_id, version, definition, content, source_hash) values ($1, $2, $3, 1, '{}', '{}', '')`,
      [tenant, version, sequence],
    );

    let over = false;
    let carts = 0;
    let refused = 0;
    /** In a transaction of the tenant; one that meets the migration's locks is refused and done again, as webhooks and dispatches are. */
    async function inTenant<T>(work: (client: pg.PoolClient) => Promise<T>): Promise<T> {
      for (;;) {
        const client = await app.connect();
        try {
          await client.query('begin');
          await client.query(`select set_config('app.tenant', $1, true), set_config('lock_timeout', '800ms', true)`, [tenant]);
          const done = await work(client);
          await client.query('commit');
          return done;
        } catch (error) {
          await client.query('rollback');
          const code = error instanceof pg.DatabaseError ? error.code : undefined;
          if (code !== '55P03' && code !== '40P01') throw error;
          refused += 1;
        } finally {
          client.release();
        }
      }
    }
    const call = (client: pg.PoolClient, fn: string, argument: object) => client.query({ name: fn, text: `select ${fn}($1)`, values: [argument] });

    /** A cart from its first event to its order, as the build before writes it. */
    async function aCart(): Promise<void> {
      const n = (carts += 1);
      const [contact, subject, enrollment] = [randomUUID(), randomUUID(), randomUUID()];
      const at = new Date().toISOString();
      const fields = (total: number) => ({
        ...{ id: subject, contact_id: contact, currency: 'EUR', total_minor: total, restore_url: null, email: null, email_at: null, phone: null },
        ...{ phone_at: null, origin: n % 2 === 0 ? 'web' : null, started_at: at, last_activity_at: at, previous_subject_id: null },
        items: [{ title: `Lamp ${n}`, quantity: 1, priceMinor: total, stock: null }],
      });
      await inTenant((client) =>
        call(client, 'write_cart_2', {
          new_contact: { id: contact, lifecycle: 'NEW' },
          new_subject: fields(1_000 + n),
          enrollments: [
            {
              ...{ id: enrollment, event_id: randomUUID(), sequence_id: sequence, version_id: version, contact_id: contact, subject_id: subject },
              ...{ sequence_type: n % 3 === 0 ? 'returning' : 'first_time', cart_value_minor: 1_000 + n, currency: 'EUR', time_scale: 1 },
              ...{ anchor_at: at, enrolled: {} },
            },
          ],
        }),
      );
      await inTenant((client) => call(client, 'write_cart_2', { subject: fields(2_000 + n) }));
      await inTenant((client) =>
        client.query({
          name: 'activate',
          text: 'update enrollments set activated_at = clock_timestamp(), cart_value_minor = $1 where id = $2',
          values: [n % 5 === 0 ? null : 2_000 + n, enrollment],
        }),
      );
      await inTenant((client) =>
        client.query({
          name: 'send',
          text: `insert into messages (tenant_id, id, enrollment_id, step_id, contact_id, state, channel) values ($1, $2, $3, 'email_2h', $4, 'sent', 'email')`,
          values: [tenant, randomUUID(), enrollment, contact],
        }),
      );
      if (n % 2 === 0) return;
      await inTenant((client) =>
        client.query({
          name: 'buy',
          text: `update subjects set state = 'converted', converted_at = now(), bought = $1 where id = $2`,
          values: [JSON.stringify([{ title: `Lamp ${n}`, productId: null }]), subject],
        }),
      );
      await inTenant((client) =>
        client.query({
          name: 'order',
          text: `insert into conversions (tenant_id, id, connection_id, order_id, enrollment_id, currency, value_minor, placed_at) values ($1, $2, $3, $4, $5, 'EUR', $6, now())`,
          values: [tenant, randomUUID(), connection, String(n), enrollment, 2_000 + n],
        }),
      );
    }
    /** The figures of the build before: what it reads of both names in one statement. */
    const oldFigures = () =>
      inTenant((client) =>
        client.query<{ started: string; mails: string; revenue: string }>({
          name: 'figures',
          text: `select sum(started) as started, sum(mails) as mails, sum(revenue_minor) as revenue from (
              select sequence_type, currency, started, mails, revenue_minor from rollups where grain = 'hour'
              union all select sequence_type, currency, started, mails, revenue_minor from rollup_deltas) as sums`,
        }),
      ).then(({ rows: [row] }) => [Number(row?.started), Number(row?.mails), Number(row?.revenue)]);

    const busy = [1, 2, 3].map(async () => {
      while (!over) await aCart();
    });
    const folding = (async () => {
      while (!over) await app.query('select fold_rollups(20)');
    })();
    const seen: number[][] = [];
    const looking = (async () => {
      while (!over) seen.push(await oldFigures());
    })();
    const running = Promise.all([...busy, folding, looking]);
    const untilCarts = async (n: number) => {
      while (carts < n) await Promise.race([running, new Promise((done) => setTimeout(done, 10))]);
    };
    await untilCarts(60);
    await migrate(url.href);
    const before = carts;
    await untilCarts(before + 60);
    over = true;
    await running;

    // Figures never went back, whatever was folded, copied or renamed.
    for (const [index, figures] of seen.entries())
      for (const [at, n] of (seen[index - 1] ?? []).entries()) expect(figures[at]).toBeGreaterThanOrEqual(n);
    const counted = comparable(await countSlowly(owner, tenant, 0));
    expect(counted['cart first_time']?.started).toBeGreaterThan(50);
    expect(comparable(await readSums(drizzle(owner), 0))).toEqual(counted);
    const sumOf = (figure: 'started' | 'sent' | 'revenueMinor') => Object.values(counted).reduce((sum, place) => sum + place[figure], 0);
    expect(await oldFigures()).toEqual([sumOf('started'), sumOf('sent'), sumOf('revenueMinor')]);

    // Some rows nobody has written since, some are new; both sides of what was written agree, and readers see all of them.
    const one = async (text: string) => Number((await owner.query<{ n: string }>(`select count(*) as n from ${text}`)).rows[0]?.n);
    expect(await one('subjects where details is null')).toBeGreaterThan(0);
    expect(await one('subjects where details is not null')).toBeGreaterThan(60);
    expect((await owner.query(torn)).rows).toEqual([]);
    expect(
      await one(`subjects s where details_of_subject(s) -> 'items' is distinct from s.items or value_of_subject(s) is distinct from s.total_minor`),
    ).toBe(0);
    expect(await one('enrollments e where value_of_enrollment(e) is distinct from e.cart_value_minor')).toBe(0);

    // The other direction: what this build writes, that one reads.
    await owner.query(
      `update subjects set details = jsonb_set(details_of_subject(subjects), '{restoreUrl}', '"https://shop.example.com/c"'), value_minor = null`,
    );
    await owner.query('update enrollments set value_minor = 7');
    expect(await one(`subjects where restore_url is distinct from 'https://shop.example.com/c' or total_minor is not null or items = '[]'`)).toBe(0);
    expect(await one('enrollments where cart_value_minor is distinct from 7')).toBe(0);
    expect((await owner.query(torn)).rows).toEqual([]);
    expect(refused).toBeLessThan(carts);
  } finally {
    await app.end();
    await owner.end();
    await admin.query(`drop database ${name} with (force)`);
    await admin.end();
  }
}, 120_000);
