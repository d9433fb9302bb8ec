import { and, eq, gte } from 'drizzle-orm';
import { v7 as uuidv7 } from 'uuid';
import { consents, contacts } from '../../db/schema/index.ts';
import type { PersonDetails } from '../../domain/events.ts';
import { foldDetails } from '../../domain/people/fold-details.ts';
import type { EventContext } from './context.ts';

/** Fold what an event says about a contact, by the provider's clock. */
export async function applyDetails(ctx: EventContext, contactId: string, details: PersonDetails, occurredAtMs: number): Promise<void> {
  const [known] = await ctx.tx.select().from(contacts).where(eq(contacts.id, contactId));
  if (known === undefined) return;
  await ctx.tx
    .update(contacts)
    .set(foldDetails(known, details, occurredAtMs))
    .where(eq(contacts.id, contactId));
  await recordConsents(ctx, contactId, details, occurredAtMs);
}

/** Consent is append-only; what was said before, or is known to have been said again later, adds nothing. */
async function recordConsents(ctx: EventContext, contactId: string, details: PersonDetails, occurredAtMs: number): Promise<void> {
  for (const { channel, state } of details.consents) {
    // A repeat that is newer counts: what lies between the two may still be on its way.
    const [said] = await ctx.tx
      .select({ id: consents.id })
      .from(consents)
      .where(and(eq(consents.contactId, contactId), eq(consents.channel, channel), eq(consents.state, state), gte(consents.occurredAt, occurredAtMs)))
      .limit(1);
    if (said !== undefined) continue;
    await ctx.tx.insert(consents).values({
      tenantId: ctx.source.tenantId,
      id: uuidv7(),
      contactId,
      channel,
      state,
      source: `connection:${ctx.source.connectionId}`,
      occurredAt: occurredAtMs,
    });
  }
}
