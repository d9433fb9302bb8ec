import { eq, sql } from 'drizzle-orm';
import { v7 as uuidv7 } from 'uuid';
import { consents, contacts } from '../../db/schema/index.ts';
import type { PersonDetails } from '../../domain/events.ts';
import { type ConsentBasis, newStatements } from '../../domain/people/consent.ts';
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

/** Consent is append-only. */
async function recordConsents(ctx: EventContext, contactId: string, details: PersonDetails, occurredAtMs: number): Promise<void> {
  if (details.consents.length === 0) return;
  const known = await ctx.tx
    .select({
      channel: consents.channel,
      state: consents.state,
      basis: sql<ConsentBasis>`consent_basis(${consents.basis}, ${consents.source})`,
      atMs: consents.occurredAt,
    })
    .from(consents)
    .where(eq(consents.contactId, contactId));
  const fresh = newStatements(details.consents, occurredAtMs, known);
  if (fresh.length === 0) return;
  const { tenantId, connectionId } = ctx.source;
  await ctx.tx.insert(consents).values(
    fresh.map(({ channel, state, basis, atMs }) => ({
      tenantId,
      id: uuidv7(),
      contactId,
      channel,
      state,
      basis,
      source: `${basis === 'record' ? 'record' : 'connection'}:${connectionId}`,
      occurredAt: atMs,
    })),
  );
}
