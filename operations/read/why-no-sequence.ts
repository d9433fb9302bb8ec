import { and, eq, gt, inArray, isNull } from 'drizzle-orm';
import type { Tx } from '../../db/client.ts';
import { contactIdentities, contacts, enrollments, sequences, subjects } from '../../db/schema/index.ts';
import { isClosed } from '../../domain/people/lifecycle.ts';
import { addressKindsOf } from '../../domain/channels/index.ts';
import type { AnySubjectKind } from '../../domain/subjects/index.ts';
import type { Deps } from '../deps.ts';
import { wasContacted } from '../effects/rules/begin.ts';
import type { DecisionContext } from '../intake/draft.ts';
import { isMarketingClosed } from '../intake/marketing-closed.ts';
import { wordsForNoSequence } from './words.ts';
import { type KindOfSubject, readSubject, type SubjectRow } from '../subject-row.ts';

interface Reading {
  tx: Tx;
  deps: Pick<Deps, 'versions' | 'subjects'>;
  context: DecisionContext;
}

/**
 * Why no sequence was begun about a subject: what was stored when it was last reported, unless it was bought or deleted since. A row that no build has
 * reported since that is stored, or that only an order or a call made known, is judged by its present state.
 */
export async function whyNoSequence(ctx: Reading, row: SubjectRow): Promise<string> {
  const known = readSubject(ctx.deps.subjects, row);
  const { noun, person } = known.kind.words;
  if (row.state === 'open' && row.noSequence !== null) {
    const kept = row.noSequence.keptFrom.map(({ reason, detail }) => wordsForNoSequence(known.kind.words, reason, detail));
    return `No sequence was begun about this ${noun}: ${[...new Set(kept)].join('; ')}.`;
  }
  const why = ofTheSubject(ctx, known) ?? (await ofThePerson(ctx, known.kind, row));
  return why === null
    ? `No sequence was begun about this ${noun}. Nothing speaks against it now; it may have been too old, or its ${person} unknown, when it was reported.`
    : `No sequence was begun about this ${noun}: ${why}.`;
}

function ofTheSubject({ context: { tenant } }: Reading, { kind, subject }: KindOfSubject): string | null {
  if (subject.state === 'converted') return 'it was bought';
  if (subject.state === 'gone') return `the ${kind.words.source} deleted it`;
  return kind.unfit(subject, tenant.settings, null);
}

async function ofThePerson(ctx: Reading, kind: AnySubjectKind, subject: SubjectRow): Promise<string | null> {
  const { tx } = ctx;
  const { noun, person: whose } = kind.words;
  const [contact] = subject.contactId === null ? [] : await tx.select().from(contacts).where(eq(contacts.id, subject.contactId));
  const [person] = contact === undefined ? [] : await tx.select().from(contacts).where(eq(contacts.id, contact.personId));
  if (person === undefined) return 'its owner is not known';
  const everybody = await tx.select({ id: contacts.id }).from(contacts).where(eq(contacts.personId, person.id));
  const contactIds = everybody.map((c) => c.id);
  const held = await tx
    .selectDistinct({ kind: contactIdentities.kind })
    .from(contactIdentities)
    .where(inArray(contactIdentities.contactId, contactIds));
  if (held.length === 0) return `no address or number of its ${whose} is known`;
  if (isClosed(person.lifecycle) || (await isMarketingClosed(tx, ctx.deps.versions, ctx.context, person.id)))
    return `marketing to its ${whose} is closed`;
  if (person.lastOrderAt !== null && person.lastOrderAt >= subject.lastActivityAt) return `its ${whose} has ordered since`;
  const stops: EarlierStop[] = [];
  if (wasContacted(subject, person)) stops.push('contacted');
  if (person.lastReplyAt !== null && person.lastReplyAt > subject.lastActivityAt) stops.push('replied');
  const needed = await addressesOfSequences(ctx, kind, stops);
  if (needed === 'none') return `no active sequence is about a ${noun}`;
  if (needed === 'contacted') return 'somebody has spoken with them already';
  if (needed === 'replied') return `its ${whose} has replied since`;
  if (!held.some((identity) => needed.has(identity.kind))) return `no address of its ${whose} is known that a sequence could write to`;
  const newer = await tx
    .select({ id: enrollments.id })
    .from(enrollments)
    .innerJoin(subjects, and(eq(subjects.tenantId, enrollments.tenantId), eq(subjects.id, enrollments.subjectId)))
    .where(
      and(
        inArray(enrollments.contactId, contactIds),
        isNull(enrollments.endedAt),
        eq(subjects.kind, kind.kind),
        gt(subjects.lastActivityAt, subject.lastActivityAt),
      ),
    )
    .limit(1);
  return newer.length > 0 ? `a sequence runs about a more recent ${noun} of its ${whose}` : null;
}

/** What ends a sequence by its `stopOn`, and has happened already. */
type EarlierStop = 'contacted' | 'replied';

/**
 * The kinds of address that the active sequences about such a subject need; none: there is no such sequence; a stop: there are, and each is
 * kept from beginning by one.
 */
async function addressesOfSequences(
  { tx, deps }: Reading,
  { trigger }: AnySubjectKind,
  stops: readonly EarlierStop[],
): Promise<Set<string> | 'none' | EarlierStop> {
  const kinds = new Set<string>();
  let nothing: 'none' | EarlierStop = 'none';
  let any = false;
  for (const { versionId } of await tx.select({ versionId: sequences.currentVersionId }).from(sequences).where(eq(sequences.status, 'ACTIVE'))) {
    if (versionId === null) continue;
    const { definition } = await deps.versions.load(tx, versionId);
    if (definition.on !== trigger) continue;
    const stop = stops.find((s) => definition.stopOn.includes(s));
    if (stop !== undefined) {
      nothing = stop;
      continue;
    }
    any = true;
    const addresses = definition.steps.flatMap((step) => step.channels.flatMap(addressKindsOf));
    for (const address of addresses) kinds.add(address);
  }
  return any ? kinds : nothing;
}
