import { asc, eq } from 'drizzle-orm';
import type { Tx } from '../../db/client.ts';
import { contactIdentities, contacts, subjects, type webhookEvents } from '../../db/schema/index.ts';
import { readExternalIds } from '../read/external-ids.ts';

type EventRow = typeof webhookEvents.$inferSelect;

/** By which a receiver recognises an event: the same at every attempt. */
export const messageIdOf = (eventId: string): string => `msg_${eventId}`;

/**
 * The body of an attempt. What names a person is read now and stored nowhere else: after an erasure, no later attempt has it.
 * @param withPersonalData - whether the endpoint asks for addresses and names
 */
export async function readBody(tx: Tx, event: EventRow, withPersonalData: boolean): Promise<string> {
  const { data, subjectId } = event.payload as { data: Record<string, unknown>; subjectId: string | null };
  const contact = event.contactId === null ? null : await contactOf(tx, event.contactId, withPersonalData);
  const subject = subjectId === null ? null : await subjectOf(tx, subjectId);
  return JSON.stringify({ type: event.type, timestamp: new Date(event.at).toISOString(), data: { ...data, contact, subject } });
}

async function contactOf(tx: Tx, id: string, withPersonalData: boolean) {
  const held = await tx
    .select({ kind: contactIdentities.kind, value: contactIdentities.value })
    .from(contactIdentities)
    .where(eq(contactIdentities.contactId, id))
    .orderBy(asc(contactIdentities.id));
  const external_ids = held.flatMap(({ kind, value }) =>
    kind.startsWith('external:') ? [{ value, connection: kind.slice('external:'.length) }] : [],
  );
  if (!withPersonalData) return { id, external_ids };
  const [contact] = await tx.select({ first: contacts.firstName, last: contacts.lastName }).from(contacts).where(eq(contacts.id, id));
  const latest = (kind: string) => held.findLast((identity) => identity.kind === kind)?.value ?? null;
  return { id, external_ids, email: latest('email'), phone: latest('phone'), first_name: contact?.first ?? null, last_name: contact?.last ?? null };
}

async function subjectOf(tx: Tx, id: string) {
  const [subject] = await tx.select({ kind: subjects.kind }).from(subjects).where(eq(subjects.id, id));
  const ids = (await readExternalIds(tx, [id])).get(id) ?? [];
  return {
    id,
    kind: subject?.kind ?? 'cart',
    external_ids: ids.map(({ kind, value, integration, connectionId }) => ({ kind, value, integration, connection: connectionId })),
  };
}
