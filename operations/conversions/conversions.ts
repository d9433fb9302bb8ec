import { and, eq, isNotNull, isNull } from 'drizzle-orm';
import type { Tx } from '../../db/client.ts';
import { campaigns, leadConversions, messages } from '../../db/schema/index.ts';
import type { ConversionOutcome } from '../../domain/conversions/outcome.ts';
import type { Deps } from '../deps.ts';
import { beyond, byAge, type Page, pageOf, type PageWanted, readList } from '../read/page.ts';

// For code that may not import `domain/`.
export { conversionOutcomes } from '../../domain/conversions/outcome.ts';

/** What a tracker reported, and whose it is. */
export interface ConversionView {
  row: typeof leadConversions.$inferSelect;
  campaign: { id: string; name: string } | null;
  channel: string | null;
}

export interface ConversionFilter {
  matched?: boolean | undefined;
  lead?: string | undefined;
  campaign?: string | undefined;
  outcome?: ConversionOutcome | undefined;
}

/** The newest first. */
export function listConversions(
  deps: Pick<Deps, 'db'>,
  tenantId: string,
  { matched, lead, campaign, outcome }: ConversionFilter,
  page: PageWanted,
): Promise<Page<ConversionView>> {
  return readList(deps, tenantId, async (tx) => {
    const wanted = and(
      matched === undefined ? undefined : matched ? isNotNull(leadConversions.subjectId) : isNull(leadConversions.subjectId),
      lead === undefined ? undefined : eq(leadConversions.subjectId, lead),
      outcome === undefined ? undefined : eq(leadConversions.outcome, outcome),
      campaign === undefined ? undefined : eq(leadConversions.campaignId, campaign),
      beyond(leadConversions.id, 'newest', page),
    );
    const rows = await viewsOf(tx)
      .where(wanted)
      .orderBy(byAge(leadConversions.id, 'newest', page))
      .limit(page.limit + 1);
    return pageOf(rows.map(present), page.limit, ({ row }) => row.id);
  });
}

/** @returns null where the tenant has no such conversion */
export function readConversion(deps: Pick<Deps, 'db'>, tenantId: string, id: string): Promise<ConversionView | null> {
  return deps.db.withTenant(tenantId, async (tx) => {
    const [row] = await viewsOf(tx).where(eq(leadConversions.id, id));
    return row === undefined ? null : present(row);
  });
}

const viewsOf = (tx: Tx) =>
  tx
    .select({ row: leadConversions, campaignId: campaigns.id, campaignName: campaigns.name, channel: messages.channel })
    .from(leadConversions)
    .leftJoin(messages, eq(messages.id, leadConversions.messageId))
    .leftJoin(campaigns, eq(campaigns.id, leadConversions.campaignId));

type Viewed = Awaited<ReturnType<typeof viewsOf>>[number];

const present = ({ row, campaignId, campaignName, channel }: Viewed): ConversionView => ({
  row,
  campaign: campaignId === null || campaignName === null ? null : { id: campaignId, name: campaignName },
  channel,
});
