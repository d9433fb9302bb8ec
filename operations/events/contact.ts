import { eq, inArray, sql } from 'drizzle-orm';
import { v7 as uuidv7 } from 'uuid';
import { connections, contacts, privacyRequests } from '../../db/schema/index.ts';
import type { DomainEvent } from '../../domain/events.ts';
import { isStrong } from '../../domain/people/choose-contact.ts';
import { readKeyword } from '../../domain/people/keywords.ts';
import type { EventContext } from './context.ts';
import { applyDetails } from './details.ts';
import { identitiesOf, personsOf } from './identities.ts';
import { usableOf } from './lock-named.ts';
import { applyOptedIn, applyOptedOut } from './opt-outs.ts';
import { resolveContact } from './persons.ts';
import { coverPersons, openEnrollmentsOf, stopEnrollments } from './stop-enrollments.ts';
import { liftByRecord } from './suppressions.ts';

type Of<T extends DomainEvent['type']> = Extract<DomainEvent, { type: T }>;

export async function applyContactUpdated(ctx: EventContext, event: Of<'contact.updated'>): Promise<void> {
  const contact = await resolveContact(ctx, usableOf(ctx.found, identitiesOf(ctx.source, event.person)));
  if (contact === null) return;
  await applyDetails(ctx, contact.contactId, event.person, event.occurredAtMs);
  await liftByRecord(ctx, contact.personId, event.person.consents);
}

/**
 * A reply ends what runs for everybody who shares the identity; STOP and START in a text are an opt-out and an opt-in besides
 * (knowledge 4.5). Where a STOP closes its own channel only, sequences that stop on replies end as `replied`.
 */
export async function applyMessageReceived(ctx: EventContext, event: Of<'message.received'>): Promise<void> {
  const keyword = event.channel === 'sms' && event.text !== null ? readKeyword(event.text) : null;
  if (keyword === 'opt_out' || keyword === 'stop_all') {
    await applyOptedOut(ctx, {
      ...event,
      type: 'contact.opted_out',
      channel: 'sms',
      final: keyword === 'stop_all',
      source: 'reply',
      basis: 'person',
    });
  }
  if (keyword === 'opt_in') {
    await applyOptedIn(ctx, {
      ...event,
      type: 'contact.opted_in',
      channel: 'sms',
      source: 'reply',
      wording: event.text,
      basis: 'person',
      confirmed: true,
    });
  }
  const persons = await personsOf(ctx.tx, ctx.found.reached);
  if (persons.length === 0) return;
  // STOP from a number that several share closes the number; it is nobody's reply about a cart.
  const isShared = ctx.found.named.length > 1 && !identitiesOf(ctx.source, event.person).some(isStrong);
  if (isShared && (keyword === 'opt_out' || keyword === 'stop_all')) return;
  const iso = new Date(event.occurredAtMs).toISOString();
  await ctx.tx
    .update(contacts)
    .set({ lastReplyAt: sql`greatest(last_reply_at, ${iso}::timestamptz)` })
    .where(inArray(contacts.id, persons));
  await coverPersons(ctx, persons);
  const answered = (await openEnrollmentsOf(ctx, persons)).filter((e) => e.stopOn.includes('replied'));
  await stopEnrollments(
    ctx,
    answered.map((e) => e.id),
    'replied',
  );
}

/** Recorded for the operator; carrying it out is a job of its own. */
export async function applyPrivacyRequest(ctx: EventContext, event: Of<'privacy.requested'>): Promise<void> {
  const [contactId] = ctx.found.named;
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
