import { eq } from 'drizzle-orm';
import type { Tx } from '../../db/client.ts';
import { enrollments, messages, sequences, subjects, tenants } from '../../db/schema/index.ts';
import { compilePlan } from '../../domain/sequence/compile-plan.ts';
import { dueAt } from '../../domain/sequence/due.ts';
import { nextMove } from '../../domain/sequence/next-move.ts';
import type { Plan, Progress } from '../../domain/sequence/plan.ts';
import type { BuiltDeps } from '../create-deps.ts';
import { type EnrollmentRow, type MessageRow, readProgress } from '../dispatch/progress.ts';

/** What the outside learns of one step. Times in epoch milliseconds. */
export interface StepView {
  id: string;
  channels: string[];
  /** As the plan stands now. */
  dueAtMs: number;
  /** `waiting`: its turn has not come; the others as the send ledger has it. */
  state: 'waiting' | MessageRow['state'];
  settledAtMs: number | null;
  skipReason: string | null;
  openedAtMs: number | null;
  clickedAtMs: number | null;
}

/** One enrollment, without personal data. */
export interface EnrollmentView {
  row: EnrollmentRow;
  tenantSlug: string;
  sequence: { slug: string; name: string; version: number };
  cart: { id: string; state: 'open' | 'converted' | 'gone'; totalMinor: number | null; currency: string | null };
  steps: StepView[];
  /** The step whose turn it is, and when it is dispatched next; null: the enrollment has ended or is held. */
  next: { stepId: string; atMs: number } | null;
}

/** @returns null when the tenant has no such enrollment */
export function readEnrollment(
  deps: Pick<BuiltDeps, 'db' | 'clock' | 'versions'>,
  tenantId: string,
  enrollmentId: string,
): Promise<EnrollmentView | null> {
  return deps.db.withTenant(tenantId, (tx) => loadEnrollment(tx, deps, enrollmentId));
}

/** The same inside a transaction that reads more. */
export async function loadEnrollment(tx: Tx, deps: Pick<BuiltDeps, 'clock' | 'versions'>, enrollmentId: string): Promise<EnrollmentView | null> {
  const [found] = await tx
    .select({ row: enrollments, tenantSlug: tenants.slug, sequenceName: sequences.name, subject: subjects })
    .from(enrollments)
    .innerJoin(sequences, eq(sequences.id, enrollments.sequenceId))
    .innerJoin(subjects, eq(subjects.id, enrollments.subjectId))
    .innerJoin(tenants, eq(tenants.id, enrollments.tenantId))
    .where(eq(enrollments.id, enrollmentId));
  if (found === undefined) return null;
  const { row, subject } = found;
  const ledger = await tx.select().from(messages).where(eq(messages.enrollmentId, enrollmentId));
  const version = await deps.versions.load(tx, row.versionId);
  const plan = compilePlan(version.definition, version.version, row.timeScale);
  const progress = readProgress(row, ledger);
  return {
    row,
    tenantSlug: found.tenantSlug,
    sequence: { slug: version.slug, name: found.sequenceName, version: version.version },
    cart: { id: subject.id, state: subject.state, totalMinor: subject.totalMinor, currency: subject.currency },
    steps: plan.steps.map(({ id, channels }) => {
      const message = ledger.find((m) => m.stepId === id);
      return {
        id,
        channels,
        dueAtMs: dueAt(plan, progress, id),
        state: message?.state ?? 'waiting',
        settledAtMs: message?.settledAt ?? null,
        skipReason: message?.skipReason ?? null,
        openedAtMs: message?.openedAt ?? null,
        clickedAtMs: message?.clickedAt ?? null,
      };
    }),
    next: row.endedAt === null ? nextStep(plan, progress, deps.clock.nowMs()) : null,
  };
}

/** Which step comes next, by the very function that the workflow asks. */
export function nextStep(plan: Plan, progress: Progress, nowMs: number): { stepId: string; atMs: number } | null {
  const move = nextMove(plan, progress, nowMs);
  const step = plan.steps.find(({ id }) => progress.settled[id] === undefined);
  if (step === undefined) return null;
  if (move.kind === 'wait') return { stepId: step.id, atMs: move.untilMs };
  return move.kind === 'dispatch' ? { stepId: move.stepId, atMs: nowMs } : null;
}
