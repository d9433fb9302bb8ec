import { and, eq, inArray, isNull, sql } from 'drizzle-orm';
import { contactIdentities, suppressions } from '../db/schema/index.ts';
import { recordAudit } from './audit.ts';
import type { Deps } from './deps.ts';
import { contactsNamed, identitiesNamed, type Search, type Searched } from './read/find-enrollments.ts';
import { beyond, byAge, type Page, pageOf, type PageWanted } from './read/page.ts';

export type SuppressionRow = typeof suppressions.$inferSelect;

/** What the store may lift: an address that works again. An opt-out is lifted by the person alone, and a complaint by nobody (rule 13). */
const liftable: readonly SuppressionRow['reason'][] = ['bounce', 'refused'];
export const mayBeLifted = ({ reason }: Pick<SuppressionRow, 'reason'>): boolean => liftable.includes(reason);

/** What keeps messages from addresses, the latest first. @param search - of one person, and of that very address; nothing given: of everybody */
export function listSuppressions(
  deps: Pick<Deps, 'db' | 'sealing'>,
  tenantId: string,
  search: Pick<Search, 'email' | 'phone'>,
  page: PageWanted,
): Promise<Searched<Page<SuppressionRow>>> {
  return deps.db.withTenant(tenantId, async (tx) => {
    const asked = await identitiesNamed(tx, tenantId, search);
    if (asked.kind === 'unreadable') return asked;
    const named = await contactsNamed(tx, tenantId, search);
    if (named.kind === 'unreadable') return named;
    const everybody = search.email === undefined && search.phone === undefined;
    // Who was erased has no contact any more: the address itself still has its hash.
    const theirs = named.found.length === 0 ? [] : await tx.select().from(contactIdentities).where(inArray(contactIdentities.contactId, named.found));
    const hashes = [...theirs, ...asked.found].map((i) => deps.sealing.addressHash(tenantId, i.kind, i.value));
    const rows = await tx
      .select()
      .from(suppressions)
      .where(
        and(
          isNull(suppressions.liftedAt),
          everybody ? undefined : inArray(suppressions.addressHash, hashes),
          beyond(suppressions.id, 'newest', page),
        ),
      )
      .orderBy(byAge(suppressions.id, 'newest', page))
      .limit(page.limit + 1);
    return { kind: 'found', found: pageOf(rows, page.limit, (row) => row.id) };
  });
}

export type Lifted =
  | { kind: 'lifted'; suppression: SuppressionRow }
  | { kind: 'not_found' }
  | { kind: 'not_liftable'; reason: SuppressionRow['reason'] };

/** An address works again, says whoever runs the store. A repeat changes nothing. */
export function liftSuppression(deps: Pick<Deps, 'db'>, { tenantId, id, actor }: { tenantId: string; id: string; actor: string }): Promise<Lifted> {
  return deps.db.withTenant(tenantId, async (tx): Promise<Lifted> => {
    const [found] = await tx.select().from(suppressions).where(eq(suppressions.id, id)).for('no key update');
    if (found === undefined) return { kind: 'not_found' };
    if (!mayBeLifted(found)) return { kind: 'not_liftable', reason: found.reason };
    if (found.liftedAt !== null) return { kind: 'lifted', suppression: found };
    const [suppression] = await tx.update(suppressions).set({ liftedAt: sql`clock_timestamp()` }).where(eq(suppressions.id, id)).returning();
    await recordAudit(tx, { tenantId, actor, action: 'suppression.lift', subject: id, data: { reason: found.reason, channel: found.channel } });
    return suppression === undefined ? { kind: 'not_found' } : { kind: 'lifted', suppression };
  });
}
