import { eq, getTableColumns, inArray } from 'drizzle-orm';
import { alias } from 'drizzle-orm/pg-core';
import type { Tx } from '../../db/client.ts';
import { contacts, enrollments, messages, sequences, subjects, tenants } from '../../db/schema/index.ts';
import { compilePlan } from '../../domain/sequence/compile-plan.ts';
import { dueAt } from '../../domain/sequence/due.ts';
import { nextMove } from '../../domain/sequence/next-move.ts';
import { nextStep } from '../../domain/sequence/next-step.ts';
import type { Plan, Progress } from '../../domain/sequence/plan.ts';
import { listensUntil } from '../../domain/sequence/reactions.ts';
import type { BuiltDeps } from '../create-deps.ts';
import { type EnrollmentRow, type LedgerRow, readProgress } from '../dispatch/progress.ts';
import { kindOf, segmentOf, valueOf } from '../subject-row.ts';
import { type ExternalId, readExternalIds } from './external-ids.ts';
import { summaryOf } from './summary.ts';

/** One step as the API shows it. Times in epoch milliseconds. */
export interface StepView {
  id: string;
  channels: string[];
  /** As the plan stands now; null: it reacts to something that has not happened. */
  dueAtMs: number | null;
  /** `waiting`: its turn has not come. `not_sent`: the enrollment ended before its turn came. The others as the send ledger has it. */
  state: 'waiting' | 'not_sent' | LedgerRow['state'];
  settledAtMs: number | null;
  skipReason: string | null;
  openedAtMs: number | null;
  clickedAtMs: number | null;
}

/** An amount as it was at one time; either part may be unknown. */
export interface Amount {
  minor: number | null;
  currency: string | null;
}

/** One enrollment, without personal data. */
export interface EnrollmentView {
  row: EnrollmentRow;
  tenantSlug: string;
  sequence: { slug: string; name: string; version: number };
  /** What it is about. */
  subject: {
    id: string;
    kind: string;
    /** The value by which lists and figures group it. */
    segment: string;
    externalIds: ExternalId[];
    state: 'open' | 'converted' | 'gone';
    /** By the latest event about it. */
    now: Amount;
    /** When the sequence began; until then, when it was taken into the sequence. */
    atActivation: Amount;
  };
  steps: StepView[];
  /** The last step that went out; one whose outcome is not known counts. null: none has. */
  lastStep: string | null;
  /** The step that comes next, and when it is dispatched; null: the enrollment has ended or is held. */
  next: { stepId: string; atMs: number } | null;
  /** Until when it waits for what its reactions wait for, with no step left; null: it does not. */
  listensUntilMs: number | null;
  /** Where it stands, in a sentence or two. */
  summary: string;
}

export type ReadDeps = Pick<BuiltDeps, 'db' | 'clock' | 'versions' | 'subjects'>;

/** @returns null when the tenant has no such enrollment */
export function readEnrollment(deps: ReadDeps, tenantId: string, enrollmentId: string): Promise<EnrollmentView | null> {
  return deps.db.withTenant(tenantId, (tx) => loadEnrollment(tx, deps, enrollmentId));
}

/** The same inside a transaction that reads more. */
export async function loadEnrollment(
  tx: Tx,
  deps: Pick<ReadDeps, 'clock' | 'versions' | 'subjects'>,
  enrollmentId: string,
): Promise<EnrollmentView | null> {
  return (await loadEnrollments(tx, deps, [enrollmentId]))[0] ?? null;
}

