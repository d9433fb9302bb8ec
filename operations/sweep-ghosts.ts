import { and, eq, sql } from 'drizzle-orm';
import type { TenantSummary, Tx } from '../db/client.ts';
import { sequences, sequenceVersions } from '../db/schema/index.ts';
import { isAboutGhost } from '../domain/people/silence.ts';
import type { Deps } from './deps.ts';
import { turnOf, noteSwept } from './sweep-interval.ts';
import type { SweepOptions, SweepReport } from './sweep-silent.ts';
import { takeUpAbout } from './sweep-silent.ts';

/**
 * Find the leads that have left a chat and that no turn has brought into their sequence: those of before the sequence was there or resumed. It only
 * begins what the rules of every beginning allow, the longest gone first; each lead then sleeps in its own workflow, and the message is decided there.
 * A lead that fails never stops the others. A store whose own interval has not passed is left to a later pass.
 * Source: docs/rules.md#rule-67
 * @throws where no store could be read: the caller waits and goes on
 */
export async function sweepGhosts(deps: Deps, { most, everySeconds, signal, onProgress }: SweepOptions): Promise<SweepReport> {
  const report: SweepReport = { found: 0, begun: 0, failed: 0 };
  const ends = () => signal?.aborted === true;
  for (const tenant of await deps.db.listTenants()) {
    if (ends()) break;
    let candidates: string[];
    try {
      const turn = await turnOf(deps, tenant, 'ghosts', { everySeconds, most });
      if (turn === 0) continue;
      candidates = await findGhosts(deps, tenant, turn);
    } catch (error) {
      deps.log.error({ tenant: tenant.slug, err: error }, 'the leads that left a chat could not be read');
      continue;
    }
    report.found += candidates.length;
    for (const subjectId of candidates) {
      if (ends()) break;
      onProgress?.();
      try {
        if ((await takeUpAbout(deps, tenant.id, subjectId, isAboutGhost)).begun !== null) report.begun++;
      } catch (error) {
        deps.log.error({ tenant: tenant.slug, lead: subjectId, err: error }, 'a lead that left a chat could not be taken up');
        report.failed++;
      }
    }
    if (!ends()) await noteSwept(deps, tenant, 'ghosts');
  }
  deps.log.info(
    { found: report.found, begun: report.begun, failed: report.failed, nextInSeconds: everySeconds },
    'leads that left a chat found for follow-up',
  );
  if (report.begun > 0) deps.kickRelay();
  return report;
}

/** Those that are in no such sequence, the longest gone first. The index `subjects_ghosts` has them in this order. */
function findGhosts(deps: Pick<Deps, 'db'>, tenant: TenantSummary, most: number): Promise<string[]> {
  return deps.db.withTenant(tenant.id, async (tx) => {
    const about = await ghostSequences(tx);
    if (about.sequenceIds.length === 0) return [];
    const seconds = (ms: number) => ms / tenant.timeScale / 1_000;
    const { rows } = await tx.$client.query<{ id: string }>({
      text: `select s.id from subjects s
          join contacts c on c.tenant_id = s.tenant_id and c.id = s.contact_id
          join contacts p on p.tenant_id = c.tenant_id and p.id = c.person_id
        where s.last_interaction_at is not null and not s.ghost_reminder_sent and s.viewing_scheduled_at is null and s.state = 'open'
          and s.last_interaction_at <= clock_timestamp() - make_interval(secs => $1::float8)
          and s.last_interaction_at > clock_timestamp() - make_interval(secs => $2::float8)
          and p.lifecycle not in ('DO_NOT_CONTACT', 'REJECTED')
          and not exists (
            select from enrollments e where e.tenant_id = s.tenant_id and e.subject_id = s.id and e.sequence_id = any($3::uuid[])
              and (e.ended_at is null or e.anchor_at >= s.last_interaction_at))
        order by s.last_interaction_at, s.id
        limit $4`,
      values: [seconds(about.quietForMs), seconds(about.maxAgeMs), about.sequenceIds, most],
    });
    return rows.map(({ id }) => id);
  });
}

async function ghostSequences(tx: Tx): Promise<{ sequenceIds: string[]; quietForMs: number; maxAgeMs: number }> {
  const rows = await tx
    .select({ id: sequences.id, definition: sequenceVersions.definition })
    .from(sequences)
    .innerJoin(sequenceVersions, eq(sequenceVersions.id, sequences.currentVersionId))
    .where(and(eq(sequences.status, 'ACTIVE'), eq(sequences.paused, false), sql`${sequenceVersions.definition} ->> 'on' = 'chat.ghosted'`));
  const about = rows.filter(({ definition }) => isAboutGhost(definition));
  return {
    sequenceIds: about.map(({ id }) => id),
    quietForMs: Math.min(...about.map(({ definition }) => definition.quietForMs)),
    maxAgeMs: Math.max(0, ...about.map(({ definition }) => definition.maxAgeMs)),
  };
}
