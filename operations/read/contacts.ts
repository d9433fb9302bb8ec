import { and, asc, desc, eq, inArray, like, lt, sql } from 'drizzle-orm';
import type { Tx } from '../../db/client.ts';
import { connections, contactIdentities, contacts } from '../../db/schema/index.ts';
import type { Deps } from '../deps.ts';
import type { ExternalId } from './external-ids.ts';
import { contactsNamed, type Search, type Searched } from './find-enrollments.ts';
import { type Page, pageOf } from './page.ts';

export type ContactRow = Pick<typeof contacts.$inferSelect, 'id' | 'personId' | 'lifecycle' | 'country' | 'region' | 'createdAt'> & {
  /** The ids that shops and other systems have for them. */
  externalIds: ExternalId[];
};

/** One contact with what it is known by. Personal data. */
export type ContactDetails = ContactRow &
  Pick<typeof contacts.$inferSelect, 'firstName' | 'lastName' | 'locale' | 'timeZone'> & { emails: string[]; phones: string[] };

/** Contacts, the newest first. @param search - every contact of one person; nothing given: all */
export function listContacts(
  deps: Pick<Deps, 'db'>,
  tenantId: string,
  search: Pick<Search, 'email' | 'phone' | 'externalId'>,
  page: { limit: number; after: string | null },
): Promise<Searched<Page<ContactRow>>> {
  return deps.db.withTenant(tenantId, async (tx) => {
    const everybody = search.email === undefined && search.phone === undefined && search.externalId === undefined;
    const named = everybody ? { kind: 'found' as const, found: null } : await contactsNamed(tx, tenantId, search);
    if (named.kind === 'unreadable') return named;
    if (named.found?.length === 0) return { kind: 'found', found: { items: [], next: null } };
    const { id, personId, lifecycle, country, region, createdAt } = contacts;
    const rows = await tx
      .select({ id, personId, lifecycle, country, region, createdAt })
      .from(contacts)
      .where(and(named.found === null ? undefined : inArray(id, named.found), page.after === null ? undefined : lt(id, page.after)))
      .orderBy(desc(id))
      .limit(page.limit + 1);
    const { items, next } = pageOf(rows, page.limit, (row) => row.id);
    const externalIds = await externalIdsOf(
      tx,
      items.map((row) => row.id),
    );
    return { kind: 'found', found: { items: items.map((row) => ({ ...row, externalIds: externalIds.get(row.id) ?? [] })), next } };
  });
}

/** @returns null where the tenant has no such contact */
export function readContact(deps: Pick<Deps, 'db'>, tenantId: string, contactId: string): Promise<ContactDetails | null> {
  return deps.db.withTenant(tenantId, async (tx) => {
    const { id, personId, lifecycle, country, region, createdAt, firstName, lastName, locale, timeZone } = contacts;
    const [row] = await tx
      .select({ id, personId, lifecycle, country, region, createdAt, firstName, lastName, locale, timeZone })
      .from(contacts)
      .where(eq(id, contactId));
    if (row === undefined) return null;
    const { kind, value } = contactIdentities;
    const known = await tx
      .select({ kind, value })
      .from(contactIdentities)
      .where(eq(contactIdentities.contactId, contactId))
      .orderBy(asc(contactIdentities.id));
    const of = (wanted: string) => known.filter((one) => one.kind === wanted).map((one) => one.value);
    return { ...row, externalIds: (await externalIdsOf(tx, [contactId])).get(contactId) ?? [], emails: of('email'), phones: of('phone') };
  });
}

/** By the contact's id. */
async function externalIdsOf(tx: Tx, contactIds: readonly string[]): Promise<Map<string, ExternalId[]>> {
  const found = new Map<string, ExternalId[]>();
  if (contactIds.length === 0) return found;
  const { contactId, kind, value, id } = contactIdentities;
  const rows = await tx
    .select({ contactId, value, integration: connections.integration, connectionId: connections.id })
    .from(contactIdentities)
    .innerJoin(connections, sql`${kind} = 'external:' || ${connections.id}`)
    .where(and(inArray(contactId, [...contactIds]), like(kind, 'external:%')))
    .orderBy(asc(id));
  for (const { contactId: whose, ...one } of rows) found.set(whose, [...(found.get(whose) ?? []), { kind: 'customer', ...one }]);
  return found;
}
