import { and, desc, eq, type SQL, sql } from 'drizzle-orm';
import { judgeWords, type GuardFault } from '../../content/model/guard.ts';
import { CommitUnclearError, isLockFailure, type Tx } from '../../db/client.ts';
import { compositions, decisions, enrollments, sequences, tenants } from '../../db/schema/index.ts';
import type { Channel } from '../../domain/channels/index.ts';
import { isChannel } from '../../domain/channels/index.ts';
import type { WrittenWords } from '../../domain/composition/words.ts';
import { scaled } from '../../domain/sequence/time-scale.ts';
import { settingsOf } from '../../domain/tenant-settings.ts';
import { startAnswerBudget, boundLockWaits } from '../answer-budget.ts';
import { recordAudit } from '../audit.ts';
import type { Deps } from '../deps.ts';
import { lockStep } from '../dispatch/fence.ts';
import type { VersionCache } from '../dispatch/versions.ts';
import { MovedError } from '../intake/found.ts';
import { closeApproval, compositionKey } from '../work/approval-task.ts';
import { beyond, byAge, type Page, pageOf, type PageWanted, readList } from '../read/page.ts';
import { wakeRunning } from '../wake-running.ts';
import { type CompositionRow, wordsOf } from './choose-copy.ts';
import { compositionFacts, readModelStep } from './reading.ts';

/**
 * What became of a model's text. `writing`: the model is asked. `failed`: there is none, `reason` says why. `ready`: it goes out without a person's
 * approval. `waiting`: for one. `timed_out`: nobody decided before the step was settled or its sequence ended.
 */
export const compositionStates = ['writing', 'failed', 'ready', 'waiting', 'approved', 'rejected', 'timed_out'] as const;
export type CompositionState = (typeof compositionStates)[number];

/** A model's text with what a person needs to decide about it. */
export interface CompositionView {
  row: CompositionRow;
  state: CompositionState;
  sequence: string;
  /** Until when the step waits for a person, as far as is known now, epoch ms; null: it does not wait. */
  waitsUntilMs: number | null;
}

/** @param approval - whether the store wants each text approved, by its settings now */
const stateBy = (approval: boolean) => sql<CompositionState>`case
  when ${compositions.state} in ('calling', 'waiting') then 'writing'
  when ${compositions.state} = 'failed' then 'failed'
  when ${compositions.approval} in ('approved', 'rejected') then ${compositions.approval}
  when ${compositions.approval} is null and (not ${approval}::boolean or ${compositions.isOver}) then 'ready'
  when ${compositions.isOver} then 'timed_out'
  else 'waiting' end`;

/**
 * The texts in a state, as `stateBy` names them, in a form that finds the rare ones by an index.
 * @param approval - see `stateBy`: without it, only what was asked about before waits
 */
function isIn(state: CompositionState, approval: boolean): SQL | undefined {
  switch (state) {
    case 'writing':
      return sql`${compositions.state} in ('calling', 'waiting')`;
    case 'failed':
      return sql`${compositions.state} = 'failed'`;
    case 'approved':
    case 'rejected':
      return sql`${compositions.state} = 'ready' and ${compositions.approval} = ${sql.raw(`'${state}'`)}`;
    case 'timed_out':
      return sql`${compositions.state} = 'ready' and ${compositions.isOver} and ${compositions.approval} = 'pending'`;
    case 'waiting':
      return and(
        sql`${compositions.state} = 'ready' and not ${compositions.isOver}`,
        approval ? sql`(${compositions.approval} is null or ${compositions.approval} = 'pending')` : sql`${compositions.approval} = 'pending'`,
      );
    case 'ready':
      return and(sql`${compositions.state} = 'ready' and ${compositions.approval} is null`, approval ? sql`${compositions.isOver}` : undefined);
  }
}

/** The latest first. */
export function listCompositions(
  { db }: Pick<Deps, 'db'>,
  tenantId: string,
  search: { state?: CompositionState | undefined; enrollment?: string | undefined },
  page: PageWanted,
): Promise<Page<CompositionView>> {
  return readList({ db }, tenantId, async (tx) => {
    const wanted = and(
      beyond(compositions.id, 'newest', page),
      search.enrollment === undefined ? undefined : eq(compositions.enrollmentId, search.enrollment),
    );
    return pageOf(
      await views(tx, tenantId, wanted, byAge(compositions.id, 'newest', page), search.state ?? null, page.limit + 1),
      page.limit,
      ({ row }) => row.id,
    );
  });
}

