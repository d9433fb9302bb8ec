import { and, eq, type SQL, sql } from 'drizzle-orm';
import { v7 as uuidv7 } from 'uuid';
import { postgresCode, type Tx } from '../../db/client.ts';
import { campaigns, enrollments, sequences, sequenceVersions } from '../../db/schema/index.ts';
import type { AutoAssign, CampaignRules, CampaignStatus } from '../../domain/campaigns/campaign.ts';
import { kindOfSequence } from '../../domain/sequence/triggers.ts';
import { lead } from '../../domain/subjects/lead/index.ts';
import { recordAudit } from '../audit.ts';
import type { Deps } from '../deps.ts';
import { courseSums } from '../read/course-sums.ts';
import { type Page, type PageWanted, readSorted } from '../read/page.ts';
import { releaseHeld, wakeRunning } from '../wake-running.ts';

// For code that may not import `domain/`.
export { campaignStatuses } from '../../domain/campaigns/campaign.ts';
export { weekdays, type WeeklyWindow } from '../../domain/time/weekly-window.ts';

export type CampaignRow = typeof campaigns.$inferSelect;

export type SequenceState = 'ACTIVE' | 'PAUSED' | 'DRAFT' | 'ARCHIVED';

/** A campaign, and what its leads came to. */
export interface CampaignView {
  campaign: CampaignRow;
  /** The slug of its sequence; null: it contacts nobody. */
  sequence: string | null;
  /** Whether that takes anybody in: only an active one does; null: there is none. */
  sequenceState: SequenceState | null;
  /** How many of its leads are in the sequence now, and how many ended as converted. */
  open: number;
  converted: number;
  /** How many leads are in no sequence, by why the latest try began none. */
  refused: Record<string, number>;
  /** How many leads `enrollLeads` would try, by the choice of the same name. */
  notEnrolled: number;
  droppedOut: number;
}

export interface CampaignFields extends CampaignRules {
  name: string;
  autoAssign: AutoAssign | null;
  /** A sequence about leads, by its slug; null: none. */
  sequence: string | null;
  call: Record<string, unknown> | null;
}

export type CampaignRefused =
  | { kind: 'unknown_sequence' }
  /** It is about something else than leads, or only a bulk enrollment starts it. */
  | { kind: 'not_about_leads'; about: string }
  | { kind: 'name_taken' }
  /** An ended campaign stays as it is. */
  | { kind: 'ended' };

type Changed = { kind: 'done'; view: CampaignView } | CampaignRefused;

export interface CampaignWish {
  tenantId: string;
  actor: string;
  fields: CampaignFields;
  status: Exclude<CampaignStatus, 'ENDED'>;
}

/** Source: docs/rules.md#rule-49 */
export function createCampaign(deps: Pick<Deps, 'db' | 'subjects'>, { tenantId, actor, fields, status }: CampaignWish): Promise<Changed> {
  return unlessTaken(
    deps.db.withTenant(tenantId, async (tx): Promise<Changed> => {
      const sequenceId = await sequenceIdOf(tx, deps, fields.sequence);
      if (typeof sequenceId === 'object' && sequenceId !== null) return sequenceId;
      const id = uuidv7();
      await tx.insert(campaigns).values({ tenantId, id, ...columnsOf(fields), sequenceId, status });
      await recordAudit(tx, { tenantId, actor, action: 'campaign.create', subject: id, data: { name: fields.name, status } });
      return done(tx, id);
    }),
  );
}

export interface CampaignPatch {
  tenantId: string;
  id: string;
  actor: string;
  fields: Partial<CampaignFields>;
  status?: CampaignStatus | undefined;
}

/**
 * Change a campaign. What it asks of messages counts from the next decision of everybody in it. Paused, it takes no leads and nothing is sent to those it
 * has; no due time moves. An end is final: everybody in it exits at their next decision, for which their workflows are woken.
 * @returns null: there is no such campaign
 */
export async function changeCampaign(
  deps: Pick<Deps, 'db' | 'subjects' | 'kickRelay'>,
  { tenantId, id, actor, fields, status }: CampaignPatch,
): Promise<Changed | null> {
  const changed = await unlessTaken(
    deps.db.withTenant(tenantId, async (tx): Promise<Changed | null> => {
      const [before] = await tx.select().from(campaigns).where(eq(campaigns.id, id)).for('no key update');
      if (before === undefined) return null;
      const isRepeat = status === 'ENDED' && Object.keys(fields).length === 0;
      if (before.status === 'ENDED') return isRepeat ? done(tx, id) : { kind: 'ended' };
      const sequenceId = fields.sequence === undefined ? before.sequenceId : await sequenceIdOf(tx, deps, fields.sequence);
      if (typeof sequenceId === 'object' && sequenceId !== null) return sequenceId;
      const { sequence: _, ...columns } = fields;
      const next = status ?? before.status;
      await tx
        .update(campaigns)
        .set({ ...columns, sequenceId, status: next, ...(next === 'ENDED' ? { endedAt: sql`clock_timestamp()` } : {}) })
        .where(eq(campaigns.id, id));
      if (next === 'ENDED') await wakeRunning(tx, eq(enrollments.campaignId, id));
      if (next === 'ACTIVE' && before.status === 'PAUSED') await releaseHeld(tx, eq(enrollments.campaignId, id), 'campaign_paused');
      await recordAudit(tx, { tenantId, actor, action: 'campaign.change', subject: id, data: { changed: Object.keys(fields), status: next } });
      return done(tx, id);
    }),
  );
  if (changed?.kind === 'done') deps.kickRelay();
  return changed;
}

