import { and, eq } from 'drizzle-orm';
import { v7 as uuidv7 } from 'uuid';
import { CommitUnclearError, isLockFailure, type Tx } from '../db/client.ts';
import { auditLog, enrollments, messages } from '../db/schema/index.ts';
import { addressOf, isChannel } from '../domain/channels/index.ts';
import { type Identity, isStrong } from '../domain/people/choose-contact.ts';
import type { StopReason } from '../domain/sequence/plan.ts';
import { type ActionRequest, noteAction, nothingChanged, readAction } from './actions/ledger.ts';
import { recordAudit } from './audit.ts';
import { boundLockWaits, startAnswerBudget } from './answer-budget.ts';
import type { Deps } from './deps.ts';
import { lockStep } from './dispatch/fence.ts';
import type { EnrollmentRow } from './dispatch/progress.ts';
import { release, takeOver } from './effects/rules/takeover.ts';
import { optOutPersons } from './effects/rules/opt-out.ts';
import { type DecisionContext, Draft } from './intake/draft.ts';
import { contactsByIdentity, type Found, lockNamed, mostHolders, MovedError } from './intake/found.ts';
import { nothingBesides, readSuppressions, readWorld } from './intake/read-world.ts';
import { optOutsOf } from './intake/reported.ts';
import { decisionContext, readTenant } from './intake/tenant.ts';
import type { World } from './intake/world.ts';
import { tellsTemporal, writesOf, writeWorld } from './intake/writes.ts';
import { readLiveClaims } from './lease-watch.ts';

/** `busy`: whether or not it was written, a covered call may still be open; the caller must repeat the request. */
export type StopResult = 'stopped' | 'not_found' | 'busy';

/** An end as the enrollment's row holds it. */
export type End = Pick<EnrollmentRow, 'status' | 'stopReason' | 'stopNote' | 'subjectKind'> & { endedAt: number };

/** What a stop by hand came to. `ended_before`: the sequence had an end already, which stays. */
export type HandStop = { kind: 'stopped' | 'ended_before'; end: End } | { kind: 'not_found' | 'busy' };

interface StopInput {
  tenantId: string;
  enrollmentId: string;
  note: string;
  actor: string;
  reason?: StopReason;
}

/** Stop a sequence by hand. The text is kept as a note: "purchased" typed here is not a recovery (rule 12). */
export async function stopByHand(deps: Deps, input: StopInput): Promise<HandStop> {
  const stopped = await stopOnce(deps, { ...input, key: null });
  if (stopped.kind === 'key_reused') throw new Error('a stop without a key met one');
  return stopped;
}

/**
 * The same for a request that may be repeated.
 * @param input.key - the caller's `Idempotency-Key`, with which a repeat answers as the first request did; null: none
 * @param input.requestId - the same for a retry within this installation; absent: none
 * @returns `key_reused`: the key was used for another request, and nothing was done
 */
export async function stopOnce(
  deps: Deps,
  input: StopInput & { key: string | null; requestId?: string },
): Promise<HandStop | { kind: 'key_reused' }> {
  const written: { stop: { kind: 'stopped' | 'ended_before'; end: End } | { kind: 'key_reused' } | null } = { stop: null };
  const { tenantId, enrollmentId, actor, key } = input;
  const isKept = key !== null || input.requestId !== undefined;
  const request: ActionRequest = { tenantId, enrollmentId, id: input.requestId ?? uuidv7(), key, action: 'stop', request: input.note, actor };
  const result = await stopAndWait(deps, input.tenantId, async (tx) => {
    const locked = await lockStep(tx, input.enrollmentId, '');
    if (locked === null) return null;
    const { draft } = await draftOf(tx, deps, input.tenantId, { ...nobody, named: [locked.personId], reached: [locked.personId] });
    draft.coverPersons([locked.personId]);
    const before = isKept ? await readAction(tx, request) : null;
    if (before !== null && before.kind !== 'done') {
      written.stop = { kind: 'key_reused' };
      return { covered: [], outboxWritten: false };
    }
    if (locked.enrollment.endedAt === null) draft.end([input.enrollmentId], input.reason ?? 'manual', { note: input.note });
    const outboxWritten = writeDraft(tx, draft);
    const end = await readEnd(tx, input.enrollmentId);
    // It is repeated where it is not known whether COMMIT took effect: an end that the first attempt wrote is this request's own.
    const repeated = written.stop?.kind === 'stopped' && written.stop.end.endedAt === end.endedAt;
    const own = locked.enrollment.endedAt === null || repeated || before?.result.changed === true;
    written.stop = { kind: own ? 'stopped' : 'ended_before', end };
    if (before !== null) return { covered: [...draft.changes.covered], outboxWritten };
    if (isKept) await noteAction(tx, request, { ...nothingChanged, changed: own });
    await tx.insert(auditLog).values({
      tenantId: input.tenantId,
      id: uuidv7(),
      actor: input.actor,
      action: 'enrollment.stop',
      subject: input.enrollmentId,
      data: { already_ended: locked.enrollment.endedAt !== null },
    });
    return { covered: [...draft.changes.covered], outboxWritten };
  });
  if (result !== 'stopped') return { kind: result };
  if (written.stop === null) throw new Error('a stop was committed that was not written');
  return written.stop;
}