async function views(
  tx: Tx,
  tenantId: string,
  wanted: ReturnType<typeof and>,
  order: SQL,
  only: CompositionState | null,
  most: number,
): Promise<CompositionView[]> {
  const [tenant] = await tx.select({ settings: tenants.settings }).from(tenants).where(eq(tenants.id, tenantId));
  const { modelApproval, modelApprovalHours } = settingsOf(tenant ?? { settings: {} });
  const state = stateBy(modelApproval);
  const rows = await tx
    .select({ row: compositions, state, sequence: sequences.slug, timeScale: enrollments.timeScale, notBefore: enrollments.notBefore })
    .from(compositions)
    .innerJoin(enrollments, and(eq(enrollments.tenantId, compositions.tenantId), eq(enrollments.id, compositions.enrollmentId)))
    .innerJoin(sequences, and(eq(sequences.tenantId, enrollments.tenantId), eq(sequences.id, enrollments.sequenceId)))
    .where(and(wanted, only === null ? undefined : isIn(only, modelApproval)))
    .orderBy(order)
    .limit(most);
  return rows.map(({ row, state: known, sequence, timeScale, notBefore }) => {
    const putOffMs = notBefore[row.stepId] ?? 0;
    const untilMs = putOffMs >= row.dueAt ? putOffMs : row.dueAt + scaled(modelApprovalHours * 3_600_000, timeScale);
    return { row, state: known, sequence, waitsUntilMs: known === 'waiting' ? untilMs : null };
  });
}

/** What becomes of a text that a person is to approve; null: there is none any more. */
export async function readApproval(tx: Tx, tenantId: string, id: string): Promise<Pick<CompositionView, 'state' | 'waitsUntilMs'> | null> {
  const [view] = await views(tx, tenantId, eq(compositions.id, id), desc(compositions.id), null, 1);
  return view ?? null;
}

/** What a person decides. Fields of a text that are left out stay as the model wrote them. */
export type ApprovalDecision = { approve: { subject?: string; body?: string; cta?: string } } | { reject: { note: string | null } };

export type ApprovalResult =
  | { kind: 'decided'; view: CompositionView }
  | { kind: 'not_found' | 'busy' }
  /** The model is asked just now, or there is no text. */
  | { kind: 'no_text'; state: 'writing' | 'failed' }
  /** The message is on its way or has gone, the step was left out, or the sequence has ended. */
  | { kind: 'over' }
  /** What the text was written about has changed since. */
  | { kind: 'stale' }
  /** The text breaks rules that no text of a model may break. */
  | { kind: 'guarded'; faults: GuardFault[] };

interface Asked {
  tenantId: string;
  id: string;
  decision: ApprovalDecision;
  actor: string;
}

/**
 * Decide about a model's text, under the locks that its dispatch holds. What waits for the decision goes on at once. Deciding again, and otherwise, is
 * possible until the message is on its way.
 * Source: docs/rules.md#rule-42
 */
export async function decideComposition(deps: Deps & { versions: VersionCache }, asked: Asked): Promise<ApprovalResult> {
  const budget = startAnswerBudget(deps.clock);
  for (let attempt = 1; budget.leftMs() > 0; attempt++) {
    try {
      const result = await deps.db.withTenant(asked.tenantId, async (tx) => {
        if (attempt > 1) await boundLockWaits(tx, budget.leftMs());
        return decide(tx, deps, asked);
      });
      if (result.kind === 'decided') deps.kickRelay();
      return result;
    } catch (error) {
      // Doing it again changes nothing that was done.
      if (!(error instanceof MovedError) && !(error instanceof CommitUnclearError) && !isLockFailure(error)) throw error;
    }
  }
  return { kind: 'busy' };
}