/** @returns null where the tenant has no such campaign */
export function readCampaign(deps: Pick<Deps, 'db'>, tenantId: string, id: string): Promise<CampaignView | null> {
  return deps.db.withTenant(tenantId, async (tx) => (await views(tx, await rows(tx, eq(campaigns.id, id), 1)))[0] ?? null);
}

/** The newest first. */
export function listCampaigns(
  deps: Pick<Deps, 'db'>,
  tenantId: string,
  search: { status?: CampaignStatus | undefined },
  page: PageWanted,
): Promise<Page<CampaignView>> {
  return deps.db.withTenant(tenantId, async (tx) => {
    const ofStatus = search.status === undefined ? undefined : eq(campaigns.status, search.status);
    const { items, next } = await readSorted(page, { usual: 'newest', id: campaigns.id, columns: { name: campaigns.name } }, async (part) => {
      const found = await rows(tx, and(ofStatus, part.where), part.limit, part.orderBy);
      return found.map((row) => ({ ...row, id: row.campaign.id, sortedBy: row.campaign.name }));
    });
    return { items: await views(tx, items), next };
  });
}

const rows = (tx: Tx, wanted: ReturnType<typeof and>, most: number, orderBy: SQL[] = []) =>
  tx
    .select({
      campaign: campaigns,
      sequence: sequences.slug,
      sequenceState: sql<SequenceState | null>`case when ${sequences.status} = 'ACTIVE' and ${sequences.paused} then 'PAUSED' else ${sequences.status} end`,
    })
    .from(campaigns)
    .leftJoin(sequences, eq(sequences.id, campaigns.sequenceId))
    .where(wanted)
    .orderBy(...orderBy)
    .limit(most);

async function views(tx: Tx, found: Pick<CampaignView, 'campaign' | 'sequence' | 'sequenceState'>[]): Promise<CampaignView[]> {
  const ids = sql.param(found.map(({ campaign }) => campaign.id));
  const [first] = found;
  if (first === undefined) return [];
  const { rows: counts } = await tx.execute<{
    id: string;
    reason: string;
    open: number;
    converted: number;
    refused: number;
    not_enrolled: number;
    dropped_out: number;
  }>(sql`
    select f.campaign_id as id, f.reason, sum(f.still_open)::int as open, sum(f.converted)::int as converted, sum(f.cases)::int as refused, sum(f.leads)::int as not_enrolled,
      sum(f.dropped)::int as dropped_out
    from ${courseSums(first.campaign.tenantId, { topics: ['campaign'], sinceMs: 0 })} f where f.campaign_id = any(${ids}::uuid[]) group by 1, 2 order by 2`);
  return found.map(({ campaign, sequence, sequenceState }) => {
    const own = counts.filter(({ id }) => id === campaign.id);
    const sum = (of: 'open' | 'converted' | 'not_enrolled' | 'dropped_out') => own.reduce((total, row) => total + row[of], 0);
    const refused = Object.fromEntries(own.filter((row) => row.refused > 0).map((row) => [row.reason, row.refused]));
    return {
      campaign,
      sequence,
      sequenceState,
      open: sum('open'),
      converted: sum('converted'),
      refused,
      notEnrolled: sum('not_enrolled'),
      droppedOut: sum('dropped_out'),
    };
  });
}

async function done(tx: Tx, id: string): Promise<{ kind: 'done'; view: CampaignView }> {
  const [view] = await views(tx, await rows(tx, eq(campaigns.id, id), 1));
  if (view === undefined) throw new Error('a campaign was not stored');
  return { kind: 'done', view };
}

const columnsOf = ({ name, autoAssign, schedule, rate, call }: CampaignFields) => ({ name, autoAssign, schedule, rate, call });

async function sequenceIdOf(tx: Tx, { subjects }: Pick<Deps, 'subjects'>, slug: string | null): Promise<string | null | CampaignRefused> {
  if (slug === null) return null;
  const [found] = await tx
    .select({ id: sequences.id, definition: sequenceVersions.definition })
    .from(sequences)
    .innerJoin(sequenceVersions, eq(sequenceVersions.id, sequences.currentVersionId))
    .where(eq(sequences.slug, slug));
  if (found === undefined) return { kind: 'unknown_sequence' };
  const about = kindOfSequence(subjects, found.definition)?.kind ?? found.definition.on;
  return about === lead.kind ? found.id : { kind: 'not_about_leads', about };
}

async function unlessTaken<T>(change: Promise<T>): Promise<T | { kind: 'name_taken' }> {
  try {
    return await change;
  } catch (error) {
    // unique_violation
    if (postgresCode(error) === '23505') return { kind: 'name_taken' };
    throw error;
  }
}
