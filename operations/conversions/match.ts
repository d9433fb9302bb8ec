import { eq, sql } from 'drizzle-orm';
import type { Tx } from '../../db/client.ts';
import { leadConversions, subjectKeys, subjects } from '../../db/schema/index.ts';
import { lead } from '../../domain/subjects/lead/index.ts';
import { recordAudit } from '../audit.ts';
import type { Deps } from '../deps.ts';
import { matchConversions } from '../effects/rules/match-conversions.ts';
import { Draft } from '../intake/draft.ts';
import { lockNamed, MovedError } from '../intake/found.ts';
import { nothingBesides, readWorld } from '../intake/read-world.ts';
import { lockNameOfTracker } from '../intake/source.ts';
import { decisionContext, readTenant } from '../intake/tenant.ts';
import { stopAndWait, writeDraft } from '../stop-one.ts';

export interface HandMatch {
  tenantId: string;
  conversionId: string;
  leadId: string;
  actor: string;
}

export type HandMatched =
  | { kind: 'matched' }
  | { kind: 'unknown_conversion' }
  | { kind: 'unknown_lead' }
  /** It is another lead's. */
  | { kind: 'matched_before'; leadId: string }
  | { kind: 'busy' };

/**
 * Match a conversion with a lead by hand, and whatever else waits of the same click. It counts as if it had come with the right id; answered when no
 * call that it covers is open any more.
 */
export async function matchByHand(deps: Deps, match: HandMatch): Promise<HandMatched> {
  const written: { found: Exclude<HandMatched, { kind: 'busy' }> } = { found: { kind: 'unknown_conversion' } };
  const result = await stopAndWait(deps, match.tenantId, async (tx) => {
    const draft = await draftOf(tx, deps, match);
    if (!(draft instanceof Draft)) {
      written.found = draft;
      return null;
    }
    const report = draft.conversions().find(({ id }) => id === match.conversionId);
    if (report === undefined) throw new MovedError();
    if (report.subjectId !== null && report.subjectId !== match.leadId) {
      written.found = { kind: 'matched_before', leadId: report.subjectId };
      return null;
    }
    if (report.subjectId === null) {
      matchConversions(draft, match.leadId, [report], 'hand');
      const { tenantId, actor, conversionId, leadId } = match;
      await recordAudit(tx, { tenantId, actor, action: 'conversion.match', subject: conversionId, data: { lead: leadId } });
    }
    written.found = { kind: 'matched' };
    return { covered: [...draft.changes.covered], outboxWritten: writeDraft(tx, draft) };
  });
  return result === 'busy' ? { kind: 'busy' } : written.found;
}

/** A draft of the lead's world and of the click, under the locks of both. */
async function draftOf(
  tx: Tx,
  deps: Deps,
  { tenantId, conversionId, leadId }: HandMatch,
): Promise<Draft | { kind: 'unknown_conversion' | 'unknown_lead' }> {
  const { click, subId, clickId } = leadConversions;
  const [row] = await tx.select({ click, subId, clickId }).from(leadConversions).where(eq(leadConversions.id, conversionId));
  if (row === undefined) return { kind: 'unknown_conversion' };
  const ownerOf = async () =>
    (await tx.select({ contactId: subjects.contactId, kind: subjects.kind }).from(subjects).where(eq(subjects.id, leadId)))[0];
  const owner = await ownerOf();
  if (owner === undefined || owner.kind !== lead.kind) return { kind: 'unknown_lead' };
  const ids = [...new Set([row.click, row.subId, row.clickId])].filter((id) => id !== null).toSorted();
  // The lead of these ids, and a report under them, wait until this is written.
  for (const id of ids) await tx.execute(sql`select pg_advisory_xact_lock(name_lock(${lockNameOfTracker(tenantId, id)}))`);
  const keys = await tx
    .select({ connectionId: subjectKeys.connectionId, kind: subjectKeys.kind, value: subjectKeys.value })
    .from(subjectKeys)
    .where(eq(subjectKeys.subjectId, leadId));
  const locked = await lockNamed(tx, { identities: [], keys, stops: true, contactIds: owner.contactId === null ? [] : [owner.contactId] });
  if ((await ownerOf())?.contactId !== owner.contactId) throw new MovedError();
  const context = decisionContext(deps, { tenantId, connectionId: '', inboxId: null }, await readTenant(tx, tenantId));
  const found = { ...locked, subjects: [...new Set([...locked.subjects, leadId])].sort() };
  const world = await readWorld(tx, deps.versions, found, { ...nothingBesides, parts: ['runs', 'conversions'], trackerIds: ids });
  return new Draft(world, context);
}
