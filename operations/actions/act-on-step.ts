import { and, count, eq } from 'drizzle-orm';
import type { Tx } from '../../db/client.ts';
import { type ActionResult, decisions, enrollments } from '../../db/schema/index.ts';
import { type ActionRefusal, decideAction, type DecidedAction, type StepActionKind } from '../../domain/actions/decide-action.ts';
import { compilePlan } from '../../domain/sequence/compile-plan.ts';
import type { Plan } from '../../domain/sequence/plan.ts';
import { scaled } from '../../domain/sequence/time-scale.ts';
import { recordAudit } from '../audit.ts';
import type { Deps } from '../deps.ts';
import { type Locked, lockStep } from '../dispatch/fence.ts';
import { type EnrollmentRow, readProgress } from '../dispatch/progress.ts';
import { addToStory, finished, writeSkip } from '../dispatch/records.ts';
import { noteAction, readAction } from './ledger.ts';

/** An action on the step that comes next, as it travels through the workflow: ids and times, nothing of a person. */
export interface StepRequest {
  tenantId: string;
  enrollmentId: string;
  /** Of this request; a retry has the same one. */
  id: string;
  kind: StepActionKind;
  /** The step that is meant; null: whichever comes next. */
  step: string | null;
  /** Of a snooze: epoch milliseconds, or hours of the sequence's own time. */
  untilMs: number | null;
  hours: number | null;
  /** After this nothing is done any more: its caller has been answered. Epoch milliseconds; null: no caller waits. */
  deadlineMs: number | null;
  key: string | null;
  actor: string;
}

export type StepActionOutcome =
  | { kind: 'done'; result: ActionResult }
  | { kind: 'refused'; why: ActionRefusal | 'unknown_enrollment' | 'too_late' | 'key_reused' };

/** What is compared where a key comes again. */
export const requestText = ({ kind, step, untilMs, hours }: Pick<StepRequest, 'kind' | 'step' | 'untilMs' | 'hours'>) =>
  JSON.stringify([kind, step, untilMs, hours]);

const inFlight = ({ ledger }: Locked) => ledger.some(({ live, state }) => live || state === 'claimed');

/**
 * Skip, snooze or make due the step that comes next, under the locks that a dispatch takes: one of the two is first, and the other decides on what it
 * left. Done once, however often it is called for the same request.
 * @throws MovedError, or Postgres's lock failures: the caller repeats it
 */
export async function actOnStep(deps: Pick<Deps, 'db' | 'clock' | 'versions'>, asked: StepRequest): Promise<StepActionOutcome> {
  const request = { ...asked, action: asked.kind, request: requestText(asked) };
  return deps.db.withTenant(asked.tenantId, async (tx): Promise<StepActionOutcome> => {
    const locked = await lockStep(tx, asked.enrollmentId, '');
    if (locked === null) return { kind: 'refused', why: 'unknown_enrollment' };
    const known = await readAction(tx, request);
    if (known?.kind === 'done') return known;
    if (known?.kind === 'key_reused') return { kind: 'refused', why: 'key_reused' };
    const nowMs = deps.clock.nowMs();
    if (known?.kind === 'withdrawn' || (asked.deadlineMs !== null && nowMs > asked.deadlineMs)) return { kind: 'refused', why: 'too_late' };
    const { enrollment, ledger } = locked;
    const version = await deps.versions.load(tx, enrollment.versionId);
    const plan = compilePlan(version.definition, version.version, enrollment.timeScale);
    const untilMs = asked.hours === null ? asked.untilMs : nowMs + scaled(asked.hours * 3_600_000, enrollment.timeScale);
    const facts = { ended: enrollment.endedAt !== null, inFlight: inFlight(locked), nowMs };
    const decided = decideAction(plan, readProgress(enrollment, ledger), { kind: asked.kind, step: asked.step, untilMs }, facts);
    if (decided.kind === 'refuse') return { kind: 'refused', why: decided.why };
    // A provider's proof takes no person's lock: the row is locked and read once more before it is left out.
    const row = (await lockStep(tx, enrollment.id, decided.step))?.row ?? null;
    if (row !== null && row.state !== 'failed') return { kind: 'refused', why: row.state === 'skipped' ? 'already_skipped' : 'already_sent' };
    const result: ActionResult = {
      changed: true,
      step: decided.step,
      untilMs: decided.snooze?.untilMs ?? null,
      decisions: await decisionsAbout(tx, enrollment.id, decided.step),
    };
    // Before it is done: what ends the enrollment by it comes after it in the story.
    await recordAudit(tx, {
      tenantId: asked.tenantId,
      actor: asked.actor,
      action: `enrollment.${asked.kind}`,
      subject: enrollment.id,
      data: { step: decided.step, ...(decided.snooze === null ? {} : { until: new Date(decided.snooze.untilMs).toISOString() }) },
    });
    await noteAction(tx, request, result);
    await carryOut(tx, enrollment, plan, asked, decided, nowMs);
    return { kind: 'done', result };
  });
}

export async function decisionsAbout(tx: Tx, enrollmentId: string, stepId: string): Promise<number> {
  const [row] = await tx
    .select({ n: count() })
    .from(decisions)
    .where(and(eq(decisions.enrollmentId, enrollmentId), eq(decisions.stepId, stepId)));
  return row?.n ?? 0;
}

/** As many as intake keeps (db/functions/write_world.sql). */
const snoozesKept = 10;

async function carryOut(
  tx: Tx,
  enrollment: EnrollmentRow,
  plan: Plan,
  { kind, actor }: StepRequest,
  { step, dueMs, snooze }: Extract<DecidedAction, { kind: 'act' }>,
  nowMs: number,
): Promise<void> {
  const change = (values: Partial<Pick<EnrollmentRow, 'snoozes' | 'dueNow' | 'notBefore'>>) =>
    tx.update(enrollments).set(values).where(eq(enrollments.id, enrollment.id));
  switch (kind) {
    case 'skip':
      writeSkip(tx, enrollment, step, 'skipped_by_hand', dueMs);
      addToStory(tx, enrollment, 'step.skipped', { step, reason: 'skipped_by_hand', actor });
      // It may have been the last one.
      await finished(tx, { id: enrollment.id, stepId: step }, plan, 'skipped by hand');
      return;
    case 'snooze':
      if (snooze === null) throw new Error('a snooze has no end');
      await change({ snoozes: [...enrollment.snoozes, snooze].slice(-snoozesKept), dueNow: {} });
      addToStory(tx, enrollment, 'snoozed', { step, until_ms: snooze.untilMs, by: 'hand', actor });
      return;
    case 'send_now': {
      const { [step]: _, ...notBefore } = enrollment.notBefore;
      await change({ dueNow: { ...enrollment.dueNow, [step]: nowMs }, notBefore });
      addToStory(tx, enrollment, 'send_now', { step, actor });
      return;
    }
  }
}
