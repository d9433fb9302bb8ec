import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { unsafeStatements } from '../../local/migration-rules.ts';

// While a release is rolled out, the build before runs on the new schema (docs/migrations.md).

const migration = (tag: string) => readFileSync(new URL(`../../db/migrations/${tag}.sql`, import.meta.url), 'utf8');

/** What a migration may do at any time. */
const allowed = [
  'alter table contacts add column nickname text',
  'ALTER TABLE "messages" ADD COLUMN "refused_for_good" boolean DEFAULT false NOT NULL',
  `alter table only public.contacts add column a text, add column b numeric(10, 2) not null default 1, add "type" text default 'drop table'`,
  'alter table contacts alter column locale set default null',
  'create index contacts_nickname on contacts (nickname)',
  'create table badges (id uuid primary key, contact_id uuid not null references contacts (id)); alter table badges add constraint one unique (contact_id)',
  'CREATE TABLE "badges" ("id" uuid NOT NULL);--> statement-breakpoint\nALTER TABLE "badges" ENABLE ROW LEVEL SECURITY;\ncreate unique index b on "badges" (id)',
  `create function open_delivery_2(delivery jsonb) returns jsonb language plpgsql as $$ begin drop table scratch; return '{}'; end $$`,
  'create or replace function name_lock(name text) returns bigint language sql as $body$ select 1; $body$',
  'revoke execute on function open_delivery_2(jsonb) from public',
  'grant select on badges to rekindle_app',
  "update contacts set locale = 'drop; alter table contacts rename to c' where locale is null",
  '-- drop table contacts;\n/* alter table contacts rename to people; */ select 1',
  'do $$ begin create role rekindle_reader; exception when duplicate_object then null; end $$',
  "alter type mood add value 'calm'",
];

/** What would break a running build, each with a word of the expected message. */
const refused: [sql: string, said: string][] = [
  ['drop table contacts', 'drops'],
  ['DROP INDEX "enrollments_open"', 'drops'],
  ['drop function resolve_connection(text, uuid)', 'drops'],
  ['alter table contacts drop column locale', 'drops'],
  ['alter table contacts add column a text, drop constraint contacts_pkey', 'drops'],
  ['ALTER TABLE "contacts" RENAME COLUMN "locale" TO "language"', 'renames'],
  ['alter index contacts_pkey rename to c', 'renames'],
  ['alter function name_lock(text) rename to lock_of', 'renames'],
  ['alter table contacts set schema archive', 'another schema'],
  ['ALTER TABLE "contacts" ALTER COLUMN "order_count" SET DATA TYPE bigint', 'type'],
  ['alter table contacts alter locale type varchar(5) using left(locale, 5)', 'type'],
  ['alter table contacts alter column locale set not null', 'requires'],
  ['alter table contacts alter column order_count drop default', 'relies'],
  ['alter table contacts add column nickname text not null', 'requires'],
  ['alter table contacts add nickname text unique', 'condition'],
  ['alter table contacts add constraint short check (length(locale) < 6)', 'forbids'],
  ['create unique index one on contacts (locale)', 'unique'],
  ['alter table contacts disable row level security', 'rows'],
  ['alter policy tenant_rows on contacts using (true)', 'policy'],
  ['revoke select on contacts from rekindle_app', 'right'],
  ['truncate contacts', 'empties'],
  ["do $$ begin execute 'x'; alter table contacts rename to people; end $$", 'block'],
];

test.each(allowed)('allowed: %s', (sql) => expect(unsafeStatements(sql)).toEqual([]));

test.each(refused)('refused: %s', (sql, said) => {
  expect(unsafeStatements(sql)).toHaveLength(1);
  expect(unsafeStatements(sql)[0]).toContain(said);
});

test('a reason is asked of each statement that needs one, wherever it stands in the file', () => {
  const reasons = [
    ['', false],
    ['-- contract: 0.2 was the last to read it\n', true],
    ['-- contract:\n', false],
    ['-- contract\n', false],
  ] as const;
  fc.assert(
    fc.property(
      fc.array(
        fc.oneof(
          fc.constantFrom(...allowed.filter((sql) => !sql.includes('badges'))).map((sql) => ({ sql, refused: false })),
          fc
            .tuple(fc.constantFrom(...refused), fc.constantFrom(...reasons))
            .map(([[sql], [reason, given]]) => ({ sql: `${reason}${sql}`, refused: !given })),
        ),
      ),
      fc.constantFrom(';\n', ';--> statement-breakpoint\n', ' ;\n\n-- and then\n'),
      (statements, between) => {
        expect(unsafeStatements(statements.map(({ sql }) => sql).join(between))).toHaveLength(statements.filter((s) => s.refused).length);
      },
    ),
  );
});

test('of the published migrations, those that took something away would have had to say why', () => {
  expect(unsafeStatements(migration('0003_pinned_account_and_hot_paths')).map((line) => line.split(':')[1])).toEqual([
    ' drop index "enrollments_open_by_contact"',
    ' drop index "enrollments_open"',
  ]);
  expect(unsafeStatements(migration('0004_deliveries'))).toEqual(['drops something: drop function resolve_connection(text, uuid)']);
});
