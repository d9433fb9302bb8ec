import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../helpers/database.ts';
import { addStatements, noRights, type RightsByTable, rightsOfCode } from '../helpers/used-rights.ts';

// The application's role has the rights that its statements use, and no other: it cannot delete what the guarantees depend on (suppressions, the
// ledger, published versions), and can update only the columns that the code updates.
let database: TestDatabase;
let owner: pg.Client;
let tables: string[] = [];
beforeAll(async () => {
  database = await createTestDatabase();
  owner = new pg.Client({ connectionString: database.url });
  await owner.connect();
  const found = await owner.query<{ name: string }>(
    `select relname as name from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'p') and not relispartition order by 1`,
  );
  tables = found.rows.map(({ name }) => name);
});
afterAll(async () => {
  await owner.end();
  await database.drop();
});

/** Rights that only the build before uses, e.g. `subjects: { update: ['origin'] }`: revoked a release later (docs/migrations.md). */
const onlyUsedByTheBuildBefore: Record<string, { insert?: true; delete?: true; update?: string[] }> = {
  // The value of an enrollment is `value_minor` now (0016_subjects.sql).
  enrollments: { update: ['cart_value_minor'] },
};

/** What the functions need that run as their caller. */
async function addFunctions(rights: RightsByTable): Promise<void> {
  const { rows } = await owner.query<{ body: string }>(
    `select coalesce(pg_get_function_sqlbody(oid), prosrc) as body from pg_proc
     where pronamespace = 'public'::regnamespace and not prosecdef and has_function_privilege('rekindle_app', oid, 'execute')`,
  );
  expect(rows.length).toBeGreaterThan(5);
  for (const { body } of rows) addStatements(rights, body);
}

async function granted(): Promise<RightsByTable> {
  const rights = noRights(tables);
  const { rows } = await owner.query<{ name: string; selects: boolean; inserts: boolean; deletes: boolean; updates: string[] }>(
    `select c.relname as name,
       has_any_column_privilege('rekindle_app', c.oid, 'select') as selects, has_any_column_privilege('rekindle_app', c.oid, 'insert') as inserts,
       has_table_privilege('rekindle_app', c.oid, 'delete') as deletes,
       array(select a.attname::text from pg_attribute a where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
         and has_column_privilege('rekindle_app', c.oid, a.attnum, 'update')) as updates
     from pg_class c where c.relname = any($1) and c.relnamespace = 'public'::regnamespace`,
    [tables],
  );
  for (const { name, selects, inserts, deletes, updates } of rows)
    rights.set(name, { select: selects, insert: inserts, delete: deletes, update: new Set(updates) });
  return rights;
}

/** What is to be written so that the role has the rights of `used`: a grant that is missing, or a right that nothing uses. */
function differences(used: RightsByTable, has: RightsByTable): string[] {
  return tables.flatMap((table) => {
    const [needs, may] = [used.get(table), has.get(table)];
    if (needs === undefined || may === undefined) return [];
    const granting = (['select', 'insert', 'delete'] as const).filter((right) => needs[right] && !may[right]).map(String);
    // Reading is granted everywhere (0013_grants.sql).
    const revoking = (['insert', 'delete'] as const).filter((right) => may[right] && !needs[right]).map(String);
    const columns = (some: Set<string>, others: Set<string>) => {
      const more = [...some].filter((column) => !others.has(column)).toSorted();
      return more.length === 0 ? [] : [`update (${more.join(', ')})`];
    };
    granting.push(...columns(needs.update, may.update));
    revoking.push(...columns(may.update, needs.update));
    return [
      ...(granting.length === 0 ? [] : [`grant ${granting.join(', ')} on ${table} to rekindle_app;`]),
      ...(revoking.length === 0 ? [] : [`revoke ${revoking.join(', ')} on ${table} from rekindle_app;`]),
    ];
  });
}

