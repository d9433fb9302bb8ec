import { and, eq, inArray, sql } from 'drizzle-orm';
import { v7 as uuidv7 } from 'uuid';
import { connections, consents, contacts, privacyRequests, suppressions } from '../../db/schema/index.ts';
import type { DomainEvent } from '../../domain/events.ts';
import { readKeyword } from '../../domain/people/keywords.ts';
import type { EventContext } from './context.ts';
import { identitiesOf } from './identities.ts';
import { personsOf } from './orders.ts';
import { addressHashes, foldDetails, resolveContact } from './persons.ts';
import { coverPersons, openEnrollmentsOf, stopEnrollments } from './stop-enrollments.ts';

type Of<T extends DomainEvent['type']> = Extract<DomainEvent, { type: T }>;

export async function applyContactUpdated(ctx: EventContext, event: Of<'contact.updated'>): Promise<void> {
  const contact = await resolveContact(ctx, identitiesOf(ctx.source, event.person));
  if (contact !== null) await foldDetails(ctx, contact.contactId, event.person, event.occurredAtMs);
}

/** A reply ends what runs for everybody who shares the identity; STOP and START in a text are an opt-out and an opt-in (knowledge 4.5). */
export async function applyMessageReceived(ctx: EventContext, event: Of<'message.received'>): Promise<void> {
  const persons = await personsOf(ctx, ctx.lockedPersonIds);
  const iso = new Date(event.occurredAtMs).toISOString();
  if (persons.length > 0) {
    await ctx.tx
      .update(contacts)
      .set({ lastReplyAt: sql`greatest(last_reply_at, ${iso}::timestamptz)` })
      .where(inArray(contacts.id, persons));
  }
  await coverPersons(ctx, persons);
  const open = persons.length === 0 ? [] : await openEnrollmentsOf(ctx, persons);
  const keyword = event.channel === 'sms' && event.text !== null ? readKeyword(event.text) : null;
  if (keyword === 'opt_out' || keyword === 'stop_all') {
    await applyOptedOut(ctx, { ...event, type: 'contact.opted_out', channel: 'sms', final: keyword === 'stop_all', source: 'reply' });
    return;
  }
  if (keyword === 'opt_in') {
    await applyOptedIn(ctx, { ...event, type: 'contact.opted_in', channel: 'sms', source: 'reply', wording: event.text });
  }
  const answered = open.filter((e) => e.stopOn.includes('replied'));
  await stopEnrollments(ctx, answered.map((e) => e.id), 'replied');
}

/** An opt-out, whoever it came from. Also one that changes nothing covers the person's running calls. */
export async function applyOptedOut(ctx: EventContext, event: Of<'contact.opted_out'>): Promise<void> {
  const contact = await resolveContact(ctx, identitiesOf(ctx.source, event.person));
  const persons = await personsOf(ctx, [...ctx.lockedPersonIds, ...(contact === null ? [] : [contact.contactId])]);
  await optOutPersons(ctx, persons, { channel: event.channel, final: event.final, source: event.source, occurredAtMs: event.occurredAtMs });
}

export interface OptOut {
  /** null: all channels. */
  channel: 'email' | 'sms' | 'call' | 'push' | null;
  final: boolean;
  source: string;
  occurredAtMs: number;
}

/**
 * Block marketing to locked persons on a channel (all channels where the tenant says so, which is the default; rule 13), and end what runs.
 * @param personIds - persons whose rows are locked
 */
export async function optOutPersons(ctx: EventContext, personIds: string[], optOut: OptOut): Promise<void> {
  const { tenantId } = ctx.source;
  const everywhere = optOut.final || optOut.channel === null || ctx.tenant.settings.optOutAllChannels;
  const channel = everywhere ? 'all' : (optOut.channel ?? 'all');
  await coverPersons(ctx, personIds);
  for (const personId of personIds) {
    const hashes = await addressHashes(ctx, personId);
    const known = hashes.length === 0 ? [] : await ctx.tx.select().from(suppressions).where(and(inArray(suppressions.addressHash, hashes), eq(suppressions.channel, channel), sql`lifted_at is null`));
    const fresh = hashes.filter((h) => !known.some((k) => k.addressHash === h));
    if (fresh.length > 0) {
      await ctx.tx
        .insert(suppressions)
        .values(fresh.map((addressHash) => ({ tenantId, id: uuidv7(), addressHash, channel, reason: optOut.final ? ('complaint' as const) : ('opted_out' as const) })));
    }
    await ctx.tx
      .insert(consents)
      .values({ tenantId, id: uuidv7(), contactId: personId, channel, state: 'denied', source: optOut.source, occurredAt: optOut.occurredAtMs });
    if (optOut.final) await ctx.tx.update(contacts).set({ lifecycle: 'DO_NOT_CONTACT' }).where(eq(contacts.personId, personId));
  }
  if (!everywhere || personIds.length === 0) return;
  const open = await openEnrollmentsOf(ctx, personIds);
  await stopEnrollments(ctx, open.map((e) => e.id), 'opted_out');
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
  const hashes = await addressHashes(ctx, contact.personId);
  if (hashes.length === 0) return;
  const iso = new Date(event.occurredAtMs).toISOString();
  const lifted = await ctx.tx
    .update(suppressions)
    .set({ liftedAt: sql`clock_timestamp()` })
    .where(
      and(
        inArray(suppressions.addressHash, hashes),
        inArray(suppressions.channel, [event.channel, 'all']),
        eq(suppressions.reason, 'opted_out'),
        sql`lifted_at is null`,
        // An opt-in that happened before the opt-out lifts nothing, whenever it arrives.
        sql`not exists (select 1 from consents d where d.contact_id = ${contact.personId} and d.state = 'denied' and d.occurred_at > ${iso}::timestamptz)`,
      ),
    )
    .returning({ addressHash: suppressions.addressHash, channel: suppressions.channel });
  // An opt-in on one channel opens that channel, not the others that "all" had closed.
  const others = ['email', 'sms', 'call', 'push'].filter((c) => c !== event.channel);
  const wide = lifted.filter((l) => l.channel === 'all');
  if (wide.length === 0) return;
  await ctx.tx.insert(suppressions).values(
    wide.flatMap((l) => others.map((channel) => ({ tenantId: ctx.source.tenantId, id: uuidv7(), addressHash: l.addressHash, channel, reason: 'opted_out' as const }))),
  );
}

/** Recorded for the operator; carrying it out is a job of its own. */
export async function applyPrivacyRequest(ctx: EventContext, event: Of<'privacy.requested'>): Promise<void> {
  const [contactId] = ctx.lockedPersonIds;
  await ctx.tx.insert(privacyRequests).values({
    tenantId: ctx.source.tenantId,
    id: uuidv7(),
    topic: event.topic,
    contactId: contactId ?? null,
    connectionId: ctx.source.connectionId,
    requestedAt: event.occurredAtMs,
  });
}

export async function applyUninstalled(ctx: EventContext): Promise<void> {
  await ctx.tx.update(connections).set({ state: 'disconnected' }).where(eq(connections.id, ctx.source.connectionId));
}
