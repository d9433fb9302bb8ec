import { and, eq, inArray, isNotNull, isNull, type SQL, sql } from 'drizzle-orm';
import type { Tx } from '../../db/client.ts';
import { campaigns, conversions, enrollments, leadConversions, messages } from '../../db/schema/index.ts';
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
      beyond(leadConversions.id, 'newest', page),
    );
    const [order, limit] = [byAge(leadConversions.id, 'newest', page), page.limit + 1];
    // Whose campaign it is stands in other tables: then all that are wanted have to be looked up.
    const rows =
      campaign === undefined
        ? await detailed(tx, await tx.select(keys).from(leadConversions).where(wanted).orderBy(order).limit(limit)).orderBy(order)
        : await viewsOf(tx)
            .where(and(wanted, eq(enrollments.campaignId, campaign)))
            .orderBy(order)
            .limit(limit);
    return pageOf(rows.map(present), page.limit, ({ row }) => row.id);
  });
}

/** @returns null where the tenant has no such conversion */
export function readConversion(deps: Pick<Deps, 'db'>, tenantId: string, id: string): Promise<ConversionView | null> {
  return deps.db.withTenant(tenantId, async (tx) => {
    const [row] = await detailed(tx, await tx.select(keys).from(leadConversions).where(eq(leadConversions.id, id)));
    return row === undefined ? null : present(row);
  });
}

const { id: ownId, connectionId, click, payoutMinor, currency } = leadConversions;
const keys = { id: ownId, connectionId, click, payoutMinor, currency };

/**
 * Reports with whose they are. The ids of their orders are put together here: row-level security keeps Postgres from searching an index for what it
 * would have to put together itself, so that it would read every order of the store.
 */
function detailed(tx: Tx, found: readonly Pick<ConversionView['row'], keyof typeof keys>[]) {
  const orderIds = found.map((row) => `${row.click} ${row.payoutMinor === null ? '?' : (row.currency ?? '')}`);
  const ofTheirs = and(
    inArray(conversions.connectionId, [...new Set(found.map((row) => row.connectionId))]),
    inArray(conversions.orderId, [...new Set(orderIds)]),
  );
  return viewsOf(tx, ofTheirs).where(
    inArray(
      leadConversions.id,
      found.map(({ id }) => id),
    ),
  );
}

/**
 * Its campaign is that of the attempt whose link was followed, else that of the enrollment that its revenue is credited to.
 * @param theirs - which orders may be theirs; absent: any
 */
function viewsOf(tx: Tx, theirs?: SQL) {
  const orderId = sql`concat(${leadConversions.click}, ' ', case when ${leadConversions.payoutMinor} is null then '?' else ${leadConversions.currency} end)`;
  return tx
    .select({ row: leadConversions, campaignId: campaigns.id, campaignName: campaigns.name, channel: messages.channel })
    .from(leadConversions)
    .leftJoin(messages, eq(messages.id, leadConversions.messageId))
    .leftJoin(conversions, and(theirs, eq(conversions.connectionId, leadConversions.connectionId), sql`${conversions.orderId} = ${orderId}`))
    .leftJoin(enrollments, sql`${enrollments.id} = coalesce(${messages.enrollmentId}, ${conversions.enrollmentId})`)
    .leftJoin(campaigns, eq(campaigns.id, enrollments.campaignId));
}

type Viewed = Awaited<ReturnType<ReturnType<typeof viewsOf>['where']>>[number];

const present = ({ row, campaignId, campaignName, channel }: Viewed): ConversionView => ({
  row,
  campaign: campaignId === null || campaignName === null ? null : { id: campaignId, name: campaignName },
  channel,
});