async function readEnd(tx: Tx, enrollmentId: string): Promise<End> {
  const { status, stopReason, stopNote, endedAt, subjectKind } = enrollments;
  const [row] = await tx.select({ status, stopReason, stopNote, endedAt, subjectKind }).from(enrollments).where(eq(enrollments.id, enrollmentId));
  if (row === undefined || row.endedAt === null) throw new Error('a stopped enrollment has no end');
  return { ...row, endedAt: row.endedAt };
}

/** What a takeover or a release by hand came to. */
export type HandTakeover = 'done' | 'not_found' | 'busy';

/**
 * Take the person of an enrollment over by hand, or release them. Answered when no call of theirs is open any more.
 * @param input.does - `release`: what waits goes on at once
 */
export async function takeOverByHand(
  deps: Deps,
  input: { tenantId: string; enrollmentId: string; actor: string; does: 'take_over' | 'release' },
): Promise<HandTakeover> {
  const result = await stopAndWait(deps, input.tenantId, async (tx) => {
    const locked = await lockStep(tx, input.enrollmentId, '');
    if (locked === null) return null;
    const persons = [locked.personId];
    const { draft } = await draftOf(tx, deps, input.tenantId, { ...nobody, named: persons, reached: persons });
    if (input.does === 'take_over') takeOver(draft, persons, input.actor);
    else release(draft, persons, input.actor);
    const outboxWritten = writeDraft(tx, draft);
    await recordAudit(tx, { tenantId: input.tenantId, actor: input.actor, action: `contact.${input.does}`, subject: locked.personId });
    return { covered: [...draft.changes.covered], outboxWritten };
  });
  return result === 'stopped' ? 'done' : result;
}

/**
 * One-click unsubscribe: takes effect like any stop, on everybody whose address the message was sent to and whoever shares an identity with
 * them (rules 10 and 13), whoever the subject belongs to by now. Repeating it changes nothing and waits likewise.
 * @param messageId - from the signed token in the message
 */
export function unsubscribe(deps: Deps, input: { tenantId: string; messageId: string }): Promise<StopResult> {
  return stopAndWait(deps, input.tenantId, async (tx) => {
    const message = await readMessage(tx, input.messageId);
    if (message === null) return null;
    const addressees = await contactsByIdentity(tx, message.identities);
    const found = await lockNamed(tx, {
      identities: message.identities,
      keys: [],
      stops: true,
      // No contact has that address any more, or too many have it: stop the recipient of the message instead.
      contactIds: addressees.length === 0 || new Set(addressees.map((a) => a.personId)).size > mostHolders ? [message.contactId] : [],
      // A dispatch of the sequence that sent the message holds the lock of the person whom the sequence belongs to now.
      bystanderIds: [message.contactId, message.enrollmentContactId],
    });
    if ((await readMessage(tx, input.messageId))?.enrollmentContactId !== message.enrollmentContactId) throw new MovedError();
    // A link that was texted to a number which several share closes the number, as their STOP would (rule 13).
    const numberOnly = message.identities.length > 0 && !message.identities.some(isStrong) && found.named.length > 1;
    const { draft, context } = await draftOf(tx, deps, input.tenantId, found, message.identities);
    optOutPersons(draft, {
      channel: message.channel,
      final: false,
      source: 'unsubscribe',
      basis: 'person',
      occurredAtMs: context.nowMs,
      identities: message.identities,
      numberOnly,
      personIds: numberOnly ? [] : found.named,
      reachedPersonIds: found.reached,
    });
    // The call of this very message, should it still be open.
    draft.coverContact(message.contactId);
    return { covered: [...draft.changes.covered], outboxWritten: writeDraft(tx, draft) };
  });
}

