import type pg from 'pg';
import { z } from 'zod';

const chunk = 50_000;

/** What every lead of a store has in common, and what stands in the place of what is long. */
const shared = new Set(['tenant_id', 'campaign_id', 'sequence_id', 'version_id', 'connection_id', 'script_id', 'experiment_id']);
/** Of the rows of one lead, by their table: how they are found, and what is put into long or finished columns, as SQL. */
const tables: readonly { name: string; of: string; put?: Readonly<Record<string, string>> }[] = [
  { name: 'contacts', of: 'id = (select contact_id from subjects where id = $1)' },
  { name: 'contact_identities', of: 'contact_id = (select contact_id from subjects where id = $1)' },
  { name: 'subjects', of: 'id = $1' },
  { name: 'subject_keys', of: 'subject_id = $1' },
  { name: 'tracker_ids', of: 'ref_id = $1' },
  { name: 'lead_routings', of: 'subject_id = $1' },
  {
    name: 'enrollments',
    of: 'subject_id = $1',
    put: { status: `'COMPLETED'`, ended_at: 'clock_timestamp()', not_before: `'{}'`, due_now: `'{}'`, slots: `'{}'` },
  },
  { name: 'campaign_leads', of: 'subject_id = $1' },
  { name: 'enrollment_events', of: 'enrollment_id in (select id from enrollments where subject_id = $1)' },
  {
    name: 'messages',
    of: 'enrollment_id in (select id from enrollments where subject_id = $1)',
    put: {
      payload: `jsonb_build_object('channel', 'email', 'subject', 'Welcome', 'to', jsonb_build_object('name', 'Ada', 'address', 'of lead ' || n))`,
    },
  },
  { name: 'decisions', of: 'enrollment_id in (select id from enrollments where subject_id = $1)', put: { checks: `'[]'` } },
  {
    name: 'inbox',
    of: `id = (select id from inbox where topic = 'leadgen' order by id desc limit 1)`,
    put: { dedupe_key: `'copy ' || n` },
  },
];

const column = z.object({ name: z.string(), type: z.string() });

/**
 * Store as many leads as these over a year, all of them copies of one that went through everything: its rows are read, and written again with their own
 * ids, addresses and times. As the owner; keys are not checked while filling, yet all of them hold.
 * @param model - the id of the lead to copy, and the seven digits that its address, its number and its ids contain
 */
export async function fillLeads(
  owner: pg.Client,
  model: { leadId: string; digits: string },
  count: number,
  say: (line: string) => void,
): Promise<void> {
  if (count === 0) return;
  // Its time, which of the model's ids it copies, and the number of the copy.
  await owner.query(`
    set session_replication_role = replica; set synchronous_commit = off;
    create or replace function pg_temp.copied(id text, k int, n bigint) returns uuid language sql immutable as $$
      select (substr(id, 1, 13) || '-7' || lpad(to_hex(k), 3, '0') || '-8000-' || lpad(to_hex(n), 12, '0'))::uuid $$`);
  const ids = new Map<string, number>();
  const numberOf = (id: string) => ids.get(id) ?? (ids.set(id, ids.size + 1), ids.size);
  for (const { name, of, put = {} } of tables) {
    const columns = z.array(column).parse(
      (
        await owner.query(
          `select attname as name, format_type(atttypid, atttypmod) as type from pg_attribute
           where attrelid = $1::regclass and attnum > 0 and not attisdropped and attgenerated = '' and attidentity = ''`,
          [name],
        )
      ).rows,
    );
    const { rows } = await owner.query<{ row: Record<string, string | null> }>(
      `select json_object_agg(c.name, c.value) as row from ${name} t, lateral (
         values ${columns.map((c) => `('${c.name}', t.${c.name}::text)`).join(', ')}) c(name, value)
       where ${of.replaceAll('$1', owner.escapeLiteral(model.leadId))} group by t.ctid`,
    );
    for (const { row } of rows) {
      const values = columns.map((c) => put[c.name] ?? copyOf({ owner, numberOf, digits: model.digits, count }, c, row[c.name] ?? null));
      const insert = `insert into ${name} (${columns.map((c) => c.name).join(', ')}) select ${values.join(', ')} from generate_series`;
      for (let from = 1; from <= count; from += chunk)
        await owner.query(`${insert}(${from}, ${Math.min(count, from + chunk - 1)}) n where 1000000 + n <> ${model.digits}`);
    }
    say(`leads: ${name} filled`);
  }
  await owner.query('set session_replication_role = origin; set synchronous_commit = on');
  await owner.query('update campaigns k set leads = (select count(*) from campaign_leads l where l.campaign_id = k.id)');
  // No trigger fired for these rows, and no autovacuum has come by.
  await owner.query('select rebuild_rollups()');
  await owner.query('insert into course_marks (tenant_id) select distinct tenant_id from campaigns');
  await owner.query('do $$ begin while fold_courses(1000) > 0 loop commit; end loop; end $$');
  say('leads: figures folded');
  await owner.query('vacuum (analyze)');
  await owner.query('checkpoint');
}

/** One column of the copy with the number `n`, as SQL. */
function copyOf(
  { owner, numberOf, digits, count }: { owner: pg.Client; numberOf(id: string): number; digits: string; count: number },
  { name, type }: z.output<typeof column>,
  value: string | null,
): string {
  if (value === null) return 'null';
  const literal = `${owner.escapeLiteral(value)}::${type}`;
  if (type === 'uuid') return shared.has(name) ? literal : `pg_temp.copied(${owner.escapeLiteral(value)}, ${numberOf(value)}, n)`;
  if (type === 'timestamp with time zone') return `${literal} - (${count} - n) * (interval '360 days' / ${count})`;
  return value.includes(digits) ? `replace(${owner.escapeLiteral(value)}, '${digits}', (1000000 + n)::text)::${type}` : literal;
}
