import { inArray } from 'drizzle-orm';
import { v7 as uuidv7 } from 'uuid';
import { consents, contacts } from '../../db/schema/index.ts';
import type { Channel } from '../../domain/channels/index.ts';
import type { DomainEvent } from '../../domain/events.ts';
import type { EventContext } from './context.ts';
import { isStrong } from '../../domain/people/choose-contact.ts';
import { type Identity, identitiesOf, personsOf } from './identities.ts';
import { usableOf } from './lock-named.ts';
import { resolveContact } from './persons.ts';
import { coverPersons, openEnrollmentsOf, stopEnrollments } from './stop-enrollments.ts';
import { identitiesHeldBy, liftOptOuts, statementsOf, suppress } from './suppressions.ts';

type Of<T extends DomainEvent['type']> = Extract<DomainEvent, { type: T }>;

/** An opt-out, whoever it came from. Also one that changes nothing covers the running calls of everybody whom it reaches. */
export async function applyOptedOut(ctx: EventContext, event: Of<'contact.opted_out'>): Promise<void> {
  const given = identitiesOf(ctx.source, event.person);
  const identities = usableOf(ctx.found, given);
  const numberOnly = closesNumberOnly(ctx, identities, event);
  // A number that nobody or everybody has makes no person.
  const contact = numberOnly || identities.length === 0 ? null : await resolveContact(ctx, identities);
  const own = contact === null ? [] : [contact.contactId];
  await optOutPersons(ctx, {
    channel: event.channel,
    final: event.final,
    source: event.source,
    basis: event.basis,
    occurredAtMs: event.occurredAtMs,
    identities: given,
    personIds: numberOnly ? [] : await personsOf(ctx.tx, [...ctx.found.named, ...own]),
    reachedPersonIds: await personsOf(ctx.tx, [...ctx.found.reached, ...own]),
    numberOnly,
  });
}

/**
 * Whether an opt-out is about a number that several share: it closes the number for everyone's texts and calls, and nobody's e-mail. One
 * that names all channels, or is final, means each of them.
 */
function closesNumberOnly(ctx: EventContext, identities: readonly Identity[], { channel, final, source }: Of<'contact.opted_out'>): boolean {
  if (identities.some(isStrong) || ctx.found.named.length < 2) return false;
  return source === 'reply' || (!final && channel !== null);
}

export interface OptOut {
  /** null: all channels. */
  channel: Channel | null;
  final: boolean;
  source: string;
  basis: 'person' | 'record';
  occurredAtMs: number;
  /** What was named, whether or not somebody has it now. */
  identities: Identity[];
  /** Who opts out. Their rows, and those of the reached, are locked. */
  personIds: string[];
  /** They, and whoever shares an address with them: blocked by that address alone, their other addresses are theirs. */
  reachedPersonIds: string[];
  /** Only the number is closed: nothing ends. */
  numberOnly?: boolean;
}

/** Block marketing on a channel (all channels where the tenant says so, which is the default; rule 13), and end what runs. */
export async function optOutPersons(ctx: EventContext, optOut: OptOut): Promise<void> {
  const { tenantId } = ctx.source;
  const { personIds, reachedPersonIds, numberOnly = false, basis, occurredAtMs: sinceMs } = optOut;
  await coverPersons(ctx, reachedPersonIds);
  const record = basis === 'record' ? await statementsOf(ctx, personIds) : [];
  if (isTakenBack(record, optOut)) return;
  const everywhere = optOut.final || optOut.channel === null || (ctx.tenant.settings.optOutAllChannels && !numberOnly);
  const channel = everywhere ? 'all' : (optOut.channel ?? 'all');
  const identities = [...optOut.identities, ...(await identitiesHeldBy(ctx, personIds))];
  await suppress(ctx, identities, { channel, reason: optOut.final ? 'complaint' : 'opted_out', basis, sinceMs });
  // A shop repeats its record with every order: one statement of it is enough.
  const isKnown = record.some((s) => s.basis === 'record' && s.state === 'denied' && s.channel === channel && s.atMs >= sinceMs);
  for (const contactId of isKnown ? [] : personIds) {
    await ctx.tx
      .insert(consents)
      .values({ tenantId, id: uuidv7(), contactId, channel, state: 'denied', source: optOut.source, basis, occurredAt: sinceMs });
  }
  if (optOut.final && personIds.length > 0) {
    await ctx.tx.update(contacts).set({ lifecycle: 'DO_NOT_CONTACT' }).where(inArray(contacts.personId, personIds));
  }
  if (!everywhere || numberOnly || reachedPersonIds.length === 0) return;
  const open = await openEnrollmentsOf(ctx, reachedPersonIds);
  await stopEnrollments(
    ctx,
    open.map((e) => e.id),
    'opted_out',
  );
}

/** A no on record that the person has taken back themselves since then is old news. */
function isTakenBack(statements: Awaited<ReturnType<typeof statementsOf>>, { channel, occurredAtMs }: OptOut): boolean {
  return statements.some(
    (s) => s.state === 'granted' && s.basis === 'person' && s.atMs > occurredAtMs && (channel === null || s.channel === channel),
  );
}

/** The person's own word lifts an opt-out on that channel; DO_NOT_CONTACT, bounces and complaints stay (rule 13). */
export async function applyOptedIn(ctx: EventContext, event: Of<'contact.opted_in'>): Promise<void> {
  const identities = usableOf(ctx.found, identitiesOf(ctx.source, event.person));
  if (identities.length === 0) return;
  // START from a number that several share opens the number for each of them.
  const shared = !identities.some(isStrong) && ctx.found.named.length > 1;
  const contact = shared ? null : await resolveContact(ctx, identities);
  const personIds = contact === null ? await personsOf(ctx.tx, ctx.found.named) : [contact.personId];
  const basis = event.basis === 'record' && !event.confirmed ? ('record' as const) : ('person' as const);
  await ctx.tx.insert(consents).values(
    (contact === null ? personIds : [contact.contactId]).map((contactId) => ({
      tenantId: ctx.source.tenantId,
      id: uuidv7(),
      contactId,
      channel: event.channel,
      state: 'granted' as const,
      source: event.source,
      basis,
      wording: event.wording,
      occurredAt: event.occurredAtMs,
    })),
  );
  const held = shared ? identities : await identitiesHeldBy(ctx, personIds);
  await liftOptOuts(ctx, held, { channel: event.channel, saidAtMs: event.occurredAtMs, basis });
}
