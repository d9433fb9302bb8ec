import { asc, eq, gt, inArray } from 'drizzle-orm';
import type { Tx } from '../../db/client.ts';
import { contactIdentities, inbox, subjectKeys, subjects } from '../../db/schema/index.ts';
import type { DomainEvent } from '../../domain/events.ts';
import { settingsOf } from '../../domain/tenant-settings.ts';
import type { Deps } from '../deps.ts';
import { namesThem } from '../erase-deliveries.ts';
import { sourceOf } from '../intake/source.ts';
import { readTenant } from '../intake/tenant.ts';
import { contactsOfPerson } from './erasures.ts';

/** Everything that is stored about a person, as it is stored. */
export interface PersonDocument {
  format: 'rekindle-person/1';
  /** Of the person, and every contact that belongs to them. */
  person: string;
  contacts: string[];
  gathered_at: string;
  /** Rows by the table that has them, as JSON. Times are ISO 8601, amounts in minor units of their currency. */
  tables: Record<string, Record<string, unknown>[]>;
  /** What the store's systems have reported about them, event by event. */
  deliveries: { received_at: string; topic: string; events: readonly DomainEvent[] }[];
}

/** Columns by which a row belongs to a person, and what they refer to. */
const owners = { contact_id: 'contacts', subject_id: 'subjects', enrollment_id: 'enrollments', message_id: 'messages' } as const;
/** Bookkeeping of this installation, which says nothing about anybody. */
const leftOut = new Set(['outbox', 'erasures', 'person_exports']);

/** Read in one snapshot, so that the parts agree with each other. */
export function gatherPerson(deps: Deps, tenantId: string, contactId: string, onProgress: () => void): Promise<PersonDocument> {
  return deps.db.snapshot(tenantId, async (tx) => {
    const whose = (await contactsOfPerson(tx, contactId)) ?? { person: contactId, all: [contactId] };
    const idsOf = async (text: string, values: unknown[]) => (await tx.$client.query<{ id: string }>({ text, values })).rows.map(({ id }) => id);
    const ids: Record<(typeof owners)[keyof typeof owners], string[]> = {
      contacts: whose.all,
      subjects: await idsOf('select id from subjects where contact_id = any($1::uuid[])', [whose.all]),
      enrollments: await idsOf('select id from enrollments where contact_id = any($1::uuid[])', [whose.all]),
      messages: [],
    };
    ids.messages = await idsOf('select id from messages where contact_id = any($1::uuid[]) or enrollment_id = any($2::uuid[])', [
      whose.all,
      ids.enrollments,
    ]);
    const tables: PersonDocument['tables'] = {
      contacts: await rowsOf(tx, 'contacts', [{ column: 'id', ids: whose.all }]),
    };
    for (const { table, columns } of await tablesWithOwners(tx)) {
      onProgress();
      if (leftOut.has(table)) continue;
      const rows = await rowsOf(
        tx,
        table,
        columns.map((column) => ({ column, ids: ids[owners[column]] })),
      );
      if (rows.length > 0) tables[table] = rows;
    }
    const chatIds = await idsOf(`select value as id from contact_identities where kind = 'telegram' and contact_id = any($1::uuid[])`, [whose.all]);
    for (const table of ['chats', 'chat_updates']) {
      const rows = await rowsOf(tx, table, [{ column: 'chat_id', ids: chatIds }]);
      if (rows.length > 0) tables[table] = rows;
    }
    const deliveries = await deliveriesAbout(tx, tenantId, whose.all, onProgress);
    return {
      format: 'rekindle-person/1',
      person: whose.person,
      contacts: whose.all,
      gathered_at: new Date(deps.clock.nowMs()).toISOString(),
      tables,
      deliveries,
    };
  });
}

async function tablesWithOwners(tx: Tx): Promise<{ table: string; columns: (keyof typeof owners)[] }[]> {
  const { rows } = await tx.$client.query<{ table: string; columns: (keyof typeof owners)[] }>({
    text: `select c.relname as table, array_agg(a.attname::text order by a.attnum) as columns
      from pg_class c join pg_attribute a on a.attrelid = c.oid
      where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition and not a.attisdropped
        and has_table_privilege(c.oid, 'select') and a.attname = any($1)
      group by c.relname order by c.relname`,
    values: [Object.keys(owners)],
  });
  return rows;
}

async function rowsOf(tx: Tx, table: string, by: { column: string; ids: readonly string[] }[]): Promise<Record<string, unknown>[]> {
  const { rows } = await tx.$client.query<{ row: Record<string, unknown> }>({
    // Names come from the catalogue.
    text: `select to_jsonb(t) - 'tenant_id' as row from public."${table}" t where ${by.map(({ column }, i) => `t."${column}"::text = any($${i + 1}::text[])`).join(' or ')}`,
    values: by.map(({ ids }) => ids),
  });
  return rows.map(({ row }) => row);
}

const page = 2_000;

/** The events of stored deliveries that name them; other people's events of the same delivery stay out. */
async function deliveriesAbout(tx: Tx, tenantId: string, contactIds: string[], onProgress: () => void): Promise<PersonDocument['deliveries']> {
  const settings = settingsOf(await readTenant(tx, tenantId));
  const identities = await tx.select().from(contactIdentities).where(inArray(contactIdentities.contactId, contactIds));
  const keys = await tx
    .select({ connectionId: subjectKeys.connectionId, kind: subjectKeys.kind, value: subjectKeys.value })
    .from(subjectKeys)
    .innerJoin(subjects, eq(subjects.id, subjectKeys.subjectId))
    .where(inArray(subjects.contactId, contactIds));
  const found: PersonDocument['deliveries'] = [];
  if (identities.length + keys.length === 0) return found;
  for (let after: string | null = '00000000-0000-0000-0000-000000000000'; after !== null; ) {
    onProgress();
    const rows: (typeof inbox.$inferSelect)[] = await tx.select().from(inbox).where(gt(inbox.id, after)).orderBy(asc(inbox.id)).limit(page);
    for (const row of rows) {
      const source = sourceOf({ tenantId, connectionId: row.connectionId }, settings);
      const events = row.events.filter((event) => namesThem([event], source, { identities, keys }));
      if (events.length > 0) found.push({ received_at: new Date(row.receivedAt).toISOString(), topic: row.topic, events });
    }
    after = rows.length < page ? null : (rows.at(-1)?.id ?? null);
  }
  return found;
}