test('the application may do what its statements do, and nothing else', async () => {
  const used = rightsOfCode(tables);
  await addFunctions(used);
  for (const [name, { insert, delete: remove, update }] of Object.entries(onlyUsedByTheBuildBefore)) {
    const rights = used.get(name);
    if (rights === undefined) throw new Error(`there is no table ${name}`);
    rights.insert ||= insert === true;
    rights.delete ||= remove === true;
    for (const column of update ?? []) rights.update.add(column);
  }
  expect([...used].filter(([, { insert }]) => insert).length, 'tables that the code writes to, or the walk below proves nothing').toBeGreaterThan(15);
  const deletes = [...used].filter(([, rights]) => rights.delete).map(([name]) => name);
  expect(deletes).toEqual([
    'behaviours',
    'chat_updates',
    'chats',
    'contact_identities',
    'conversion_rules',
    'import_parts',
    'imports',
    'members',
    'outbox',
    'risk_assessments',
    'risk_standings',
    'sequence_drafts',
    'subject_keys',
    'tracker_ids',
  ]);
  expect(differences(used, await granted())).toEqual([]);
}, 300_000);

test('it may truncate, reference and trigger nothing, and has no rights on partitions or sequences', async () => {
  const { rows } = await owner.query(
    `select c.relname, p.privilege from pg_class c cross join unnest(array['truncate', 'references', 'trigger']) as p(privilege)
     where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and has_table_privilege('rekindle_app', c.oid, p.privilege)
     union all
     select c.relname, 'any' from pg_class c where c.relnamespace = 'public'::regnamespace and c.relispartition and c.relkind = 'r'
       and has_any_column_privilege('rekindle_app', c.oid, 'select, insert, update')
     union all
     select c.relname, 'update' from pg_class c
       where c.relnamespace = 'public'::regnamespace and case c.relkind when 'S' then has_sequence_privilege('rekindle_app', c.oid, 'update') end`,
  );
  expect(rows).toEqual([]);
});

test('no function may be executed by PUBLIC', async () => {
  const { rows } = await owner.query(
    `select p.proname from pg_proc p cross join lateral aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a
     where p.pronamespace = 'public'::regnamespace and a.grantee = 0`,
  );
  expect(rows).toEqual([]);
});

test.each([
  'delete from suppressions',
  'delete from messages',
  'delete from sequence_versions',
  'delete from tenants',
  `update messages set step_id = 'another'`,
  'update messages set contact_id = gen_random_uuid()',
  `update sequence_versions set content = '{}'`,
  `update suppressions set address_hash = 'another'`,
  `update decisions set reason = 'another'`,
  `update inbox set dedupe_key = 'another'`,
  'truncate outbox',
])('%s is refused', async (statement) => {
  const client = new pg.Client({ connectionString: database.url, options: '-c role=rekindle_app' });
  await client.connect();
  await expect(client.query(statement)).rejects.toMatchObject({ code: '42501' });
  await client.end();
});

test('every foreign key has an index that begins with its columns, so that deleting what it refers to reads no table', async () => {
  const { rows } = await owner.query<{ missing: string }>(
    `select format('%s (%s)', k.conrelid::regclass, (
         select string_agg(a.attname, ', ' order by c.place) from unnest(k.conkey) with ordinality as c(attnum, place)
           join pg_attribute a on a.attrelid = k.conrelid and a.attnum = c.attnum)) as missing
     from pg_constraint k
     where k.contype = 'f' and k.connamespace = 'public'::regnamespace and k.conparentid = 0
       and not exists (
         select from pg_index i where i.indrelid = k.conrelid and i.indisvalid and i.indpred is null and i.indexprs is null
           and (select array_agg(n.attnum order by n.attnum) from unnest(i.indkey::int2[]) with ordinality as n(attnum, place)
                where n.place <= cardinality(k.conkey))
             = (select array_agg(n order by n) from unnest(k.conkey) n))
     order by 1`,
  );
  expect(rows.map(({ missing }) => missing)).toEqual([]);
});