/** Several enrollments, in the order of `ids`; unknown ones are left out. */
export async function loadEnrollments(
  tx: Tx,
  deps: Pick<ReadDeps, 'clock' | 'versions' | 'subjects'>,
  ids: readonly string[],
): Promise<EnrollmentView[]> {
  if (ids.length === 0) return [];
  const found = await tx
    .select({
      row: enrollments,
      tenantSlug: tenants.slug,
      sequenceName: sequences.name,
      subject: subjects,
      takeover: { at: persons.takenOverAt, until: persons.takenOverUntil },
    })
    .from(enrollments)
    .innerJoin(contacts, eq(contacts.id, enrollments.contactId))
    .innerJoin(persons, eq(persons.id, contacts.personId))
    .innerJoin(sequences, eq(sequences.id, enrollments.sequenceId))
    .innerJoin(subjects, eq(subjects.id, enrollments.subjectId))
    .innerJoin(tenants, eq(tenants.id, enrollments.tenantId))
    .where(inArray(enrollments.id, [...ids]));
  const ledger = await readLedger(tx, ids);
  const externalIds = await readExternalIds(
    tx,
    found.map((f) => f.subject.id),
  );
  const views = new Map<string, EnrollmentView>();
  for (const { row: stored, tenantSlug, sequenceName, subject, takeover } of found) {
    const answered = stored.endedAt === null && takeover.at !== null && (takeover.until === null || takeover.until > deps.clock.nowMs());
    const row = answered ? { ...stored, held: stored.held ?? ('takeover' as const) } : stored;
    const version = await deps.versions.load(tx, row.versionId);
    const plan = compilePlan(version.definition, version.version, row.timeScale);
    const own = ledger.filter((m) => m.enrollmentId === row.id);
    const progress = readProgress(row, own);
    const view = {
      row,
      tenantSlug,
      sequence: { slug: version.slug, name: sequenceName, version: version.version },
      subject: {
        id: subject.id,
        kind: kindOf(row),
        segment: segmentOf(row),
        externalIds: externalIds.get(subject.id) ?? [],
        state: subject.state,
        now: { minor: subject.valueMinor ?? subject.totalMinor, currency: subject.currency },
        atActivation: { minor: valueOf(row), currency: row.currency },
      },
      steps: stepsOf(plan, progress, own, row.endedAt !== null),
      lastStep: lastStepOf(own),
      listensUntilMs: row.endedAt === null && nextStep(plan, progress) === null ? listensUntil(plan, progress) : null,
      next: row.endedAt === null ? nextStepAt(plan, progress, deps.clock.nowMs()) : null,
    };
    views.set(row.id, { ...view, summary: summaryOf(deps.subjects.of(kindOf(row)).words, view) });
  }
  return ids.flatMap((id) => views.get(id) ?? []);
}

/** The contact that stands for the whole person. */
const persons = alias(contacts, 'persons');

/** The send ledger of these enrollments, without the pinned emails, which are most of it. */
export function readLedger(tx: Tx, enrollmentIds: readonly string[]): Promise<LedgerRow[]> {
  const { payload: _, ...columns } = getTableColumns(messages);
  return tx
    .select(columns)
    .from(messages)
    .where(inArray(messages.enrollmentId, [...enrollmentIds]));
}

function stepsOf(plan: Plan, progress: Progress, ledger: readonly LedgerRow[], ended: boolean): StepView[] {
  // What it had of a version that it was moved from, and is not in this one.
  const before = ledger.filter((m) => !plan.steps.some(({ id }) => id === m.stepId)).toSorted((a, b) => a.createdAt - b.createdAt);
  const former = before.map(
    (m): StepView => ({
      ...doneOf(m),
      id: m.stepId,
      channels: m.channel === null ? [] : [m.channel],
      dueAtMs: m.dueAt ?? m.createdAt,
      state: m.state,
    }),
  );
  const steps = plan.steps.map(({ id, channels }): StepView => {
    const message = ledger.find((m) => m.stepId === id);
    return {
      id,
      channels,
      dueAtMs: finiteOrNull(dueAt(plan, progress, id)),
      state: message?.state ?? (ended ? 'not_sent' : 'waiting'),
      ...doneOf(message),
    };
  });
  return [...former, ...steps];
}

const doneOf = (message: LedgerRow | undefined) => ({
  settledAtMs: message?.settledAt ?? null,
  skipReason: message?.skipReason ?? null,
  openedAtMs: message?.openedAt ?? null,
  clickedAtMs: message?.clickedAt ?? null,
});

const finiteOrNull = (ms: number) => (Number.isFinite(ms) ? ms : null);

/** What went out is `sent` or `unknown`: the latter may have been accepted and is never sent again. In order of time. */
export function stepsThatWentOut(ledger: readonly Pick<LedgerRow, 'stepId' | 'state' | 'settledAt' | 'claimedAt' | 'createdAt'>[]): string[] {
  const atMs = (m: (typeof ledger)[number]) => m.settledAt ?? m.claimedAt ?? m.createdAt;
  return ledger
    .filter((m) => m.state === 'sent' || m.state === 'unknown')
    .toSorted((a, b) => atMs(a) - atMs(b))
    .map((m) => m.stepId);
}

const lastStepOf = (ledger: readonly LedgerRow[]) => stepsThatWentOut(ledger).at(-1) ?? null;

/** Which step comes next, by the very functions that the workflow asks. */
export function nextStepAt(plan: Plan, progress: Progress, nowMs: number): { stepId: string; atMs: number } | null {
  const move = nextMove(plan, progress, nowMs);
  const step = nextStep(plan, progress);
  if (step === null) return null;
  if (move.kind === 'wait') return { stepId: step.id, atMs: move.untilMs };
  return move.kind === 'dispatch' ? { stepId: move.stepId, atMs: nowMs } : null;
}
