import { and, inArray } from 'drizzle-orm';
import { consents } from '../../db/schema/index.ts';
import type { Deps } from '../deps.ts';
import { contactsNamed, type Search, type Searched } from './find-enrollments.ts';
import { beyond, byAge, type Page, pageOf, type PageWanted } from './page.ts';

export type ConsentRow = typeof consents.$inferSelect;

/** Everything that a person has ever stated about being contacted, the latest record first. Nothing of it is ever changed. */
export function listConsents(
  deps: Pick<Deps, 'db'>,
  tenantId: string,
  search: Pick<Search, 'email' | 'phone'>,
  page: PageWanted,
): Promise<Searched<Page<ConsentRow>>> {
  return deps.db.withTenant(tenantId, async (tx) => {
    const named = await contactsNamed(tx, tenantId, search);
    if (named.kind === 'unreadable') return named;
    if (named.found.length === 0) return { kind: 'found', found: { items: [], next: null } };
    const rows = await tx
      .select()
      .from(consents)
      .where(and(inArray(consents.contactId, named.found), beyond(consents.id, 'newest', page)))
      .orderBy(byAge(consents.id, 'newest', page))
      .limit(page.limit + 1);
    return { kind: 'found', found: pageOf(rows, page.limit, (row) => row.id) };
  });
}
