import { and, desc, eq, inArray } from 'drizzle-orm';
import type { Tx } from '../../db/client.ts';
import { contactMerges, contacts } from '../../db/schema/index.ts';
import { recordAudit } from '../audit.ts';
import type { Deps } from '../deps.ts';
import { mergePersons } from '../effects/rules/persons.ts';
import { lockNamed } from '../intake/found.ts';
import type { MergeRow } from '../read/merges.ts';
import { draftOf, nobody, stopAndWait, writeDraft } from '../stop-one.ts';

export type HandMerge =
  | { kind: 'merged'; merge: MergeRow }
  | { kind: 'not_found' | 'busy' }
  /** They are one person already. */
  | { kind: 'already_one' }
  /** A merge of them was undone: they are kept apart. */
  | { kind: 'kept_apart' };

/**
 * Make one person of two, as an event does that names identities of both. What a known stop means for the other one's enrollments holds at once; answered when no
 * call that it covers is open.
 * Source: docs/rules.md#rule-93
 */
export async function mergeByHand(
  deps: Deps,
  { tenantId, contactIds, actor, note }: { tenantId: string; contactIds: readonly [string, string]; actor: string; note: string | null },
): Promise<HandMerge> {
  const came: { result: HandMerge | null } = { result: null };
  const waited = await stopAndWait(deps, tenantId, async (tx) => {
    const found = await lockNamed(tx, { identities: [], keys: [], stops: true, contactIds: [...contactIds] });
    const persons = await personsOf(tx, contactIds);
    if (persons.size < new Set(contactIds).size) return null;
    const personIds = [...new Set(persons.values())].sort();
    const [one, other] = personIds;
    const nothing = { covered: [], outboxWritten: false };
    if (one === undefined || other === undefined) {
      // Of a repeat whose first attempt was committed, this is its own merge.
      came.result ??= { kind: 'already_one' };
      return nothing;
    }
    const { draft } = await draftOf(tx, deps, tenantId, { ...nobody, named: personIds, reached: found.reached });
    if (draft.areApart(one, other)) {
      came.result = { kind: 'kept_apart' };
      return nothing;
    }
    draft.coverPersons(personIds);
    mergePersons(draft, personIds, { by: 'hand' });
    const outboxWritten = writeDraft(tx, draft);
    const [merge] = await tx
      .select()
      .from(contactMerges)
      .where(and(eq(contactMerges.keptContactId, one), eq(contactMerges.mergedContactId, other)))
      .orderBy(desc(contactMerges.id))
      .limit(1);
    if (merge === undefined) throw new Error('a merge was written that is not there');
    await recordAudit(tx, {
      tenantId,
      actor,
      action: 'contact.merge',
      subject: other,
      data: { merge: merge.id, kept: one, ...(note === null ? {} : { note }) },
    });
    came.result = { kind: 'merged', merge };
    return { covered: [...draft.changes.covered], outboxWritten };
  });
  if (waited !== 'stopped') return { kind: waited };
  if (came.result === null) throw new Error('a merge came to nothing');
  return came.result;
}

async function personsOf(tx: Tx, contactIds: readonly string[]): Promise<Map<string, string>> {
  const rows = await tx
    .select({ id: contacts.id, personId: contacts.personId })
    .from(contacts)
    .where(inArray(contacts.id, [...contactIds]));
  return new Map(rows.map(({ id, personId }) => [id, personId]));
}