export const nobody: Found = { named: [], reached: [], near: [], crowded: [], subjects: [] };

/** A draft of the world of people whose locks are held. @param besides - identities that none of them may have */
export async function draftOf(
  tx: Tx,
  deps: Deps,
  tenantId: string,
  found: Found,
  besides: readonly Identity[] = [],
): Promise<{ draft: Draft; context: DecisionContext }> {
  const context = decisionContext(deps, { tenantId, connectionId: '', inboxId: null }, await readTenant(tx, tenantId));
  const world: World = await readWorld(tx, deps.versions, found, { ...nothingBesides, parts: ['runs'] });
  const suppressions = await readSuppressions(tx, context, [...besides, ...world.identities]);
  return { draft: new Draft({ ...world, suppressions }, context), context };
}

/** @returns whether anything was written to the outbox */
export function writeDraft(tx: Tx, draft: Draft): boolean {
  const writes = writesOf(draft);
  const reported = optOutsOf(draft, draft.context.nowMs);
  writeWorld(tx, reported.length === 0 ? writes : { ...writes, reported });
  return tellsTemporal(writes);
}

async function readMessage(tx: Tx, messageId: string) {
  const [row] = await tx
    .select({ contactId: messages.contactId, enrollmentContactId: enrollments.contactId, channel: messages.channel, payload: messages.payload })
    .from(messages)
    .innerJoin(enrollments, and(eq(enrollments.tenantId, messages.tenantId), eq(enrollments.id, messages.enrollmentId)))
    .where(eq(messages.id, messageId));
  if (row === undefined) return null;
  const address = row.payload === null ? null : addressOf(row.payload);
  return {
    contactId: row.contactId,
    enrollmentContactId: row.enrollmentContactId,
    // Null only in a row that was never claimed, which no link points to.
    channel: isChannel(row.channel) ? row.channel : null,
    identities: address === null ? [] : [address],
  };
}

interface Written {
  /** Contacts whose running calls must be over. */
  covered: string[];
  outboxWritten: boolean;
}

/** The stop side of the fence for stops that come without a webhook: write, give the connection back, wait for covered calls. */
export async function stopAndWait(deps: Deps, tenantId: string, write: (tx: Tx) => Promise<Written | null>): Promise<StopResult> {
  const budget = startAnswerBudget(deps.clock);
  for (let attempt = 1; budget.leftMs() > 0; attempt++) {
    try {
      const written = await deps.db.withTenant(tenantId, async (tx) => {
        if (attempt > 1) await boundLockWaits(tx, budget.leftMs());
        const stop = await write(tx);
        if (stop === null) return null;
        const lockedAtMs = deps.clock.monotonicMs();
        await deps.checkpoints('stop.locked');
        const claims = await readLiveClaims(tx, stop.covered);
        await deps.checkpoints('stop.before_commit');
        return { claims, lockedAtMs, outboxWritten: stop.outboxWritten };
      });
      if (written === null) return 'not_found';
      if (written.outboxWritten) deps.kickRelay();
      await deps.checkpoints('stop.committed');
      const waitFromMs = deps.clock.monotonicMs();
      const waited = await deps.leases.wait(tenantId, written.claims, written.lockedAtMs, budget.leftMs() + (waitFromMs - written.lockedAtMs));
      deps.telemetry.leaseWait(waited, deps.clock.monotonicMs() - waitFromMs);
      return waited === 'budget_spent' ? 'busy' : 'stopped';
    } catch (error) {
      // Doing it again changes nothing that was done.
      if (!(error instanceof MovedError) && !(error instanceof CommitUnclearError) && !isLockFailure(error)) throw error;
    }
  }
  return 'busy';
}
