import { and, eq, inArray, isNotNull, isNull, sql } from 'drizzle-orm';
import { v7 as uuidv7 } from 'uuid';
import { postgresCode } from '../../db/client.ts';
import { campaigns, experiments, scripts, sequenceVersions, sequences } from '../../db/schema/index.ts';
import type { Channel } from '../../domain/channels/index.ts';
import { lead } from '../../domain/subjects/lead/index.ts';
import { recordAudit } from '../audit.ts';
import type { Deps } from '../deps.ts';
import { byItself, closeWinnerTask, endIfDecided } from './standing.ts';

/** One arm of a test to be begun: a script, by its name. */
export interface ArmWish {
  variant: string;
  script: string;
  weight: number;
}

export interface CampaignTestWish {
  tenantId: string;
  actor: string;
  campaignId: string;
  channel: Channel;
  arms: readonly ArmWish[];
  /** `bandit`: the arms' shares follow what they bring. */
  mode: 'test' | 'bandit';
}

export type CampaignTestBegun =
  | { kind: 'begun'; id: string }
  | { kind: 'unknown_campaign' }
  /** It has ended, so nobody would be in the test. */
  | { kind: 'campaign_ended' }
  /** It contacts nobody. */
  | { kind: 'no_sequence' }
  | { kind: 'unknown_script'; name: string }
  /** It is for another channel, or about something else than leads. */
  | { kind: 'script_does_not_fit'; name: string }
  /** The campaign has a test of this channel that runs. */
  | { kind: 'test_runs' };

/**
 * Compare scripts of a campaign on one channel: from now on each of its people gets one of them by chance where the campaign's own script would go out.
 * Source: docs/rules.md#rule-79
 */
export async function beginCampaignTest(
  deps: Pick<Deps, 'db'>,
  { tenantId, actor, campaignId, channel, arms, mode }: CampaignTestWish,
): Promise<CampaignTestBegun> {
  try {
    return await deps.db.withTenant(tenantId, async (tx): Promise<CampaignTestBegun> => {
      const [campaign] = await tx
        .select({ status: campaigns.status, definition: sequenceVersions.definition })
        .from(campaigns)
        .leftJoin(sequences, eq(sequences.id, campaigns.sequenceId))
        .leftJoin(sequenceVersions, eq(sequenceVersions.id, sequences.currentVersionId))
        .where(eq(campaigns.id, campaignId))
        .for('no key update', { of: campaigns });
      if (campaign === undefined) return { kind: 'unknown_campaign' };
      if (campaign.status === 'ENDED') return { kind: 'campaign_ended' };
      if (campaign.definition === null) return { kind: 'no_sequence' };
      const named = arms.map(({ script }) => script);
      // Locked, so that none is removed meanwhile.
      const known = await tx
        .select()
        .from(scripts)
        .where(and(inArray(scripts.name, named), isNull(scripts.removedAt)))
        .for('share');
      const chosen: Record<string, string> = {};
      for (const { variant, script: name } of arms) {
        const script = known.find((one) => one.name === name);
        if (script === undefined) return { kind: 'unknown_script', name };
        if (script.channel !== channel || script.about !== lead.kind) return { kind: 'script_does_not_fit', name };
        chosen[variant] = script.id;
      }
      const all = arms.reduce((sum, { weight }) => sum + weight, 0);
      const shares = Object.fromEntries(arms.map(({ variant, weight }) => [variant, weight / all]));
      const id = uuidv7();
      await tx
        .insert(experiments)
        .values({ tenantId, id, campaignId, channel, scripts: chosen, shares, mode, windowMs: campaign.definition.goal.withinMs });
      await recordAudit(tx, {
        tenantId,
        actor,
        action: 'experiment.begin',
        subject: id,
        data: { campaign: campaignId, channel, scripts: named, mode },
      });
      return { kind: 'begun', id };
    });
  } catch (error) {
    // unique_violation: experiments_running_campaign
    if (postgresCode(error) === '23505') return { kind: 'test_runs' };
    throw error;
  }
}

export type TestStopped = { kind: 'stopped' } | { kind: 'not_a_campaigns' } | { kind: 'over' };

