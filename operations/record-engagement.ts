import { and, eq, isNull, sql } from 'drizzle-orm';
import { v7 as uuidv7 } from 'uuid';
import { enrollmentEvents, enrollments, messages, subjects, tenants } from '../db/schema/index.ts';
import { tenantSettings } from '../domain/tenant-settings.ts';
import type { Deps } from './deps.ts';
import { recordProof } from './dispatch/fence.ts';

/** What a shopper did with a mail, as our own picture and links report it. */
export interface Engagement {
  tenantId: string;
  messageId: string;
  type: 'opened' | 'clicked';
  /** A scanner or a mail client's prefetch: recorded as such, and no condition counts it. */
  machine: boolean;
}

/**
 * Record an open or a click. It also proves that the message was accepted.
 * @returns where a click leads: the cart's restore link, else the store; null: no such message
 */
export async function recordEngagement(deps: Deps, engagement: Engagement): Promise<string | null> {
  const { tenantId, messageId, type, machine } = engagement;
  return deps.db.withTenant(tenantId, async (tx) => {
    const [found] = await tx
      .select({ stepId: messages.stepId, enrollmentId: messages.enrollmentId, restoreUrl: subjects.restoreUrl, settings: tenants.settings })
      .from(messages)
      .innerJoin(enrollments, eq(enrollments.id, messages.enrollmentId))
      .innerJoin(subjects, eq(subjects.id, enrollments.subjectId))
      .innerJoin(tenants, eq(tenants.id, messages.tenantId))
      .where(eq(messages.id, messageId));
    if (found === undefined) return null;
    await tx.execute(sql`
      insert into message_events (tenant_id, id, occurred_at, message_id, enrollment_id, type, machine)
      values (${tenantId}, ${uuidv7()}, clock_timestamp(), ${messageId}, ${found.enrollmentId}, ${type}, ${machine})`);
    if (!machine) {
      const column = type === 'opened' ? messages.openedAt : messages.clickedAt;
      // A click is an open too, whatever happened to the picture.
      const first = await tx
        .update(messages)
        .set(
          type === 'opened'
            ? { openedAt: sql`clock_timestamp()` }
            : { clickedAt: sql`clock_timestamp()`, openedAt: sql`coalesce(opened_at, clock_timestamp())` },
        )
        .where(and(eq(messages.id, messageId), isNull(column)))
        .returning({ id: messages.id });
      await recordProof(tx, messageId);
      if (first.length > 0) {
        await tx
          .insert(enrollmentEvents)
          .values({ tenantId, id: uuidv7(), enrollmentId: found.enrollmentId, type: `message.${type}`, data: { step: found.stepId } });
      }
    }
    return found.restoreUrl ?? tenantSettings.parse(found.settings).storeUrl;
  });
}
