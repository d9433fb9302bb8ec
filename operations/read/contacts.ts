import { and, desc, inArray, lt } from 'drizzle-orm';
import { contacts } from '../../db/schema/index.ts';
import type { Deps } from '../deps.ts';
import { contactsNamed, type Search, type Searched } from './find-enrollments.ts';
import { type Page, pageOf } from './page.ts';

export type ContactRow = Pick<typeof contacts.$inferSelect, 'id' | 'personId' | 'lifecycle' | 'country' | 'region' | 'createdAt'>;

/** Contacts, the newest first. @param search - every contact of one person; nothing given: all */
export function listContacts(
  deps: Pick<Deps, 'db'>,
  tenantId: string,
  search: Pick<Search, 'email' | 'phone'>,
  page: { limit: number; after: string | null },
): Promise<Searched<Page<ContactRow>>> {
  return deps.db.withTenant(tenantId, async (tx) => {
    const everybody = search.email === undefined && search.phone === undefined;
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
    return { kind: 'found', found: pageOf(rows, page.limit, (row) => row.id) };
  });
}
