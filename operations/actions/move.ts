import { and, eq } from 'drizzle-orm';
import { v7 as uuidv7 } from 'uuid';
import type { Tx } from '../../db/client.ts';
import { type ActionResult, enrollments, outbox, sequences, sequenceVersions, versionMoves } from '../../db/schema/index.ts';
import { decideMove, type MoveRefusal } from '../../domain/actions/decide-move.ts';
import { recordAudit } from '../audit.ts';
import type { Deps } from '../deps.ts';
import { lockStep } from '../dispatch/fence.ts';
import { type EnrollmentRow, readProgress } from '../dispatch/progress.ts';
import { addToStory, writeSkip } from '../dispatch/records.ts';
import { stopAndWait } from '../stop-one.ts';
import { type ActionRequest, noteAction, nothingChanged, readAction } from './ledger.ts';

/** Where an enrollment is to go on. */
export interface MoveWish {
  /** The number of a version of its sequence; null: the one in use. */
  version: number | null;
  /** The step that is to come next; null: whichever has its place in that version. */
  step: string | null;
}

export type MoveAnswer =
  | { kind: 'done'; result: ActionResult }
  /** `unknown_version`: its sequence has none of that number. `version_replaced`: a publisher has moved everybody on from it, or ended it. */
  | { kind: 'refused'; why: MoveRefusal | 'unknown_version' | 'version_replaced' | 'key_reused' }
  | { kind: 'not_found' }
  | { kind: 'busy' };

export interface MoveInput extends MoveWish {
  tenantId: string;
  enrollmentId: string;
  note: string | null;
  key: string | null;
  actor: string;
  /** A retry has the same one; absent: it is asked once. */
  requestId?: string;
}

/**
 * Move one enrollment to another version of its sequence, or forward to a step (rule 95). Postgres knows first, under the locks of a dispatch; the workflow
 * is woken and reads its plan and progress anew.
 */
export async function moveByHand(deps: Deps, input: MoveInput): Promise<MoveAnswer> {
  const { tenantId, enrollmentId, version, step, note, key, actor } = input;
  const asked = JSON.stringify([version, step, note]);
  const request: ActionRequest = { tenantId, enrollmentId, id: input.requestId ?? uuidv7(), key, action: 'move', request: asked, actor };
  const written: { answer: MoveAnswer } = { answer: { kind: 'not_found' } };
  const nothing = { covered: [], outboxWritten: false };
  const result = await stopAndWait(deps, tenantId, async (tx) => {
    const locked = await lockStep(tx, enrollmentId, '');
    if (locked === null) return null;
    const { enrollment, ledger } = locked;
    const known = await readAction(tx, request);
    if (known?.kind === 'done') written.answer = known;
    else if (known !== null) written.answer = { kind: 'refused', why: 'key_reused' };
    if (known !== null) return nothing;
    const target = await readTarget(tx, enrollment, version);
    if (target.kind !== 'found') {
      written.answer = { kind: 'refused', why: target.kind };
      return nothing;
    }
    const [from, to] = [await deps.versions.load(tx, enrollment.versionId), await deps.versions.load(tx, target.id)];
    const decided = decideMove(from.definition, to.definition, step, {
      ended: enrollment.endedAt !== null,
      inFlight: ledger.some(({ live, state }) => live || state === 'claimed'),
      settled: readProgress(enrollment, ledger).settled,
      sameVersion: enrollment.versionId === target.id,
    });
    if (decided.kind === 'refuse') {
      written.answer = { kind: 'refused', why: decided.why };
      return nothing;
    }
    const changed = decided.kind === 'move';
    if (changed) await carryOut(tx, deps.clock.nowMs(), enrollment, { from, to: { ...to, id: target.id } }, decided.passed, actor);
    const done: ActionResult = { ...nothingChanged, changed, step };
    await noteAction(tx, request, done);
    const data = { version: to.version, step, changed, ...(note === null ? {} : { note }) };
    await recordAudit(tx, { tenantId, actor, action: 'enrollment.move', subject: enrollmentId, data });
    written.answer = { kind: 'done', result: done };
    return { covered: [], outboxWritten: changed };
  });
  return result === 'busy' ? { kind: 'busy' } : written.answer;
}

async function readTarget(
  tx: Tx,
  enrollment: EnrollmentRow,
  version: number | null,
): Promise<{ kind: 'found'; id: string } | { kind: 'unknown_version' | 'version_replaced' }> {
  const [found] = await tx
    .select({ id: sequenceVersions.id, replaced: versionMoves.versionId })
    .from(sequenceVersions)
    .innerJoin(sequences, eq(sequences.id, sequenceVersions.sequenceId))
    .leftJoin(versionMoves, eq(versionMoves.versionId, sequenceVersions.id))
    .where(
      and(
        eq(sequenceVersions.sequenceId, enrollment.sequenceId),
        version === null ? eq(sequences.currentVersionId, sequenceVersions.id) : eq(sequenceVersions.version, version),
      ),
    );
  if (found === undefined) return { kind: 'unknown_version' };
  // Its next decision would move it on, or end it (ADR 28).
  return found.replaced === null ? { kind: 'found', id: found.id } : { kind: 'version_replaced' };
}

async function carryOut(
  tx: Tx,
  nowMs: number,
  enrollment: EnrollmentRow,
  { from, to }: { from: { version: number }; to: { id: string; version: number } },
  passed: readonly string[],
  actor: string,
): Promise<void> {
  const { id, tenantId } = enrollment;
  if (enrollment.versionId !== to.id) {
    await tx.update(enrollments).set({ versionId: to.id }).where(eq(enrollments.id, id));
    addToStory(tx, enrollment, 'version_changed', { from: from.version, to: to.version, passed, by: 'hand', actor });
  }
  for (const step of passed) {
    writeSkip(tx, enrollment, step, 'passed', nowMs);
    if (enrollment.versionId === to.id) addToStory(tx, enrollment, 'step.skipped', { step, reason: 'passed', by: 'hand', actor });
  }
  await tx.insert(outbox).values({ tenantId, enrollmentId: id, kind: 'wake' });
}
