import { and, eq } from 'drizzle-orm';
import { inbox, quarantine } from '../db/schema/index.ts';
import { recordAudit } from './audit.ts';
import type { Deps } from './deps.ts';
import { findSetAside, type SetAside } from './read/quarantine.ts';

export type Dismissed =
  /** Now or before: the first dismissal stays. */
  | { kind: 'dismissed'; delivery: SetAside }
  /** It has taken effect meanwhile. */
  | { kind: 'released' }
  | { kind: 'unknown' };

/**
 * Dismiss a quarantined delivery, so that it never takes effect. Its inbox row is settled as well, so that neither a replay nor a repeat by its
 * sender applies it.
 * @param by - who, for the list and the audit log
 */
export function dismissQuarantined(
  deps: Pick<Deps, 'db' | 'clock'>,
  tenantId: string,
  { id, reason, by }: { id: string; reason: string; by: string },
): Promise<Dismissed> {
  return deps.db.withTenant(tenantId, async (tx): Promise<Dismissed> => {
    const [kept] = await tx.select({ inboxId: quarantine.inboxId }).from(quarantine).where(eq(quarantine.id, id));
    if (kept === undefined) return { kind: 'unknown' };
    // Waits for a replay that holds the row, and sees its result.
    const settled = await tx
      .update(inbox)
      .set({ state: 'ignored' })
      .where(and(eq(inbox.id, kept.inboxId), eq(inbox.state, 'quarantined')))
      .returning({ id: inbox.id });
    if (settled.length > 0) {
      const nowMs = deps.clock.nowMs();
      await tx
        .update(quarantine)
        .set({ releasedAt: nowMs, dismissedAt: nowMs, dismissedBy: by, dismissalReason: reason })
        .where(eq(quarantine.id, id));
      await recordAudit(tx, { tenantId, actor: by, action: 'quarantine.dismiss', subject: id, data: { reason } });
    }
    const delivery = await findSetAside(tx, id);
    if (delivery === null) throw new Error('a delivery of the quarantine is gone');
    return delivery.state === 'dismissed' ? { kind: 'dismissed', delivery } : { kind: 'released' };
  });
}
