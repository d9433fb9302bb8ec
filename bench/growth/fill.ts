import type pg from 'pg';

/** Where rows are put: a tenant that runs the `cart` preset. */
export interface Place {
  tenantId: string;
  slug: string;
  sequenceId: string;
  versionId: string;
  connectionId: string;
}

export async function placeOf(owner: pg.Client, tenant: { tenantId: string; slug: string }): Promise<Place> {
  const { rows } = await owner.query<{ sequence_id: string; version_id: string; connection_id: string }>(
    `select s.id as sequence_id, s.current_version_id as version_id, c.id as connection_id from sequences s
     join connections c on c.tenant_id = s.tenant_id and c.integration = 'generic' where s.tenant_id = $1 and s.slug = 'cart'`,
    [tenant.tenantId],
  );
  const [row] = rows;
  if (row === undefined) throw new Error('the tenant runs no cart sequence');
  return { ...tenant, sequenceId: row.sequence_id, versionId: row.version_id, connectionId: row.connection_id };
}

const chunk = 100_000;
const lines = `'[{"title":"Walnut desk lamp","variant":null,"quantity":1,"priceMinor":8990,"imageUrl":null,"productUrl":"https://shop.example.com/lamp","stock":null}]'::jsonb`;
const payload = `'{"channel":"email","messageId":"<m@shop.example.com>","subject":"Your cart","to":{"name":"Ada","address":"ada@example.com"}}'::jsonb`;

/** Ids as the application makes them, ordered by time: version 7, here with the number of a row for its randomness. */
const functions = (nowMs: number) => `
create or replace function pg_temp.made(at timestamptz, kind int, n bigint) returns uuid language sql immutable as $$
  select (lpad(to_hex((extract(epoch from at) * 1000)::bigint), 12, '0') || '7' || lpad(to_hex(kind), 3, '0') || '8000' || lpad(to_hex(n), 12, '0'))::uuid
$$;
create or replace function pg_temp.whenever(n bigint, total bigint) returns timestamptz language sql immutable as $$
  select date_trunc('milliseconds', timestamptz '${new Date(nowMs).toISOString()}' - interval '1 day' - (total - n) * (interval '360 days' / total))
$$;`;

/**
 * A year of people: each left a cart once, got three emails, every third bought, and every ninth was given some of it back. Rows alone, as the owner; keys are not checked while
 * filling, yet all of them hold.
 */
