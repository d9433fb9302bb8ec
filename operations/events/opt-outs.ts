import { inArray } from 'drizzle-orm';
import { v7 as uuidv7 } from 'uuid';
import { consents, contacts } from '../../db/schema/index.ts';
import type { DomainEvent } from '../../domain/events.ts';
import type { EventContext } from './context.ts';
import { type Identity, identitiesOf, personsOf } from './identities.ts';
import { resolveContact } from './persons.ts';
import { coverPersons, openEnrollmentsOf, stopEnrollments } from './stop-enrollments.ts';
import { identityHash, identityHashes, liftOptOuts, suppress } from './suppressions.ts';

type Of<T extends DomainEvent['type']> = Extract<DomainEvent, { type: T }>;

/** An opt-out, whoever it came from. Also one that changes nothing covers the running calls of everybody whom it reaches. */
export async function applyOptedOut(ctx: EventContext, event: Of<'contact.opted_out'>): Promise<void> {
  const identities = identitiesOf(ctx.source, event.person);
  const contact = await resolveContact(ctx, identities);
  const own = contact === null ? [] : [contact.contactId];
  await optOutPersons(ctx, {
    channel: event.channel,
    final: event.final,
    source: event.source,
    occurredAtMs: event.occurredAtMs,
    identities,
    personIds: await personsOf(ctx.tx, [...ctx.found.named, ...own]),
    reachedPersonIds: await personsOf(ctx.tx, [...ctx.found.reached, ...own]),
  });
}

export interface OptOut {
  /** null: all channels. */
  channel: 'email' | 'sms' | 'call' | 'push' | null;
  final: boolean;
  source: string;
  occurredAtMs: number;
  /** What was named, whether or not somebody has it now. */
  identities: Identity[];
  /** Who opts out. Their rows, and those of the reached, are locked. */
  personIds: string[];
  /** They, and whoever shares an identity with them: blocked by that identity alone, their other addresses are theirs. */
  reachedPersonIds: string[];
}

/** Block marketing on a channel (all channels where the tenant says so, which is the default; rule 13), and end what runs. */
export async function optOutPersons(ctx: EventContext, optOut: OptOut): Promise<void> {
  const { tenantId } = ctx.source;
  const everywhere = optOut.final || optOut.channel === null || ctx.tenant.settings.optOutAllChannels;
  const channel = everywhere ? 'all' : (optOut.channel ?? 'all');
  const hashes = new Set([...optOut.identities.map((i) => identityHash(ctx, i)), ...(await identityHashes(ctx, optOut.personIds))]);
  await suppress(ctx, [...hashes], { channel, reason: optOut.final ? 'complaint' : 'opted_out', sinceMs: optOut.occurredAtMs });
  for (const contactId of optOut.personIds) {
    await ctx.tx
      .insert(consents)
      .values({ tenantId, id: uuidv7(), contactId, channel, state: 'denied', source: optOut.source, occurredAt: optOut.occurredAtMs });
  }
  if (optOut.final && optOut.personIds.length > 0) {
    await ctx.tx.update(contacts).set({ lifecycle: 'DO_NOT_CONTACT' }).where(inArray(contacts.personId, optOut.personIds));
  }
  await coverPersons(ctx, optOut.reachedPersonIds);
  if (!everywhere || optOut.reachedPersonIds.length === 0) return;
  const open = await openEnrollmentsOf(ctx, optOut.reachedPersonIds);
  await stopEnrollments(
    ctx,
    open.map((e) => e.id),
    'opted_out',
  );
}

/** The person's own word lifts an opt-out on that channel; DO_NOT_CONTACT, bounces and complaints stay (rule 13). */
export async function applyOptedIn(ctx: EventContext, event: Of<'contact.opted_in'>): Promise<void> {
  const contact = await resolveContact(ctx, identitiesOf(ctx.source, event.person));
  if (contact === null) return;
  await ctx.tx.insert(consents).values({
    tenantId: ctx.source.tenantId,
    id: uuidv7(),
    contactId: contact.contactId,
    channel: event.channel,
    state: 'granted',
    source: event.source,
    wording: event.wording,
    occurredAt: event.occurredAtMs,
  });
  await liftOptOuts(ctx, await identityHashes(ctx, [contact.personId]), event.channel, event.occurredAtMs);
}
