import { and, inArray, or } from 'drizzle-orm';
import { contactMerges } from '../../db/schema/index.ts';
import type { Deps } from '../deps.ts';
import { contactsNamed, type Search, type Searched } from './find-enrollments.ts';
import { beyond, byAge, type Page, pageOf, type PageWanted } from './page.ts';

export type MergeRow = typeof contactMerges.$inferSelect;

/** Persons who turned out to be one, the latest first. @param search - of one person; nothing given: of everybody */
export function listMerges(
  deps: Pick<Deps, 'db'>,
  tenantId: string,
  search: Pick<Search, 'email' | 'phone'>,
  page: PageWanted,
): Promise<Searched<Page<MergeRow>>> {
  return deps.db.withTenant(tenantId, async (tx) => {
    const everybody = search.email === undefined && search.phone === undefined;
    const named = everybody ? { kind: 'found' as const, found: null } : await contactsNamed(tx, tenantId, search);
    if (named.kind === 'unreadable') return named;
    const theirs = named.found;
    if (theirs?.length === 0) return { kind: 'found', found: { items: [], next: null } };
    const rows = await tx
      .select()
      .from(contactMerges)
      .where(
        and(
          theirs === null ? undefined : or(inArray(contactMerges.keptContactId, theirs), inArray(contactMerges.mergedContactId, theirs)),
          beyond(contactMerges.id, 'newest', page),
        ),
      )
      .orderBy(byAge(contactMerges.id, 'newest', page))
      .limit(page.limit + 1);
    return { kind: 'found', found: pageOf(rows, page.limit, (row) => row.id) };
  });
}
