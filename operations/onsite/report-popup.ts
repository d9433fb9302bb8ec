import { and, eq, isNull, sql } from 'drizzle-orm';
import { v7 as uuidv7 } from 'uuid';
import { enrollmentEvents, messages, popups } from '../../db/schema/index.ts';
import type { Deps } from '../deps.ts';

/** What a page did with a pop-up that it was given. A click is counted by the link that it follows. */
export interface PopupReport {
  tenantId: string;
  messageId: string;
  type: 'shown' | 'closed';
}

/**
 * Record what became of a pop-up. Shown stands for opened in conditions and figures; each counts once. What was closed was shown.
 * @returns false when there is no such pop-up
 */
export function reportPopup({ db }: Pick<Deps, 'db'>, { tenantId, messageId, type }: PopupReport): Promise<boolean> {
  return db.withTenant(tenantId, async (tx) => {
    const [message] = await tx
      .select({ enrollmentId: messages.enrollmentId, stepId: messages.stepId, openedAt: messages.openedAt })
      .from(messages)
      .where(and(eq(messages.id, messageId), eq(messages.channel, 'onsite')))
      .for('no key update');
    if (message === undefined) return false;
    const { enrollmentId, stepId } = message;
    const its = and(eq(popups.enrollmentId, enrollmentId), eq(popups.stepId, stepId));
    const story = async (event: 'shown' | 'closed') => {
      await tx.execute(sql`
        insert into message_events (tenant_id, id, occurred_at, message_id, enrollment_id, type, machine, data)
        values (${tenantId}, ${uuidv7()}, clock_timestamp(), ${messageId}, ${enrollmentId}, ${event}, false, '{}'::jsonb)`);
      await tx
        .insert(enrollmentEvents)
        .values({ tenantId, id: uuidv7(), enrollmentId, type: `popup.${event}`, data: { step: stepId, channel: 'onsite' } });
    };
    const shown = await tx
      .update(popups)
      .set({ shownAt: sql`clock_timestamp()` })
      .where(and(its, isNull(popups.shownAt)))
      .returning({ stepId: popups.stepId });
    if (shown.length > 0) {
      await tx.update(messages).set({ openedAt: sql`coalesce(opened_at, clock_timestamp())` }).where(eq(messages.id, messageId));
      await story('shown');
    }
    if (type === 'shown') return true;
    const closed = await tx
      .update(popups)
      .set({ closedAt: sql`clock_timestamp()` })
      .where(and(its, isNull(popups.closedAt)))
      .returning({ stepId: popups.stepId });
    if (closed.length > 0) await story('closed');
    return true;
  });
}
