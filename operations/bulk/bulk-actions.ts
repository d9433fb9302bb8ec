import { and, desc, eq, isNotNull, isNull, lte, sql } from 'drizzle-orm';
import { v7 as uuidv7 } from 'uuid';
import type { Tx } from '../../db/client.ts';
import { bulkActions, enrollments, sequences } from '../../db/schema/index.ts';
import { recordAudit } from '../audit.ts';
import type { Deps } from '../deps.ts';
import { type Filtered, meets, type Narrowing, readFilter, type Search } from '../read/find-enrollments.ts';
import { beyond, byAge, type Page, pageOf, type PageWanted } from '../read/page.ts';

export type BulkAction = typeof bulkActions.$inferSelect;
export type BulkActionKind = BulkAction['action'];

export interface BulkActionWish {
  tenantId: string;
  action: BulkActionKind;
  search: Search & Narrowing;
  /** Of a move: to which version and step. */
  target: { version: number | null; step: string | null };
  note: string | null;
  /** Where more are found than these, nothing is done; null: however many there are. */
  most: number | null;
  actor: string;
}

/** Whom an action would reach. */
export interface BulkCount {
  /** Running enrollments that the filter finds: it is done to these. */
  matched: number;
  /** Others that it finds: they have ended, and stay as they are. */
  ended: number;
  /** The running ones by sequence, the most first. */
  sequences: { slug: string; status: 'ACTIVE' | 'PAUSED'; count: number }[];
}

export type BulkActionBegun = Filtered<BulkAction> | { kind: 'more_than_counted'; matched: number };

/** Count whom an action would reach, and do nothing. */
export function countBulkAction(
  deps: Pick<Deps, 'db'>,
  { tenantId, search }: Pick<BulkActionWish, 'tenantId' | 'search'>,
): Promise<Filtered<BulkCount>> {
  return deps.db.withTenant(tenantId, async (tx) => {
    const filter = await readFilter(tx, tenantId, search);
    if (filter.kind !== 'found') return filter;
    const running = await tx
      .select({ slug: sequences.slug, status: enrollments.status, count: sql<number>`count(*)::int` })
      .from(enrollments)
      .innerJoin(sequences, eq(sequences.id, enrollments.sequenceId))
      .where(and(meets(filter.found), isNull(enrollments.endedAt)))
      .groupBy(sequences.slug, enrollments.status)
      .orderBy(desc(sql`count(*)`), sequences.slug, enrollments.status);
    const [over] = await tx
      .select({ n: sql<number>`count(*)::int` })
      .from(enrollments)
      .where(and(meets(filter.found), isNotNull(enrollments.endedAt)));
    return {
      kind: 'found',
      found: {
        matched: running.reduce((all, { count }) => all + count, 0),
        ended: over?.n ?? 0,
        sequences: running.map(({ slug, status, count }) => ({ slug, status: status === 'PAUSED' ? 'PAUSED' : 'ACTIVE', count })),
      },
    };
  });
}

/**
 * Begin to do the same to every running enrollment that a filter finds. The worker does it bit by bit (`act-on-all.ts`); who is taken into a sequence later
 * is not reached.
 * Source: docs/rules.md#rule-96
 */
export function beginBulkAction(deps: Pick<Deps, 'db'>, wish: BulkActionWish): Promise<BulkActionBegun> {
  const { tenantId, action, search, note, most, actor } = wish;
  return deps.db.withTenant(tenantId, async (tx): Promise<BulkActionBegun> => {
    const filter = await readFilter(tx, tenantId, search);
    if (filter.kind !== 'found') return filter;
    const [row] = await tx
      .select({ n: sql<number>`count(*)::int` })
      .from(enrollments)
      .where(and(meets(filter.found), isNull(enrollments.endedAt)));
    const matched = row?.n ?? 0;
    if (most !== null && matched > most) return { kind: 'more_than_counted', matched };
    const id = uuidv7();
    const target = action === 'move' ? wish.target : null;
    await tx.insert(bulkActions).values({ tenantId, id, action, filter: filter.found, target, note, matched, requestedBy: actor });
    await recordAudit(tx, { tenantId, actor, action: 'bulk_action.start', subject: id, data: { action, matched, ...target } });
    const begun = await read(tx, id);
    if (begun === null) throw new Error('a bulk action was not stored');
    return { kind: 'found', found: begun };
  });
}

/** The running enrollments that an action is about: those that there were when it was asked for. */
export const candidatesOf = ({ filter, createdAt }: Pick<BulkAction, 'filter' | 'createdAt'>) =>
  and(meets(filter), isNull(enrollments.endedAt), lte(enrollments.enrolledAt, createdAt));

/** @returns null where the store has no such action */
export const readBulkAction = (deps: Pick<Deps, 'db'>, tenantId: string, id: string): Promise<BulkAction | null> =>
  deps.db.withTenant(tenantId, (tx) => read(tx, id));

async function read(tx: Tx, id: string): Promise<BulkAction | null> {
  const [row] = await tx.select().from(bulkActions).where(eq(bulkActions.id, id));
  return row ?? null;
}

/** The newest first. */
export function listBulkActions(deps: Pick<Deps, 'db'>, tenantId: string, page: PageWanted): Promise<Page<BulkAction>> {
  return deps.db.withTenant(tenantId, async (tx) => {
    const rows = await tx
      .select()
      .from(bulkActions)
      .where(beyond(bulkActions.id, 'newest', page))
      .orderBy(byAge(bulkActions.id, 'newest', page))
      .limit(page.limit + 1);
    return pageOf(rows, page.limit, ({ id }) => id);
  });
}

/**
 * End an action: nobody else is reached by it, and what it did stays.
 * @returns null: there is no such action; `refused`: it had ended before
 */
export function cancelBulkAction(
  deps: Pick<Deps, 'db'>,
  { tenantId, id, actor }: { tenantId: string; id: string; actor: string },
): Promise<{ action: BulkAction; refused: boolean } | null> {
  return deps.db.withTenant(tenantId, async (tx) => {
    const cancelled = await tx
      .update(bulkActions)
      .set({ state: 'cancelled', endedAt: sql`clock_timestamp()` })
      .where(and(eq(bulkActions.id, id), eq(bulkActions.state, 'running')))
      .returning({ id: bulkActions.id });
    if (cancelled.length > 0) await recordAudit(tx, { tenantId, actor, action: 'bulk_action.cancel', subject: id });
    const action = await read(tx, id);
    return action === null ? null : { action, refused: cancelled.length === 0 };
  });
}
