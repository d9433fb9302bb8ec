import { and, desc, eq, lt } from 'drizzle-orm';
import { campaignLeads, enrollments } from '../../db/schema/index.ts';
import type { Deps } from '../deps.ts';
import { type Page, pageOf } from '../read/page.ts';

export type CampaignLeadRow = typeof campaignLeads.$inferSelect & { enrollmentStatus: string | null };

/** The leads of a campaign, the newest lead first. */
export function leadsOfCampaign(
  deps: Pick<Deps, 'db'>,
  { tenantId, campaignId }: { tenantId: string; campaignId: string },
  { limit, after }: { limit: number; after: string | null },
): Promise<Page<CampaignLeadRow>> {
  return deps.db.withTenant(tenantId, async (tx) => {
    const rows = await tx
      .select({ lead: campaignLeads, status: enrollments.status })
      .from(campaignLeads)
      .leftJoin(enrollments, eq(enrollments.id, campaignLeads.enrollmentId))
      .where(and(eq(campaignLeads.campaignId, campaignId), after === null ? undefined : lt(campaignLeads.subjectId, after)))
      .orderBy(desc(campaignLeads.subjectId))
      .limit(limit + 1);
    return pageOf(
      rows.map(({ lead, status }) => ({ ...lead, enrollmentStatus: status })),
      limit,
      (row) => row.subjectId,
    );
  });
}
