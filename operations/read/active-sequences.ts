import { and, asc, eq, gt, inArray, isNotNull, isNull, sql } from 'drizzle-orm';
import type { Tx } from '../../db/client.ts';
import { enrollments, messages, subjects, tenants } from '../../db/schema/index.ts';
import type { LineItem } from '../../domain/events.ts';
import type { SequenceType } from '../../domain/people/segments.ts';
import type { Deps } from '../deps.ts';

/** A cart as its store sees it (requirement S1-21). Times in epoch milliseconds, money in minor units. */
export interface CartView {
  id: string;
  store: string;
  status: 'ABANDONED' | 'COMPLETED' | 'GONE';
  customerEmail: string | null;
  /** null: unknown. */
  currency: string | null;
  totalMinor: number | null;
  items: LineItem[];
  restoreUrl: string | null;
  abandonedAtMs: number;
  lastActivityAtMs: number;
}

/** A running recovery as its store sees it (requirement S1-4). */
export interface ActiveSequence {
  id: string;
  sequenceType: SequenceType;
  /** Steps that reached the shopper, in order; one whose outcome is not known counts, because it is never sent again. */
  stepsCompleted: string[];
  startedAtMs: number;
  cart: CartView;
}

export interface Page<T> {
  items: T[];
  /** Where the next page begins; null: this was the last. */
  next: string | null;
}

const cartStatus = { open: 'ABANDONED', converted: 'COMPLETED', gone: 'GONE' } as const;

/**
 * The store's recoveries that run: activated and not ended (design, section 4, rule 3), the oldest first.
 * @param page - `after` is the `next` of the page before
 */
export function readActiveSequences(
  deps: Pick<Deps, 'db'>,
  tenantId: string,
  page: { limit: number; after: string | null },
): Promise<Page<ActiveSequence>> {
  return deps.db.withTenant(tenantId, async (tx) => {
    const rows = await tx
      .select({
        id: enrollments.id,
        sequenceType: enrollments.sequenceType,
        activatedAt: enrollments.activatedAt,
        anchorAt: enrollments.anchorAt,
        subject: subjects,
        store: tenants.name,
        email: emailOfOwner,
      })
      .from(enrollments)
      .innerJoin(subjects, and(eq(subjects.tenantId, enrollments.tenantId), eq(subjects.id, enrollments.subjectId)))
      .innerJoin(tenants, eq(tenants.id, enrollments.tenantId))
      .where(
        and(
          // By the column of the index over open enrollments: a filter by status would walk over every one that has ended.
          isNull(enrollments.endedAt),
          isNotNull(enrollments.activatedAt),
          page.after === null ? undefined : gt(enrollments.id, page.after),
        ),
      )
      .orderBy(asc(enrollments.id))
      .limit(page.limit + 1);
    const shown = rows.slice(0, page.limit);
    const steps = await readStepsDone(
      tx,
      shown.map((r) => r.id),
    );
    return {
      items: shown.map((row) => ({
        id: row.id,
        sequenceType: row.sequenceType,
        stepsCompleted: steps.get(row.id) ?? [],
        startedAtMs: row.activatedAt ?? row.anchorAt,
        cart: {
          id: row.subject.id,
          store: row.store,
          status: cartStatus[row.subject.state],
          customerEmail: row.email,
          currency: row.subject.currency,
          totalMinor: row.subject.totalMinor,
          items: row.subject.items,
          restoreUrl: row.subject.restoreUrl,
          abandonedAtMs: row.anchorAt,
          lastActivityAtMs: row.subject.lastActivityAt,
        },
      })),
      next: rows.length > page.limit ? (shown.at(-1)?.id ?? null) : null,
    };
  });
}

/** The address that a mail would go to: the contact's own, else the newest of the person. */
const emailOfOwner = sql<string | null>`(
  select i.value from contact_identities i
  join contacts c on c.tenant_id = i.tenant_id and c.id = i.contact_id
  where i.kind = 'email' and c.person_id = (select o.person_id from contacts o where o.tenant_id = ${enrollments.tenantId} and o.id = ${enrollments.contactId})
  order by (i.contact_id = ${enrollments.contactId}) desc, i.created_at desc, i.id desc limit 1)`;

async function readStepsDone(tx: Tx, enrollmentIds: string[]): Promise<Map<string, string[]>> {
  const done = new Map<string, string[]>();
  if (enrollmentIds.length === 0) return done;
  const rows = await tx
    .select({ enrollmentId: messages.enrollmentId, stepId: messages.stepId })
    .from(messages)
    .where(and(inArray(messages.enrollmentId, enrollmentIds), inArray(messages.state, ['sent', 'unknown'])))
    .orderBy(sql`coalesce(${messages.settledAt}, ${messages.claimedAt})`);
  for (const { enrollmentId, stepId } of rows) done.set(enrollmentId, [...(done.get(enrollmentId) ?? []), stepId]);
  return done;
}
