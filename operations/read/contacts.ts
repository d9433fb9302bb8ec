import { and, asc, eq, inArray, like, sql } from 'drizzle-orm';
import type { Tx } from '../../db/client.ts';
import { connections, contactIdentities, contacts } from '../../db/schema/index.ts';
import type { Deps } from '../deps.ts';
import type { ExternalId } from './external-ids.ts';
import { contactsNamed, type Search, type Searched } from './find-enrollments.ts';
import { type Page, type PageWanted, readList, readSorted } from './page.ts';

/** One contact with what it is known by. Personal data. */
export type ContactRow = Pick<
  typeof contacts.$inferSelect,
  'id' | 'personId' | 'lifecycle' | 'country' | 'region' | 'createdAt' | 'firstName' | 'lastName' | 'locale' | 'timeZone'
> & {
  emails: string[];
  /** In E.164. */
  phones: string[];
  /** The ids that shops and other systems have for them. */
  externalIds: ExternalId[];
};

const { id, personId, lifecycle, country, region, createdAt, firstName, lastName, locale, timeZone } = contacts;
const columns = { id, personId, lifecycle, country, region, createdAt, firstName, lastName, locale, timeZone };

/** Contacts, the newest first. @param search - every contact of one person, or those with these ids; nothing given: all */
export function listContacts(
  deps: Pick<Deps, 'db'>,
  tenantId: string,
  search: Pick<Search, 'email' | 'phone' | 'externalId'> & { ids?: readonly string[] | undefined },
  page: PageWanted,
): Promise<Searched<Page<ContactRow>>> {
  return readList(deps, tenantId, async (tx) => {
    const everybody = search.email === undefined && search.phone === undefined && search.externalId === undefined;
    const named = everybody ? { kind: 'found' as const, found: null } : await contactsNamed(tx, tenantId, search);
    if (named.kind === 'unreadable') return named;
    if (named.found?.length === 0) return { kind: 'found', found: { items: [], next: null } };
    const { items, next } = await readSorted(page, { usual: 'newest', id, columns: { last_name: lastName } }, (part) =>
      tx
        .select({ ...columns, sortedBy: part.sortedBy })
        .from(contacts)
        .where(
          and(
            named.found === null ? undefined : inArray(id, named.found),
            search.ids === undefined ? undefined : inArray(id, [...search.ids]),
            part.where,
          ),
        )
        .orderBy(...part.orderBy)
        .limit(part.limit),
    );
    return { kind: 'found', found: { items: await withIdentities(tx, items), next } };
  });
}

/** @returns null where the tenant has no such contact */
export function readContact(deps: Pick<Deps, 'db'>, tenantId: string, contactId: string): Promise<ContactRow | null> {
  return deps.db.withTenant(tenantId, async (tx) => {
    const rows = await tx.select(columns).from(contacts).where(eq(id, contactId));
    return (await withIdentities(tx, rows))[0] ?? null;
  });
}

type Known = Omit<ContactRow, 'emails' | 'phones' | 'externalIds'>;

/** With what they are known by, each kind in the order in which it became known. */
async function withIdentities(tx: Tx, rows: readonly Known[]): Promise<ContactRow[]> {
  if (rows.length === 0) return [];
  const ids = rows.map((row) => row.id);
  const { contactId, kind, value } = contactIdentities;
  const addresses = await tx
    .select({ contactId, kind, value })
    .from(contactIdentities)
    .where(and(inArray(contactId, ids), inArray(kind, ['email', 'phone'])))
    .orderBy(asc(contactIdentities.id));
  const outside = await tx
    .select({ contactId, value, integration: connections.integration, connectionId: connections.id })
    .from(contactIdentities)
    .innerJoin(connections, sql`${kind} = 'external:' || ${connections.id}`)
    .where(and(inArray(contactId, ids), like(kind, 'external:%')))
    .orderBy(asc(contactIdentities.id));
  return rows.map((row) => {
    const of = (wanted: string) => addresses.filter((one) => one.contactId === row.id && one.kind === wanted).map((one) => one.value);
    const externalIds = outside
      .filter((one) => one.contactId === row.id)
      .map(({ value: id, integration, connectionId }) => ({ kind: 'customer', value: id, integration, connectionId }));
    return { ...row, emails: of('email'), phones: of('phone'), externalIds };
  });
}