export async function fillHistory(
  owner: pg.Client,
  place: Place,
  size: { contacts: number; events: number },
  say: (line: string) => void = () => {},
): Promise<void> {
  const { contacts, events } = size;
  if (contacts === 0) return;
  await begin(owner);
  await makePartitions(owner);
  const at = `pg_temp.whenever(n, ${contacts})`;
  const mailAt = `pg_temp.whenever(m / 3, ${contacts}) + make_interval(hours => (m % 3)::int * 24 + 2)`;
  const id = (kind: number, n = 'n') => `pg_temp.made(${at}, ${kind}, ${n})`;
  const mailId = `pg_temp.made(${mailAt}, 6, m)`;
  const enrollmentOfMail = `pg_temp.made(pg_temp.whenever(m / 3, ${contacts}), 5, m / 3)`;
  const t = `'${place.tenantId}'::uuid`;
  const perContact = [
    `contacts (tenant_id, id, person_id, lifecycle, first_name, created_at)
     select ${t}, ${id(1)}, ${id(1)}, case when n % 3 = 0 then 'CONVERTED' else 'CONTACTED' end, 'Ada', ${at}`,
    `contact_identities (tenant_id, id, contact_id, kind, value, created_at)
     select ${t}, ${id(2)}, ${id(1)}, 'email', 'shopper-' || n || '@example.com', ${at}`,
    `subjects (tenant_id, id, contact_id, state, currency, total_minor, items, restore_url, started_at, last_activity_at, created_at)
     select ${t}, ${id(3)}, ${id(1)}, case when n % 3 = 0 then 'converted' else 'open' end, 'EUR', 8990, ${lines},
       'https://shop.example.com/cart/' || n, ${at}, ${at}, ${at}`,
    `subject_keys (tenant_id, id, subject_id, connection_id, kind, value)
     select ${t}, ${id(4)}, ${id(3)}, '${place.connectionId}', 'external', 'old-cart-' || n`,
    `enrollments (tenant_id, id, sequence_id, version_id, contact_id, subject_id, status, stop_reason, sequence_type, cart_value_minor, currency,
       time_scale, anchor_at, activated_at, enrolled_at, ended_at)
     select ${t}, ${id(5)}, '${place.sequenceId}', '${place.versionId}', ${id(1)}, ${id(3)}, case when n % 3 = 0 then 'CONVERTED' else 'COMPLETED' end,
       case when n % 3 = 0 then 'purchased' end, 'first_time', 8990, 'EUR', 1, ${at}, ${at} + interval '1 hour', ${at}, ${at} + interval '3 days'`,
    `enrollment_events (tenant_id, id, enrollment_id, type, at, data)
     select ${t}, pg_temp.made(${at}, 7 + k, n), ${id(5)}, (array['enrolled', 'abandoned', 'message.sent', 'completed'])[k + 1],
       ${at} + make_interval(hours => k), '{}' from generate_series(0, 3) k,`,
    `inbox (tenant_id, id, connection_id, dedupe_key, topic, state, received_at, applied_at)
     select ${t}, ${id(12)}, '${place.connectionId}', 'delivery-' || n, 'cart.updated', 'applied', ${at}, ${at}`,
    `conversions (tenant_id, id, connection_id, order_id, contact_id, subject_id, enrollment_id, currency, value_minor, refunded_minor,
       refunded_besides_minor, placed_at, created_at)
     select ${t}, ${id(13)}, '${place.connectionId}', 'order-' || n, ${id(1)}, ${id(3)}, ${id(5)}, 'EUR', 8990, case when n % 9 = 0 then 990 else 0 end,
       case when n % 9 = 0 then 990 else 0 end, ${at} + interval '2 days', ${at}`,
    `refunds (tenant_id, id, connection_id, order_id, refund_id, currency, amount_minor, refunded_at, told_at, created_at)
     select ${t}, ${id(18)}, '${place.connectionId}', 'order-' || n, 'refund-' || n, 'EUR', 990, ${at} + interval '3 days', ${at} + interval '3 days', ${at}`,
    `consents (tenant_id, id, contact_id, channel, state, source, occurred_at)
     select ${t}, ${id(14)}, ${id(1)}, 'email', 'granted', 'checkout', ${at}`,
    `suppressions (tenant_id, id, address_hash, channel, reason, since)
     select ${t}, ${id(15)}, md5(n::text) || md5(n::text), 'all', 'opted_out', ${at}`,
  ];
  for (const insert of perContact) {
    await inChunks(owner, contacts, (from, to) => {
      const some = insert.startsWith('conversions') ? 'where n % 3 = 0' : insert.startsWith('refunds') ? 'where n % 9 = 0' : '';
      return `insert into ${insert.endsWith(',') ? insert : `${insert} from`} generate_series(${from}, ${to}) n ${some}`;
    });
    say(`growth: ${insert.split(' ')[0]} filled`);
  }
  const perMail = [
    `messages (tenant_id, id, enrollment_id, step_id, contact_id, state, claim, claimed_at, channel, account, payload, response, due_at, settled_at, opened_at, created_at)
     select ${t}, ${mailId}, ${enrollmentOfMail}, (array['email_2h', 'email_24h', 'email_48h'])[m % 3 + 1],
       pg_temp.made(pg_temp.whenever(m / 3, ${contacts}), 1, m / 3), 'sent', ${mailId}, ${mailAt}, 'email', 'null', ${payload}, '250', ${mailAt}, ${mailAt},
       case when m % 2 = 0 then ${mailAt} end, ${mailAt}`,
    `decisions (tenant_id, id, enrollment_id, step_id, version_id, at, verdict, reason, checks)
     select ${t}, pg_temp.made(${mailAt}, 16, m), ${enrollmentOfMail}, 'email_2h', '${place.versionId}', ${mailAt}, 'send', 'email', '[]'`,
  ];
  for (const insert of perMail) {
    await inChunks(owner, contacts * 3, (from, to) => `insert into ${insert} from generate_series(${from + 2}, ${to + 2}) m`);
    say(`growth: ${insert.split(' ')[0]} filled`);
  }
  const mails = contacts * 3;
  await inChunks(
    owner,
    events,
    (from, to) => `insert into message_events (tenant_id, id, occurred_at, message_id, enrollment_id, type)
      select ${t}, pg_temp.made(${mailAt}, 17, e), ${mailAt} + make_interval(mins => e % 60), ${mailId}, ${enrollmentOfMail},
        (array['opened', 'clicked', 'delivered'])[e % 3 + 1]
      from (select e, 3 + (e::bigint * ${mails} / ${Math.max(1, events)}) % ${mails} as m from generate_series(${from}, ${to}) e) s`,
  );
  say('growth: message_events filled');
  await settle(owner);
}

