import { and, desc, eq, isNull, or, sql } from 'drizzle-orm';
import { CommitUnclearError, isLockFailure, type Tx } from '../db/client.ts';
import { contactMerges } from '../db/schema/index.ts';
import { boundLockWaits, startAnswerBudget } from './answer-budget.ts';
import { recordAudit } from './audit.ts';
import type { Deps } from './deps.ts';
import { splitPerson } from './effects/rules/split-person.ts';
import { lockNamed, MovedError } from './intake/found.ts';
import { type LiveClaim, readLiveClaims } from './lease-watch.ts';
import type { MergeRow } from './read/merges.ts';
import { draftOf, nobody, writeDraft } from './stop-one.ts';

/** `undone`: now, or before; the two are apart. */
export type UndoneMerge = { kind: 'undone'; merge: MergeRow } | { kind: 'not_found' | 'busy' };

export interface UndoInput {
  tenantId: string;
  /** One of the contacts that the merge brought along. */
  contactId: string;
  /** null: the latest of this contact that is not undone. */
  mergeId: string | null;
  actor: string;
}

/**
 * Undo a merge. Nothing is written while a call to either of the two may be running: it goes to an address of the united person, and a stop of one of them
 * would not wait for it afterwards.
 * Source: docs/rules.md#rule-30
 */
export async function undoMerge(deps: Deps, input: UndoInput): Promise<UndoneMerge> {
  const budget = startAnswerBudget(deps.clock);
  for (let attempt = 1; budget.leftMs() > 0; attempt++) {
    try {
      const tried = await deps.db.withTenant(input.tenantId, async (tx) => {
        if (attempt > 1) await boundLockWaits(tx, budget.leftMs());
        return tryOnce(tx, deps, input);
      });
      if (tried.kind !== 'open_calls') return tried;
      const waited = await deps.leases.wait(
        input.tenantId,
        tried.claims,
        tried.lockedAtMs,
        deps.clock.monotonicMs() - tried.lockedAtMs + budget.leftMs(),
      );
      if (waited === 'budget_spent') return { kind: 'busy' };
    } catch (error) {
      if (!(error instanceof MovedError) && !(error instanceof CommitUnclearError) && !isLockFailure(error)) throw error;
    }
  }
  return { kind: 'busy' };
}

async function tryOnce(
  tx: Tx,
  deps: Deps,
  { tenantId, contactId, mergeId, actor }: UndoInput,
): Promise<UndoneMerge | { kind: 'open_calls'; claims: LiveClaim[]; lockedAtMs: number }> {
  const before = await findMerge(tx, contactId, mergeId);
  if (before === null) return { kind: 'not_found' };
  const contactIds = [before.keptContactId, ...before.contactIds];
  const found = await lockNamed(tx, { identities: [], keys: [], stops: false, contactIds });
  const lockedAtMs = deps.clock.monotonicMs();
  await deps.checkpoints('stop.locked');
  const merge = await findMerge(tx, contactId, before.id);
  if (merge === null) return { kind: 'not_found' };
  if (merge.undoneAt !== null) return { kind: 'undone', merge };
  const { draft } = await draftOf(tx, deps, tenantId, { ...nobody, named: found.named, reached: found.named });
  const claims = await readLiveClaims(
    tx,
    draft.contactsOf(found.named).map((c) => c.id),
  );
  if (claims.length > 0) return { kind: 'open_calls', claims, lockedAtMs };
  splitPerson(draft, merge);
  writeDraft(tx, draft);
  const [undone] = await tx
    .update(contactMerges)
    .set({ undoneAt: sql`clock_timestamp()`, undoneBy: actor })
    .where(eq(contactMerges.id, merge.id))
    .returning();
  await recordAudit(tx, {
    tenantId,
    actor,
    action: 'contact.unmerge',
    subject: merge.mergedContactId,
    data: { merge: merge.id, kept: merge.keptContactId },
  });
  await deps.checkpoints('stop.before_commit');
  return undone === undefined ? { kind: 'not_found' } : { kind: 'undone', merge: undone };
}

/** The merge named, or the latest that brought this contact along; one that is not undone first. */
async function findMerge(tx: Tx, contactId: string, mergeId: string | null): Promise<MergeRow | null> {
  const about = or(
    eq(contactMerges.mergedContactId, contactId),
    sql`${contactId}::uuid = any(${contactMerges.contactIds})`,
    eq(contactMerges.keptContactId, contactId),
  );
  const [row] = await tx
    .select()
    .from(contactMerges)
    .where(mergeId === null ? about : and(about, eq(contactMerges.id, mergeId)))
    .orderBy(desc(isNull(contactMerges.undoneAt)), desc(contactMerges.id))
    .limit(1);
  return row ?? null;
}