async function decide(tx: Tx, deps: Deps & { versions: VersionCache }, asked: Asked): Promise<ApprovalResult> {
  const { tenantId, id, decision, actor } = asked;
  const [known] = await tx.select().from(compositions).where(eq(compositions.id, id));
  const locked = known === undefined ? null : await lockStep(tx, known.enrollmentId, known.stepId);
  const [row] = await tx.select().from(compositions).where(eq(compositions.id, id)).for('no key update');
  if (row === undefined || locked === null) return { kind: 'not_found' };
  const { enrollment } = locked;
  const isSettled = locked.row !== null && (locked.row.live || ['claimed', 'sent', 'unknown', 'skipped'].includes(locked.row.state));
  if (enrollment.endedAt !== null || isSettled) return { kind: 'over' };
  if (row.state !== 'ready') return { kind: 'no_text', state: row.state === 'failed' ? 'failed' : 'writing' };
  const decidedNow = { decidedBy: actor, decidedAt: sql`clock_timestamp()` };
  if ('reject' in decision) {
    await tx
      .update(compositions)
      .set({ approval: 'rejected', decisionNote: decision.reject.note, ...decidedNow })
      .where(eq(compositions.id, id));
  } else {
    const words = edited(wordsOf(row), decision.approve);
    const judged = await judge(tx, deps, { row, words, enrollment, ledger: locked.ledger });
    if (judged !== null) return judged;
    const { subject, body, cta } = words;
    const isEdited = subject !== (row.subject ?? '') || body !== row.body || cta !== (row.cta ?? '');
    const unedited = row.unedited ?? (isEdited ? { subject: row.subject ?? '', body: row.body ?? '', cta: row.cta ?? '' } : null);
    await tx
      .update(compositions)
      .set({ approval: 'approved', decisionNote: null, ...decidedNow, subject, body, cta, unedited })
      .where(eq(compositions.id, id));
  }
  await goOn(tx, row);
  const result = 'reject' in decision ? 'rejected' : 'approved';
  await closeApproval(tx, { tenantId, key: compositionKey(id), state: 'done', result, by: actor, nowMs: deps.clock.nowMs() });
  const action = 'reject' in decision ? 'composition.reject' : 'composition.approve';
  await recordAudit(tx, { tenantId, actor, action, subject: id, data: { enrollment: row.enrollmentId, step: row.stepId } });
  const [view] = await views(tx, tenantId, eq(compositions.id, id), desc(compositions.id), null, 1);
  if (view === undefined) throw new Error('a composition vanished under its lock');
  return { kind: 'decided', view };
}

const edited = (words: WrittenWords, { subject, body, cta }: { subject?: string; body?: string; cta?: string }): WrittenWords => ({
  ...words,
  subject: subject ?? words.subject,
  body: body ?? words.body,
  cta: cta ?? words.cta,
});

/** Ask of a person's text what is asked of a model's. @returns null: it may go out as things stand */
async function judge(
  tx: Tx,
  deps: Deps & { versions: VersionCache },
  { row, words, ...step }: { row: CompositionRow; words: WrittenWords } & Pick<Parameters<typeof readModelStep>[2], 'enrollment' | 'ledger'>,
): Promise<ApprovalResult | null> {
  const found = await readModelStep(tx, deps, { ...step, stepId: row.stepId });
  const channel: Channel | null = isChannel(row.channel) ? row.channel : null;
  const about = found === null || channel === null ? null : compositionFacts(found.version, row.stepId, found.reading, channel, deps.clock.nowMs());
  if (about === null || about.fingerprint !== row.fingerprint) return { kind: 'stale' };
  const faults = judgeWords({ ...about, words });
  return faults.length === 0 ? null : { kind: 'guarded', faults };
}

/** A step that waits for the decision is dispatched now. One that waits for something else finds that out again. */
async function goOn(tx: Tx, { enrollmentId, stepId }: CompositionRow): Promise<void> {
  const [latest] = await tx
    .select({ verdict: decisions.verdict, reason: decisions.reason })
    .from(decisions)
    .where(and(eq(decisions.enrollmentId, enrollmentId), eq(decisions.stepId, stepId)))
    .orderBy(desc(decisions.id))
    .limit(1);
  if (latest?.verdict !== 'defer' || latest.reason !== 'approval') return;
  await tx
    .update(enrollments)
    .set({ notBefore: sql`${enrollments.notBefore} - ${stepId}::text` })
    .where(eq(enrollments.id, enrollmentId));
  await wakeRunning(tx, eq(enrollments.id, enrollmentId));
}
