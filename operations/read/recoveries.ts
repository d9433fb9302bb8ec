import { and, eq, isNotNull, isNull, or, type SQL, sql } from 'drizzle-orm';
import { enrollments, subjects, tenants } from '../../db/schema/index.ts';
import type { LineItem } from '../../domain/events.ts';
import { compilePlan } from '../../domain/sequence/compile-plan.ts';
import { readProgress } from '../dispatch/progress.ts';
import { cart } from '../../domain/subjects/cart/index.ts';
import { cartDetails } from '../../domain/subjects/cart/details.ts';
import { sequenceTypes, type SequenceType } from '../../domain/subjects/cart/segment.ts';
import { readSubject, segmentOf, valueOf } from '../subject-row.ts';
import { type Amount, nextStepAt, type ReadDeps, readLedger, stepsThatWentOut } from './enrollment.ts';
import { type ExternalId, readExternalIds } from './external-ids.ts';
import { beyond, byAge, type Page, pageOf, type PageWanted, readList } from './page.ts';

/** A cart as its store sees it. Times in epoch milliseconds, money in minor units. */
export interface CartView {
  id: string;
  externalIds: ExternalId[];
  store: string;
  status: 'ABANDONED' | 'COMPLETED' | 'GONE';
  customerEmail: string | null;
  /** null: unknown. */
  currency: string | null;
  /** As the shop's latest event has it. */
  totalMinor: number | null;
  /** When it counted as abandoned. */
  whenLeft: Amount;
  items: LineItem[];
  restoreUrl: string | null;
  abandonedAtMs: number;
  lastActivityAtMs: number;
}

/** A recovery as its store sees it. */
export interface RecoverySequence {
  id: string;
  sequenceType: SequenceType;
  /** Steps that went out, in order; one whose outcome is not known counts, because it is never sent again. */
  stepsCompleted: string[];
  /** The step that comes next; null: the sequence is held. */
  next: { stepId: string; atMs: number } | null;
  startedAtMs: number;
  /** null: it runs. */
  endedAtMs: number | null;
  /** Why it stopped, by hand with the words that were given; null: it runs, or ran to its end. */
  stoppedReason: string | null;
  cart: CartView;
}

export type RecoveryStatus = 'active' | 'ended' | 'all';

const cartStatus = { open: 'ABANDONED', converted: 'COMPLETED', gone: 'GONE' } as const;

/**
 * The store's recoveries of carts, the oldest first: those that have been activated (docs/rules.md#rule-3) and run, or have ended.
 * @param page - `after` is the `next` of the page before
 */
export function readRecoveries(deps: ReadDeps, tenantId: string, page: PageWanted & { status: RecoveryStatus }): Promise<Page<RecoverySequence>> {
  return readList(deps, tenantId, async (tx) => {
    const ofState = (state: SQL) =>
      tx
        .select({ row: enrollments, subject: subjects, store: tenants.name, email: emailOfOwner })
        .from(enrollments)
        .innerJoin(subjects, and(eq(subjects.tenantId, enrollments.tenantId), eq(subjects.id, enrollments.subjectId)))
        .innerJoin(tenants, eq(tenants.id, enrollments.tenantId))
        .where(
          and(
            state,
            isNotNull(enrollments.activatedAt),
            or(isNull(enrollments.subjectKind), eq(enrollments.subjectKind, cart.kind)),
            beyond(enrollments.id, 'oldest', page),
          ),
        )
        .orderBy(byAge(enrollments.id, 'oldest', page))
        .limit(page.limit + 1);
    // Those that run and those that have ended have an index each: where both are asked for, the first of both pages are the page.
    const open = page.status === 'ended' ? [] : await ofState(isNull(enrollments.endedAt));
    const over = page.status === 'active' ? [] : await ofState(isNotNull(enrollments.endedAt));
    const rows = [...open, ...over].sort((one, other) => (one.row.id < other.row.id ? -1 : 1));
    const { items: shown, next } = pageOf(rows, page.limit, ({ row }) => row.id);
    const ledger =
      shown.length === 0
        ? []
        : await readLedger(
            tx,
            shown.map(({ row }) => row.id),
          );
    const externalIds = await readExternalIds(
      tx,
      shown.map(({ subject }) => subject.id),
    );
    const items: RecoverySequence[] = [];
    for (const { row, subject, store, email } of shown) {
      const version = await deps.versions.load(tx, row.versionId);
      const own = ledger.filter((m) => m.enrollmentId === row.id);
      const known = readSubject(deps.subjects, subject).subject;
      const details = cartDetails.parse(known.details);
      items.push({
        id: row.id,
        sequenceType: sequenceTypes.find((type) => type === segmentOf(row)) ?? 'first_time',
        stepsCompleted: stepsThatWentOut(own),
        next:
          row.endedAt !== null
            ? null
            : nextStepAt(compilePlan(version.definition, version.version, row.timeScale), readProgress(row, own), deps.clock.nowMs()),
        startedAtMs: row.activatedAt ?? row.anchorAt,
        endedAtMs: row.endedAt,
        stoppedReason: row.stopReason === 'manual' ? (row.stopNote ?? row.stopReason) : row.stopReason,
        cart: {
          id: subject.id,
          externalIds: externalIds.get(subject.id) ?? [],
          store,
          status: cartStatus[subject.state],
          customerEmail: email,
          currency: subject.currency,
          totalMinor: known.valueMinor,
          whenLeft: { minor: valueOf(row), currency: row.currency },
          items: details.items,
          restoreUrl: details.restoreUrl,
          abandonedAtMs: row.anchorAt,
          lastActivityAtMs: subject.lastActivityAt,
        },
      });
    }
    return { items, next };
  });
}

/** The address that an email would go to: the contact's own, else the newest of the person. */
const emailOfOwner = sql<string | null>`(
  select i.value from contact_identities i
  join contacts c on c.tenant_id = i.tenant_id and c.id = i.contact_id
  where i.kind = 'email' and c.person_id = (select o.person_id from contacts o where o.tenant_id = ${enrollments.tenantId} and o.id = ${enrollments.contactId})
  order by (i.value is not distinct from ${subjects.email}) desc, (i.contact_id = ${enrollments.contactId}) desc, i.created_at desc, i.id desc limit 1)`;
