import { and, desc, inArray, lt } from 'drizzle-orm';
import { consents } from '../../db/schema/index.ts';
import type { Deps } from '../deps.ts';
import { contactsNamed, type Search, type Searched } from './find-enrollments.ts';
import { type Page, pageOf } from './page.ts';

export type ConsentRow = typeof consents.$inferSelect;

/** Everything that a person has ever stated about being contacted, the latest record first. Nothing of it is ever changed. */
export function listConsents(
  deps: Pick<Deps, 'db'>,
  tenantId: string,
  search: Pick<Search, 'email' | 'phone'>,
  page: { limit: number; after: string | null },
): Promise<Searched<Page<ConsentRow>>> {
  return deps.db.withTenant(tenantId, async (tx) => {
    const named = await contactsNamed(tx, tenantId, search);
    if (named.kind === 'unreadable') return named;
    if (named.found.length === 0) return { kind: 'found', found: { items: [], next: null } };
    const rows = await tx
      .select()
      .from(consents)
      .where(and(inArray(consents.contactId, named.found), page.after === null ? undefined : lt(consents.id, page.after)))
      .orderBy(desc(consents.id))
      .limit(page.limit + 1);
    return { kind: 'found', found: pageOf(rows, page.limit, (row) => row.id) };
  });
}
