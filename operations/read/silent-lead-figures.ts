import { eq, sql } from 'drizzle-orm';
import type { Tx } from '../../db/client.ts';
import { sequenceVersions, tenants } from '../../db/schema/index.ts';
import { plannedOffsetsMs, type SequenceDefinition } from '../../domain/sequence/definition.ts';
import { isAboutSilentLead } from '../../domain/people/silence.ts';
import { type ReachedStage, reachedStages, silenceStageAt } from '../../domain/people/silence-stage.ts';
import { settingsOf } from '../../domain/tenant-settings.ts';
import type { Deps } from '../deps.ts';
import { courseSums } from './course-sums.ts';
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

/** @param sinceMs - silences that began to count since the beginning of that UTC day, epoch milliseconds */
export function readSilentLeadFigures(deps: Pick<Deps, 'db'>, tenantId: string, sinceMs: number): Promise<SilentLeadFigures> {
  return deps.db.withTenant(tenantId, async (tx) => {
    const [tenant] = await tx.select().from(tenants).where(eq(tenants.id, tenantId));
    if (tenant === undefined) throw new Error('the tenant does not exist');
    const versions = await versionsAboutSilence(tx);
    const { back, silent, bought, responses, meanMs, varianceMs } = await readSilences(tx, tenantId, sinceMs);
    const steps = await readSteps(tx, tenantId, sinceMs);
    const hours = settingsOf(tenant).silenceHours;
    const stageOf = (versionId: string, stepId: string): ReachedStage | null => {
      const definition = versions.get(versionId);
      const index = definition?.steps.findIndex(({ id }) => id === stepId) ?? -1;
      const offsetMs = definition === undefined ? undefined : plannedOffsetsMs(definition.steps)[index];
      const stage = offsetMs === undefined ? 'none' : silenceStageAt(0, offsetMs + 1, 1, hours);
      return stage === 'none' ? null : stage;
    };
    const ofStage = (stage: ReachedStage): Share => {
      const own = steps.filter(({ version_id: version, step_id: step }) => stageOf(version, step) === stage);
      return share(
        own.reduce((sum, { back: n }) => sum + n, 0),
        own.reduce((sum, { sent }) => sum + sent, 0),
      );
    };
    const days = (ms: number) => (ms / dayMs) * tenant.timeScale;
    return {
      reengagement: { ...share(back, silent), target: reengagementTarget, withinDays },
      conversion: share(bought, back),
      stages: reachedStages.filter((stage) => stage !== '24h').map((stage) => ({ stage, ...ofStage(stage) })),
      daysToReengagement: {
        responses,
        ...meanOf(responses, meanMs === null ? null : days(meanMs), varianceMs === null ? null : Math.sqrt(varianceMs) * days(1)),
      },
    };
  });
}

function share(successes: number, cases: number): Share {
  return { cases, successes, rate: cases === 0 ? null : successes / cases, interval: wilsonInterval(successes, cases) };
}

/** The mean with its 95 % interval, by the normal approximation. @param deviation - of the values; null: there are fewer than two */
function meanOf(n: number, mean: number | null, deviation: number | null): { mean: number | null; interval: Interval | null } {
  if (mean === null || deviation === null) return { mean, interval: null };
  const reach = 1.96 * (deviation / Math.sqrt(n));
  return { mean, interval: { low: Math.max(0, mean - reach), high: mean + reach } };
}

async function versionsAboutSilence(tx: Tx): Promise<Map<string, SequenceDefinition>> {
  const rows = await tx
    .select({ id: sequenceVersions.id, definition: sequenceVersions.definition })
    .from(sequenceVersions)
    .where(sql`${sequenceVersions.definition} ->> 'on' like '%.silent'`);
  return new Map(rows.filter(({ definition }) => isAboutSilentLead(definition)).map(({ id, definition }) => [id, definition]));
}

interface Silences extends Record<string, unknown> {
  silent: number;
  back: number;
  bought: number;
  responses: number;
  meanMs: number | null;
  varianceMs: number | null;
}

/** Leads are counted by the latest silence of each that is meant. Times from the last contact to the response, in milliseconds of wall time. */
async function readSilences(tx: Tx, tenantId: string, sinceMs: number): Promise<Silences> {
  const { rows } = await tx.execute<Silences>(sql`
    select coalesce(sum(f.leads), 0)::int as silent, coalesce(sum(f.replied), 0)::int as back, coalesce(sum(f.converted), 0)::int as bought,
      coalesce(sum(f.cases), 0)::int as responses, (sum(f.amount) / nullif(sum(f.cases), 0))::float8 as "meanMs",
      case when sum(f.cases) > 1 then (greatest(0, sum(f.squares) - power(sum(f.amount), 2) / sum(f.cases)) / (sum(f.cases) - 1))::float8 end as "varianceMs"
    from ${courseSums(tenantId, { topics: ['silence'], sinceMs })} f`);
  const [row] = rows;
  if (row === undefined) throw new Error('a count has no row');
  return row;
}

/** Of each step of a silence: the leads that it went out to, and those that came back before the next one. */
async function readSteps(tx: Tx, tenantId: string, sinceMs: number): Promise<{ version_id: string; step_id: string; sent: number; back: number }[]> {
  const { rows } = await tx.execute<{ version_id: string; step_id: string; sent: number; back: number }>(sql`
    select f.version_id, f.step_id, sum(f.leads)::int as sent, sum(f.replied)::int as back
    from ${courseSums(tenantId, { topics: ['silence_step'], sinceMs })} f group by 1, 2`);
  return rows;
}