/** Open enrollments `from` to `to`, whose first email is out and whose next one is due tomorrow. */
export async function fillAsleep(owner: pg.Client, place: Place, { from, to }: { from: number; to: number }): Promise<void> {
  if (to <= from) return;
  await begin(owner);
  const t = `'${place.tenantId}'::uuid`;
  // Old enough that the live page does not show it as new.
  const at = `date_trunc('milliseconds', now() - interval '1 hour')`;
  const id = (kind: number) => `pg_temp.made(${at}, ${kind}, n)`;
  const series = `from generate_series(${from + 1}, ${to}) n`;
  const step = (kind: number, name: string, state: string, more: string) =>
    `insert into messages (tenant_id, id, enrollment_id, step_id, contact_id, state, settled_at, channel, payload, skip_reason)
     select ${t}, ${id(kind)}, ${id(0x25)}, '${name}', ${id(0x21)}, '${state}', now() - interval '1 hour', ${more} ${series}`;
  // One transaction: `now()` is the same in all of them.
  await owner.query('begin');
  for (const statement of [
    `insert into contacts (tenant_id, id, person_id, lifecycle, first_name) select ${t}, ${id(0x21)}, ${id(0x21)}, 'IN_PROGRESS', 'Ada' ${series}`,
    `insert into contact_identities (tenant_id, id, contact_id, kind, value)
     select ${t}, ${id(0x22)}, ${id(0x21)}, 'email', 'sleeper-' || n || '@example.com' ${series}`,
    `insert into subjects (tenant_id, id, contact_id, currency, total_minor, items, restore_url, started_at, last_activity_at)
     select ${t}, ${id(0x23)}, ${id(0x21)}, 'EUR', 8990, ${lines}, 'https://shop.example.com/cart/sleeper-' || n,
       now() - interval '3 hours', now() - interval '3 hours' ${series}`,
    `insert into subject_keys (tenant_id, id, subject_id, connection_id, kind, value)
     select ${t}, ${id(0x24)}, ${id(0x23)}, '${place.connectionId}', 'external', 'sleeper-' || n ${series}`,
    `insert into enrollments (tenant_id, id, sequence_id, version_id, contact_id, subject_id, status, sequence_type, cart_value_minor, currency,
       time_scale, anchor_at, activated_at, enrolled_at)
     select ${t}, ${id(0x25)}, '${place.sequenceId}', '${place.versionId}', ${id(0x21)}, ${id(0x23)}, 'ACTIVE', 'first_time', 8990, 'EUR', 1,
       now() - interval '3 hours', now() - interval '2 hours', now() - interval '3 hours' ${series}`,
    `insert into enrollment_events (tenant_id, id, enrollment_id, type) select ${t}, ${id(0x26)}, ${id(0x25)}, 'enrolled' ${series}`,
    step(0x27, 'popup_1h', 'skipped', `null, null, 'not_connected'`),
    step(0x28, 'email_2h', 'sent', `'email', ${payload}, null`),
  ])
    await owner.query(statement);
  await owner.query('commit');
  await settle(owner);
}

/** Outbox rows that could not be sent to Temporal yet, because it has been away for a while. */
export async function fillBacklog(owner: pg.Client, place: Place, count: number): Promise<void> {
  await owner.query(
    `insert into outbox (tenant_id, enrollment_id, kind, next_attempt_at, attempts)
     select tenant_id, id, 'start', now() + interval '1 day', 5 from enrollments where tenant_id = $1 and ended_at is not null order by id limit $2`,
    [place.tenantId, count],
  );
  await owner.query('analyze outbox');
}

async function begin(owner: pg.Client): Promise<void> {
  await owner.query(`set session_replication_role = replica; set synchronous_commit = off; ${functions(Date.now())}`);
}

/** What autovacuum would have done long before. */
async function settle(owner: pg.Client): Promise<void> {
  await owner.query(`set session_replication_role = origin; set synchronous_commit = on`);
  // No trigger fired for these rows: count them at once, as the migration does.
  await owner.query('select rebuild_rollups()');
  await owner.query('vacuum (analyze)');
  await owner.query('checkpoint');
}

/** The partitions that the product's job would have made meanwhile. */
async function makePartitions(owner: pg.Client): Promise<void> {
  await owner.query(`do $$
    declare month date; name text;
    begin
      for i in 1..13 loop
        month := (date_trunc('month', now() at time zone 'UTC') - make_interval(months => i))::date;
        name := 'message_events_' || to_char(month, 'YYYY_MM');
        if to_regclass('public.' || name) is null then
          execute format('create table public.%I partition of public.message_events for values from (%L) to (%L)',
            name, month::text || ' 00:00+00', (month + interval '1 month')::date::text || ' 00:00+00');
        end if;
      end loop;
    end $$`);
}

async function inChunks(owner: pg.Client, total: number, statement: (from: number, to: number) => string): Promise<void> {
  for (let from = 1; from <= total; from += chunk) await owner.query(statement(from, Math.min(total, from + chunk - 1)));
}
