import { eq } from 'drizzle-orm';
import { contacts } from '../../db/schema/index.ts';
import { stopReasonOfOrder } from '../../domain/sequence/ending.ts';
import type { EventContext } from './context.ts';
import { coverPersons, openEnrollmentsOf, stopEnrollments } from './stop-enrollments.ts';
import { suppressedEverywhere } from './suppressions.ts';

/** Apply to a person's open enrollments what is already known to stop them. A stop found here is waited for like any other. */
export async function carryStops(ctx: EventContext, personId: string): Promise<void> {
  // Whatever this changes: a stop that another delivery has written already, and still waits for, is waited for here as well.
  await coverPersons(ctx, [personId]);
  const open = await openEnrollmentsOf(ctx, [personId]);
  if (open.length === 0) return;
  const [person] = await ctx.tx.select().from(contacts).where(eq(contacts.id, personId));
  if (person === undefined) return;
  const closed = person.lifecycle === 'DO_NOT_CONTACT' || (await suppressedEverywhere(ctx, personId));
  for (const e of open) {
    const reason = closed
      ? ('opted_out' as const)
      : person.lastOrderAt !== null && person.lastOrderAt >= e.startedAt && person.lastOrderAt >= e.anchorAt
        ? stopReasonOfOrder({ activated: e.activatedAt !== null, matched: false })
        : person.lastReplyAt !== null && person.lastReplyAt > e.anchorAt && e.stopOn.includes('replied')
          ? ('replied' as const)
          : null;
    if (reason !== null) await stopEnrollments(ctx, [e.id], reason);
  }
}