/** Stop a test of a campaign before anything is certain: its own script goes out again. @returns null where the tenant has no such test */
export function stopCampaignTest(
  deps: Pick<Deps, 'db' | 'clock'>,
  { tenantId, id, actor }: { tenantId: string; id: string; actor: string },
): Promise<TestStopped | null> {
  return deps.db.withTenant(tenantId, async (tx) => {
    const [row] = await tx.select().from(experiments).where(eq(experiments.id, id)).for('update');
    if (row === undefined) return null;
    if (row.campaignId === null) return { kind: 'not_a_campaigns' };
    if (row.status !== 'RUNNING') return { kind: 'over' };
    await tx.update(experiments).set({ status: 'STOPPED', endedAt: deps.clock.nowMs() }).where(eq(experiments.id, id));
    await recordAudit(tx, { tenantId, actor, action: 'experiment.stop', subject: id, data: {} });
    return { kind: 'stopped' };
  });
}

/** End the tests of campaigns that are decided, and stop those of campaigns that have ended, and where an arm does harm. */
export async function examineCampaignTests(
  deps: Pick<Deps, 'db' | 'clock' | 'versions' | 'log'>,
  tenantId: string,
  stopsHarm: boolean,
): Promise<void> {
  const running = await deps.db.withTenant(tenantId, (tx) =>
    tx
      .select({ id: experiments.id })
      .from(experiments)
      .where(and(eq(experiments.status, 'RUNNING'), isNotNull(experiments.campaignId))),
  );
  for (const { id } of running)
    await deps.db.withTenant(tenantId, async (tx) => {
      // Another process examines it now: it is done.
      const [row] = await tx
        .select()
        .from(experiments)
        .where(and(eq(experiments.id, id), eq(experiments.status, 'RUNNING')))
        .for('update', { skipLocked: true });
      if (row === undefined || row.campaignId === null) return;
      const [campaign] = await tx.select({ status: campaigns.status }).from(campaigns).where(eq(campaigns.id, row.campaignId));
      if (campaign?.status === 'ENDED')
        await tx.update(experiments).set({ status: 'STOPPED', endedAt: deps.clock.nowMs() }).where(eq(experiments.id, id));
      else {
        const harm = await endIfDecided(tx, deps, row);
        if (harm === null || !stopsHarm) return;
        // Its arms have fixed shares: without one of them, the campaign's own script is what goes out.
        await tx.update(experiments).set({ status: 'STOPPED', endedAt: deps.clock.nowMs() }).where(eq(experiments.id, id));
        const { metric, arm, people, cases, others } = harm;
        await recordAudit(tx, { tenantId, actor: byItself, action: 'experiment.harm', subject: id, data: { arm, metric, people, cases, others } });
        deps.log.warn({ tenantId, experiment: id, arm, metric }, 'a test was stopped, because an arm of it does harm');
      }
    });
}

export type WinnerTaken =
  | { kind: 'applied' }
  | { kind: 'not_suggested'; takeover: 'applied' | 'dismissed' | null }
  /** The campaign has ended, or the winner's script is out of use. */
  | { kind: 'outdated' };

/** Let the winner of a campaign's test take over: leads that begin from now on get its script. */
export function applyWinner(
  deps: Pick<Deps, 'db' | 'clock'>,
  { tenantId, id, actor }: { tenantId: string; id: string; actor: string },
): Promise<WinnerTaken | null> {
  return deps.db.withTenant(tenantId, async (tx): Promise<WinnerTaken | null> => {
    const [row] = await tx.select().from(experiments).where(eq(experiments.id, id)).for('update');
    if (row === undefined || row.campaignId === null) return null;
    const { winner, takeover, campaignId, scripts: arms } = row;
    if (takeover !== 'suggested' || winner === null) return { kind: 'not_suggested', takeover: takeover === 'suggested' ? null : takeover };
    const script = arms?.[winner];
    const [usable] = await tx
      .select({ id: campaigns.id })
      .from(campaigns)
      .where(
        and(
          eq(campaigns.id, campaignId),
          sql`${campaigns.status} <> 'ENDED'`,
          sql`exists (select from ${scripts} where ${scripts.id} = ${script ?? null}::uuid and ${scripts.removedAt} is null)`,
        ),
      );
    if (usable === undefined) return { kind: 'outdated' };
    await tx.update(experiments).set({ takeover: 'applied', resolvedAt: sql`clock_timestamp()`, resolvedBy: actor }).where(eq(experiments.id, id));
    await recordAudit(tx, { tenantId, actor, action: 'experiment.approve', subject: id, data: { winner } });
    await closeWinnerTask(tx, deps, { tenantId, id, actor, result: `${winner} took over` });
    return { kind: 'applied' };
  });
}
