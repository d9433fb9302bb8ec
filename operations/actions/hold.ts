import { eq } from 'drizzle-orm';
import { v7 as uuidv7 } from 'uuid';
import type { Tx } from '../../db/client.ts';
import { type ActionResult, enrollments, outbox } from '../../db/schema/index.ts';
import { recordAudit } from '../audit.ts';
import type { Deps } from '../deps.ts';
import { lockStep } from '../dispatch/fence.ts';
import type { EnrollmentRow } from '../dispatch/progress.ts';
import { addToStory } from '../dispatch/records.ts';
import { stopAndWait } from '../stop-one.ts';
import { type ActionRequest, noteAction, nothingChanged, readAction } from './ledger.ts';

export type HoldAnswer =
  /** `changed` is false where it was so already. */
  { kind: 'done'; result: ActionResult } | { kind: 'refused'; why: 'ended' | 'key_reused' } | { kind: 'not_found' } | { kind: 'busy' };

/**
 * Pause one enrollment, or let it go on (rule 15). Postgres knows first, so it holds also while no worker runs; the workflow hears of it by the outbox.
 * Answered when no call to the person is open any more.
 * @param input.requestId - a retry has the same one; absent: it is asked once
 */
export async function holdByHand(
  deps: Deps,
  input: {
    tenantId: string;
    enrollmentId: string;
    does: 'pause' | 'resume';
    note: string | null;
    key: string | null;
    actor: string;
    requestId?: string;
  },
): Promise<HoldAnswer> {
  const { tenantId, enrollmentId, does, note, key, actor } = input;
  const request: ActionRequest = { tenantId, enrollmentId, id: input.requestId ?? uuidv7(), key, action: does, request: note ?? '', actor };
  const written: { answer: HoldAnswer } = { answer: { kind: 'not_found' } };
  const result = await stopAndWait(deps, tenantId, async (tx) => {
    const locked = await lockStep(tx, enrollmentId, '');
    if (locked === null) return null;
    const { enrollment } = locked;
    const known = await readAction(tx, request);
    const covered = does === 'pause' ? [enrollment.contactId] : [];
    // By an earlier request with this key, or by an attempt of this one whose COMMIT was unclear.
    if (known?.kind === 'done') written.answer = known;
    else if (known !== null) written.answer = { kind: 'refused', why: 'key_reused' };
    else if (enrollment.endedAt !== null) written.answer = { kind: 'refused', why: 'ended' };
    else {
      const held = does === 'pause' ? 'paused' : null;
      const outboxWritten = enrollment.held !== held;
      const done = { ...nothingChanged, changed: outboxWritten };
      if (outboxWritten) await writeHold(tx, enrollment, held, actor);
      await noteAction(tx, request, done);
      await recordAudit(tx, {
        tenantId,
        actor,
        action: `enrollment.${does}`,
        subject: enrollmentId,
        data: { changed: done.changed, ...(note === null ? {} : { note }) },
      });
      written.answer = { kind: 'done', result: done };
      return { covered, outboxWritten };
    }
    return { covered, outboxWritten: false };
  });
  return result === 'busy' ? { kind: 'busy' } : written.answer;
}

async function writeHold(tx: Tx, enrollment: EnrollmentRow, held: 'paused' | null, actor: string): Promise<void> {
  const status = held === null ? 'ACTIVE' : 'PAUSED';
  await tx.update(enrollments).set({ held, status }).where(eq(enrollments.id, enrollment.id));
  await tx.insert(outbox).values({ tenantId: enrollment.tenantId, enrollmentId: enrollment.id, kind: 'wake' });
  addToStory(tx, enrollment, held === null ? 'resumed' : 'paused', { by: 'hand', actor });
}
