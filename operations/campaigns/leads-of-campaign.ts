import { and, eq } from 'drizzle-orm';
import { campaignLeads, enrollments, subjects } from '../../db/schema/index.ts';
import type { Deps } from '../deps.ts';
import { beyond, byAge, type Page, pageOf, type PageWanted } from '../read/page.ts';

export type CampaignLeadRow = typeof campaignLeads.$inferSelect & { contactId: string | null; enrollmentStatus: string | null };

/** The leads of a campaign, the newest lead first. */
export function leadsOfCampaign(
  deps: Pick<Deps, 'db'>,
  { tenantId, campaignId }: { tenantId: string; campaignId: string },
  page: PageWanted,
): Promise<Page<CampaignLeadRow>> {
  return deps.db.withTenant(tenantId, async (tx) => {
    const rows = await tx
      .select({ lead: campaignLeads, contactId: subjects.contactId, status: enrollments.status })
      .from(campaignLeads)
      .innerJoin(subjects, eq(subjects.id, campaignLeads.subjectId))
      .leftJoin(enrollments, eq(enrollments.id, campaignLeads.enrollmentId))
      .where(and(eq(campaignLeads.campaignId, campaignId), beyond(campaignLeads.subjectId, 'newest', page)))
      .orderBy(byAge(campaignLeads.subjectId, 'newest', page))
      .limit(page.limit + 1);
    return pageOf(
      rows.map(({ lead, contactId, status }) => ({ ...lead, contactId, enrollmentStatus: status })),
      page.limit,
      (row) => row.subjectId,
    );
  });
}
