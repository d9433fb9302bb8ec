import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { migrate } from '../../db/migrate.ts';

const migrations = resolve(import.meta.dirname, '../../db/migrations');
const hotTables = [
  ...[
    'tenants',
    'api_keys',
    'connections',
    'contacts',
    'contact_identities',
    'consents',
    'suppressions',
    'subjects',
    'subject_keys',
    'conversions',
    'refunds',
  ],
  ...[
    'sequences',
    'sequence_versions',
    'enrollments',
    'enrollment_events',
    'messages',
    'message_events',
    'decisions',
    'inbox',
    'outbox',
    'quarantine',
  ],
  'audit_log',
];

/** What docs/migrations.md allows, all of it, on every table: columns with and without a default, indexes, a table with a trigger, functions. */
export const additions = [
  ...hotTables.flatMap((table) => [
    `alter table ${table} add column tomorrows_note text, add column tomorrows_number integer not null default 1`,
    `create index ${table}_tomorrow on ${table} (tomorrows_number)`,
  ]),
  `create table tomorrows_changes (tenant_id uuid not null, of_table text not null, row_after jsonb not null)`,
  `alter table tomorrows_changes enable row level security`,
  `create policy tenant_rows on tomorrows_changes for all to rekindle_app using (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid)`,
  `create function note_change() returns trigger language plpgsql security definer set search_path = pg_catalog, public as $$
    begin
      insert into public.tomorrows_changes values (new.tenant_id, tg_table_name, to_jsonb(new));
      return new;
    end $$`,
  ...['contacts', 'subjects', 'enrollments', 'messages', 'inbox', 'outbox'].map(
    (table) => `create trigger tomorrow after insert or update on ${table} for each row execute function note_change()`,
  ),
  `create function resolve_api_key_3(wanted_hash text) returns table (tenant_id uuid, id uuid, note text)
    language sql stable security definer set search_path = pg_catalog, public as $$
      select k.tenant_id, k.id, k.tomorrows_note from public.api_keys k where k.hash = wanted_hash $$`,
];

// As 0004 did with the same function.
export const moreColumns = [
  `-- contract: the build before names the columns that it takes from a function
  drop function resolve_connection(text, uuid)`,
  `create function resolve_connection(wanted_integration text, wanted_id uuid)
    returns table (note text, tenant_id uuid, id uuid, secrets jsonb, state text, slug text, settings jsonb, time_scale double precision)
    language sql stable security definer set search_path = pg_catalog, public as $$
      select c.tomorrows_note, c.tenant_id, c.id, c.secrets, c.state, t.slug, t.settings, t.time_scale
      from public.connections c join public.tenants t on t.id = c.tenant_id
      where c.integration = wanted_integration and c.id = wanted_id $$`,
  'grant execute on function resolve_connection(text, uuid) to rekindle_app',
];

let made = 0;

/** Bring a database to the project's schema and one migration further. */
export async function migrateFurther(databaseUrl: string, statements: string[]): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'rekindle-migrations-'));
  cpSync(migrations, folder, { recursive: true });
  const journalFile = join(folder, 'meta/_journal.json');
  const journal = JSON.parse(readFileSync(journalFile, 'utf8')) as { entries: { idx: number; version: string; when: number; tag: string }[] };
  const last = journal.entries.at(-1);
  if (last === undefined) throw new Error('the project has no migrations');
  const tag = `${String(last.idx + 1).padStart(4, '0')}_tomorrow`;
  made += 1;
  journal.entries.push({ ...last, idx: last.idx + 1, when: last.when + made, tag });
  writeFileSync(journalFile, JSON.stringify(journal));
  writeFileSync(join(folder, `${tag}.sql`), statements.join(';\n--> statement-breakpoint\n'));
  try {
    await migrate(databaseUrl, folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
