import { and, desc, eq } from 'drizzle-orm';
import { v7 as uuidv7 } from 'uuid';
import { CommitUnclearError, isLockFailure } from '../../db/client.ts';
import { type ActionResult, decisions, enrollments, messages, sequences, tenants } from '../../db/schema/index.ts';
import { type ActionRefusal, actionRefusals, type StepActionKind } from '../../domain/actions/decide-action.ts';
import { startAnswerBudget } from '../answer-budget.ts';
import type { Deps, WorkflowRef, WorkflowUpdates } from '../deps.ts';
import { lockStep } from '../dispatch/fence.ts';
import { MovedError } from '../intake/found.ts';
import { decisionsAbout, requestText } from './act-on-step.ts';
import { currentRequestId } from '../request-context.ts';
import { type ActionRequest, readAction, withdrawAction } from './ledger.ts';

export interface StepWish {
  tenantId: string;
  enrollmentId: string;
  kind: StepActionKind;
  step: string | null;
  untilMs: number | null;
  hours: number | null;
  key: string | null;
  actor: string;
}

export type StepAnswer =
  | { kind: 'done'; result: ActionResult }
  | { kind: 'refused'; why: ActionRefusal | 'key_reused' }
  | { kind: 'not_found' }
  /** No answer came in time. It was not done and will not be: the caller may ask again. */
  | { kind: 'unanswered' };

type AskDeps = Pick<Deps, 'db' | 'clock'> & { engine: WorkflowUpdates };

/** How long the workflow may take, of the 4.5 s of an answer. */
const updateMs = 2_500;

/**
 * Ask a running sequence to skip, snooze or send its next step. The workflow carries it out and looks again at once; Postgres decides. Where the workflow
 * does not answer in time, the request is withdrawn in Postgres, under the same lock under which it would be carried out: it is done, or it never is.
 */
export async function askWorkflow(deps: AskDeps, wish: StepWish): Promise<StepAnswer> {
  const { tenantId, enrollmentId, kind, step, untilMs, hours, key, actor } = wish;
  const request: ActionRequest = { tenantId, enrollmentId, id: uuidv7(), key, action: kind, request: requestText(wish), actor };
  const known = await deps.db.withTenant(tenantId, async (tx) => {
    const [found] = await tx
      .select({ endedAt: enrollments.endedAt, sequence: sequences.slug, tenantSlug: tenants.slug })
      .from(enrollments)
      .innerJoin(sequences, eq(sequences.id, enrollments.sequenceId))
      .innerJoin(tenants, eq(tenants.id, enrollments.tenantId))
      .where(eq(enrollments.id, enrollmentId));
    return found === undefined ? null : { ...found, before: await readAction(tx, request) };
  });
  if (known === null) return { kind: 'not_found' };
  if (known.before?.kind === 'done') return known.before;
  if (known.before?.kind === 'key_reused') return { kind: 'refused', why: 'key_reused' };
  if (known.endedAt !== null) return { kind: 'refused', why: 'ended' };
  const ref: WorkflowRef = { tenantSlug: known.tenantSlug, sequence: known.sequence, enrollmentId };
  const until = untilMs === null ? null : new Date(untilMs).toISOString();
  const input = { step, until, hours, key, actor, requestId: currentRequestId(), deadlineMs: deps.clock.nowMs() + updateMs };
  const answer = await deps.engine.actOnStep(ref, kind, request.id, input, updateMs);
  if (answer.kind === 'refused') {
    if (answer.code === 'key_reused') return { kind: 'refused', why: answer.code };
    const why = actionRefusals.find((known) => known === answer.code);
    if (why !== undefined) return { kind: 'refused', why };
  }
  return settle(deps, request);
}

/** What became of the request: it was carried out, or it is withdrawn now. */
async function settle(deps: AskDeps, request: ActionRequest): Promise<StepAnswer> {
  const budget = startAnswerBudget(deps.clock);
  for (;;) {
    try {
      return await deps.db.withTenant(request.tenantId, async (tx): Promise<StepAnswer> => {
        const locked = await lockStep(tx, request.enrollmentId, '');
        if (locked === null) return { kind: 'not_found' };
        const known = await readAction(tx, request);
        if (known?.kind === 'done') return known;
        if (known === null) await withdrawAction(tx, request);
        return locked.enrollment.endedAt === null ? { kind: 'unanswered' } : { kind: 'refused', why: 'ended' };
      });
    } catch (error) {
      const again = error instanceof MovedError || error instanceof CommitUnclearError || isLockFailure(error);
      if (!again || budget.leftMs() <= 0) throw error;
    }
  }
}

/** What came of a step that was made due at once. */
export type SentNow =
  | { kind: 'sent' | 'unknown' | 'under_way' }
  | { kind: 'skipped' | 'held'; reason: string }
  | { kind: 'deferred'; reason: string; untilMs: number | null }
  | { kind: 'ended' };

const betweenLooksMs = 50;
const longestWaitMs = 2_500;

/**
 * Wait until the dispatch of a step has decided, and its call is over.
 * @param before - how often had been decided about the step when it was made due
 * @returns `under_way` where that takes longer than a caller waits
 */
export async function awaitDispatch(
  deps: Pick<Deps, 'db' | 'clock'>,
  { tenantId, enrollmentId, step, before }: { tenantId: string; enrollmentId: string; step: string; before: number },
): Promise<SentNow> {
  const startedMs = deps.clock.monotonicMs();
  for (;;) {
    const seen = await deps.db.withTenant(tenantId, async (tx): Promise<SentNow | null> => {
      const ofStep = and(eq(messages.enrollmentId, enrollmentId), eq(messages.stepId, step));
      const [row] = await tx
        .select({ state: messages.state, skipReason: messages.skipReason, response: messages.response, live: messages.live })
        .from(messages)
        .where(ofStep);
      if (row?.state === 'sent' || row?.state === 'unknown') return { kind: row.state };
      if (row?.state === 'skipped') return { kind: 'skipped', reason: row.skipReason ?? 'stopped' };
      const [enrollment] = await tx.select({ endedAt: enrollments.endedAt }).from(enrollments).where(eq(enrollments.id, enrollmentId));
      if (enrollment?.endedAt != null) return { kind: 'ended' };
      if (row?.live === true || (await decisionsAbout(tx, enrollmentId, step)) <= before) return null;
      const [latest] = await tx
        .select({ verdict: decisions.verdict, reason: decisions.reason, until: decisions.until })
        .from(decisions)
        .where(and(eq(decisions.enrollmentId, enrollmentId), eq(decisions.stepId, step)))
        .orderBy(desc(decisions.at), desc(decisions.id))
        .limit(1);
      if (latest?.verdict === 'defer') return { kind: 'deferred', reason: latest.reason, untilMs: latest.until };
      return latest?.verdict === 'hold' ? { kind: 'held', reason: latest.reason } : null;
    });
    if (seen !== null) return seen;
    if (deps.clock.monotonicMs() - startedMs > longestWaitMs) return { kind: 'under_way' };
    await new Promise((done) => setTimeout(done, betweenLooksMs));
  }
}
