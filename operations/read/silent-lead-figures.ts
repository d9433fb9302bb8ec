import { eq, sql } from 'drizzle-orm';
import type { Tx } from '../../db/client.ts';
import { sequenceVersions, tenants } from '../../db/schema/index.ts';
import { plannedOffsetsMs, type SequenceDefinition } from '../../domain/sequence/definition.ts';
import { isAboutSilentLead } from '../../domain/people/silence.ts';
import { type ReachedStage, reachedStages, silenceStageAt } from '../../domain/people/silence-stage.ts';
import { settingsOf } from '../../domain/tenant-settings.ts';
import type { Deps } from '../deps.ts';
import type { Interval } from '../../domain/statistics/interval.ts';
import { wilsonInterval } from '../../domain/statistics/proportions.ts';

const dayMs = 86_400_000;

/** A response counts for so long after the message that it answers, and within so many days the target is to be reached. */
const withinDays = 30;
/** What the requirements aim at: never a result. */
const reengagementTarget = 0.15;

/** A share with how sure we can be of it, each from 0 to 1; null: there were no cases. */
export interface Share {
  cases: number;
  successes: number;
  rate: number | null;
  interval: Interval | null;
}

/** What recovery does for silent leads, counted in leads. */
export interface SilentLeadFigures {
  /** Leads that answered or bought after a recovery message, of all that fell silent. */
  reengagement: Share & { target: number; withinDays: number };
  /** Leads that bought, of those that came back. */
  conversion: Share;
  /** By stage: the leads whose message of it went out, and of these those that came back before the next one. */
  stages: (Share & { stage: ReachedStage })[];
  /** Days from the last contact to the response, in this tenant's time: the mean with its 95 % interval; null: too few responses. */
  daysToReengagement: { responses: number; mean: number | null; interval: Interval | null };
}

/** @param sinceMs - silences that began to count since then, epoch milliseconds */
export function readSilentLeadFigures(deps: Pick<Deps, 'db'>, tenantId: string, sinceMs: number): Promise<SilentLeadFigures> {
  return deps.db.withTenant(tenantId, async (tx) => {
    const [tenant] = await tx.select().from(tenants).where(eq(tenants.id, tenantId));
    if (tenant === undefined) throw new Error('the tenant does not exist');
    const versions = await versionsAboutSilence(tx);
    const rows = versions.size === 0 ? [] : await readSilences(tx, [...versions.keys()], sinceMs, (withinDays * dayMs) / tenant.timeScale);
    const hours = settingsOf(tenant).silenceHours;
    const stageOf = (versionId: string, stepId: string): ReachedStage | null => {
      const definition = versions.get(versionId);
      const index = definition?.steps.findIndex(({ id }) => id === stepId) ?? -1;
      const offsetMs = definition === undefined ? undefined : plannedOffsetsMs(definition.steps)[index];
      const stage = offsetMs === undefined ? 'none' : silenceStageAt(0, offsetMs + 1, 1, hours);
      return stage === 'none' ? null : stage;
    };
    const back = rows.filter(({ responded }) => responded);
    const leads = (of: readonly Silence[]) => new Set(of.map(({ subject_id: id }) => id)).size;
    const ofStage = (stage: ReachedStage): Share => {
      const sent = rows.filter(({ version_id: version, sent: steps }) => steps.some((step) => stageOf(version, step) === stage));
      const answered = sent.filter(({ version_id: version, sent: steps, responded }) => responded && stageOf(version, steps.at(-1) ?? '') === stage);
      return share(leads(answered), leads(sent));
    };
    const days = back.map(({ days: real }) => real * tenant.timeScale);
    return {
      reengagement: { ...share(leads(back), leads(rows)), target: reengagementTarget, withinDays },
      conversion: share(leads(back.filter(({ converted }) => converted)), leads(back)),
      stages: reachedStages.filter((stage) => stage !== '24h').map((stage) => ({ stage, ...ofStage(stage) })),
      daysToReengagement: { responses: days.length, ...meanOf(days) },
    };
  });
}

function share(successes: number, cases: number): Share {
  return { cases, successes, rate: cases === 0 ? null : successes / cases, interval: wilsonInterval(successes, cases) };
}

/** The mean with its 95 % interval, by the normal approximation. */
function meanOf(values: readonly number[]): { mean: number | null; interval: Interval | null } {
  if (values.length === 0) return { mean: null, interval: null };
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  if (values.length < 2) return { mean, interval: null };
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1);
  const reach = 1.96 * Math.sqrt(variance / values.length);
  return { mean, interval: { low: Math.max(0, mean - reach), high: mean + reach } };
}

async function versionsAboutSilence(tx: Tx): Promise<Map<string, SequenceDefinition>> {
  const rows = await tx
    .select({ id: sequenceVersions.id, definition: sequenceVersions.definition })
    .from(sequenceVersions)
    .where(sql`${sequenceVersions.definition} ->> 'on' like '%.silent'`);
  return new Map(rows.filter(({ definition }) => isAboutSilentLead(definition)).map(({ id, definition }) => [id, definition]));
}

/** One silence that has begun to count. */
interface Silence extends Record<string, unknown> {
  subject_id: string;
  version_id: string;
  /** Steps whose message went out, or may have, in their order. */
  sent: string[];
  /** They answered or bought after a message, in time. */
  responded: boolean;
  /** They bought then or later. */
  converted: boolean;
  /** From the last contact to the end, in days of wall time. */
  days: number;
}

async function readSilences(tx: Tx, versionIds: readonly string[], sinceMs: number, windowMs: number): Promise<Silence[]> {
  const { rows } = await tx.$client.query<Silence>({
    text: `select e.subject_id, e.version_id, coalesce(m.steps, '{}') as sent,
        coalesce(e.stop_reason in ('replied', 'purchased') and m.last_at < e.ended_at
          and e.ended_at <= m.last_at + make_interval(secs => $3::float8), false) as responded,
        (s.state = 'converted') as converted,
        coalesce(extract(epoch from e.ended_at - e.anchor_at) / 86400, 0)::float8 as days
      from enrollments e
        join subjects s on s.tenant_id = e.tenant_id and s.id = e.subject_id
        left join lateral (
          select array_agg(g.step_id order by g.settled_at, g.id) as steps, max(coalesce(g.settled_at, g.claimed_at)) as last_at
          from messages g
          where g.tenant_id = e.tenant_id and g.enrollment_id = e.id and g.state in ('sent', 'unknown') and g.channel is not null) m on true
      where e.version_id = any($1::uuid[]) and e.activated_at is not null and e.activated_at >= to_timestamp($2::float8)
        and e.stop_reason is distinct from 'holdout'`,
    values: [versionIds, sinceMs / 1_000, windowMs / 1_000],
  });
  return rows;
}
