import { and, asc, eq, gt, inArray } from 'drizzle-orm';
import { campaignLeads, campaigns, enrollments } from '../../db/schema/index.ts';
import type { Deps } from '../deps.ts';
import { enterCampaign, type NotInSequence } from './enter.ts';
import { chosenLeads, type LeadChoice } from './lead-choices.ts';

export interface EnrolledLeads {
  results: { lead: string; enrollmentId: string | null; reason: NotInSequence | 'gone' | null }[];
  /** The lead behind which the next part begins; null: there are no more. */
  next: string | null;
}

export interface LeadListWish {
  tenantId: string;
  campaignId: string;
  which: LeadChoice;
  /** Of these only; null: of all. */
  leads: readonly string[] | null;
  actor: string;
  note: string | undefined;
  limit: number;
  after: string | null;
}

/**
 * Begin the sequence of a campaign for a part of its leads, one after the other: by the same gates as for one, each with its own answer and its own
 * record. A repeat begins nothing twice.
 * @returns null: there is no such campaign; `not_active`: it takes nobody now
 */
export async function enrollLeads(
  deps: Deps,
  { which, leads, limit, after, note, ...by }: LeadListWish,
): Promise<EnrolledLeads | 'not_active' | null> {
  const { tenantId, campaignId } = by;
  const found = await deps.db.withTenant(tenantId, async (tx) => {
    const [campaign] = await tx.select({ status: campaigns.status }).from(campaigns).where(eq(campaigns.id, campaignId));
    if (campaign === undefined) return null;
    if (campaign.status !== 'ACTIVE') return 'not_active';
    const wanted = and(
      eq(campaignLeads.campaignId, campaignId),
      chosenLeads[which],
      leads === null ? undefined : inArray(campaignLeads.subjectId, [...leads]),
      after === null ? undefined : gt(campaignLeads.subjectId, after),
    );
    return tx
      .select({ lead: campaignLeads.subjectId })
      .from(campaignLeads)
      .leftJoin(enrollments, eq(enrollments.id, campaignLeads.enrollmentId))
      .where(wanted)
      .orderBy(asc(campaignLeads.subjectId))
      .limit(limit + 1);
  });
  if (found === null || found === 'not_active') return found;
  const results: EnrolledLeads['results'] = [];
  for (const { lead } of found.slice(0, limit)) {
    const entered = await enterCampaign(deps, { ...by, subjectId: lead, by: 'bulk', note });
    if (entered.kind === 'not_active') return 'not_active';
    const { enrollmentId, reason } = entered.kind === 'entered' ? entered : { enrollmentId: null, reason: 'gone' as const };
    results.push({ lead, enrollmentId, reason });
  }
  return { results, next: found.length > limit ? (results.at(-1)?.lead ?? null) : null };
}
