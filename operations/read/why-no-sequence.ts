import { and, eq, gt, inArray, isNull } from 'drizzle-orm';
import { contactIdentities, contacts, enrollments, sequences, subjects } from '../../db/schema/index.ts';
import { channels } from '../../domain/channels/index.ts';
import type { CartOrigin } from '../../domain/events.ts';
import type { Tx } from '../../db/client.ts';
import type { Deps } from '../deps.ts';
import { isWorthNothing } from '../../domain/subjects/cart/unfit.ts';
import type { DecisionContext } from '../intake/draft.ts';
import { isMarketingClosed } from '../intake/marketing-closed.ts';

interface Reading {
  tx: Tx;
  deps: Pick<Deps, 'versions'>;
  context: DecisionContext;
}
type Subject = typeof subjects.$inferSelect;

const places: Record<CartOrigin, string> = {
  web: 'in the web shop',
  point_of_sale: 'at the point of sale',
  draft: 'by the staff, as a draft',
  marketplace: 'on a marketplace',
  other: 'outside the web shop',
};

/** Why no sequence was begun about a cart, as things stand now: which rule held it back at the time is not recorded. */
export async function whyNoSequence(ctx: Reading, subject: Subject): Promise<string> {
  const why = ofTheCart(subject, ctx.context.tenant.settings.recoverFrom) ?? (await ofTheShopper(ctx, subject));
  return why === null
    ? 'No sequence was begun about this cart. Nothing speaks against it now; it may have been too old, or its shopper unknown, when it was reported.'
    : `No sequence was begun about this cart: ${why}.`;
}

function ofTheCart(subject: Subject, recoverFrom: readonly CartOrigin[]): string | null {
  if (subject.state === 'converted') return 'it was bought';
  if (subject.state === 'gone') return 'the shop deleted it';
  if (isWorthNothing(subject)) return 'there is nothing in it that costs anything';
  if (subject.origin !== null && !recoverFrom.includes(subject.origin))
    return `it was filled ${places[subject.origin]}, which this store does not recover`;
  return null;
}

async function ofTheShopper(ctx: Reading, subject: Subject): Promise<string | null> {
  const { tx } = ctx;
  const [contact] = subject.contactId === null ? [] : await tx.select().from(contacts).where(eq(contacts.id, subject.contactId));
  const [person] = contact === undefined ? [] : await tx.select().from(contacts).where(eq(contacts.id, contact.personId));
  if (person === undefined) return 'nobody is known whose it is';
  const everybody = await tx.select({ id: contacts.id }).from(contacts).where(eq(contacts.personId, person.id));
  const contactIds = everybody.map((c) => c.id);
  const held = await tx
    .selectDistinct({ kind: contactIdentities.kind })
    .from(contactIdentities)
    .where(inArray(contactIdentities.contactId, contactIds));
  if (held.length === 0) return 'no address or number of its shopper is known';
  if (
    person.lifecycle === 'DO_NOT_CONTACT' ||
    person.lifecycle === 'REJECTED' ||
    (await isMarketingClosed(tx, ctx.deps.versions, ctx.context, person.id))
  )
    return 'marketing to its shopper is closed';
  if (person.lastOrderAt !== null && person.lastOrderAt >= subject.lastActivityAt) return 'its shopper has ordered since';
  const needed = await addressesOfSequences(ctx);
  if (!held.some(({ kind }) => needed.has(kind))) return 'no address of its shopper is known that a sequence could write to';
  const newer = await tx
    .select({ id: enrollments.id })
    .from(enrollments)
    .innerJoin(subjects, and(eq(subjects.tenantId, enrollments.tenantId), eq(subjects.id, enrollments.subjectId)))
    .where(and(inArray(enrollments.contactId, contactIds), isNull(enrollments.endedAt), gt(subjects.lastActivityAt, subject.lastActivityAt)))
    .limit(1);
  return newer.length > 0 ? 'a sequence runs about a more recent cart of its shopper' : null;
}

/** Kinds of addresses that the steps of the active sequences need. */
async function addressesOfSequences({ tx, deps }: Reading): Promise<Set<string>> {
  const kinds = new Set<string>();
  for (const { versionId } of await tx.select({ versionId: sequences.currentVersionId }).from(sequences).where(eq(sequences.status, 'ACTIVE'))) {
    if (versionId === null) continue;
    const { definition } = await deps.versions.load(tx, versionId);
    const addresses = definition.steps.flatMap((step) => step.channels.map((c) => channels[c].address));
    for (const address of addresses) if (address !== null) kinds.add(address);
  }
  return kinds;
}
