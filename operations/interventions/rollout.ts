import { and, eq, inArray, sql } from 'drizzle-orm';
import { enrollments, sequences, sequenceVersions } from '../../db/schema/index.ts';
import { recordAudit } from '../audit.ts';
import type { Deps } from '../deps.ts';
import { changeSettingsIn } from '../settings.ts';

/** How far interventions are rolled out. */
export interface Rollout {
  percent: number;
  /** Active sequences about bands of risk, by their slugs. */
  running: string[];
  paused: string[];
  /** Interventions that have not ended. */
  open: number;
}

/**
 * Let interventions reach a share of people. 0 takes all of it back at once: the sequences about bands of risk are paused in the same transaction, so
 * nothing more goes out, and what runs is held where it stands.
 */
export function rollOut(deps: Pick<Deps, 'db'>, tenantId: string, { percent, actor }: { percent: number; actor: string }): Promise<Rollout> {
  return deps.db.withTenant(tenantId, async (tx) => {
    const { current } = await changeSettingsIn(tx, tenantId, { changes: { interventionRollout: percent }, expectedVersion: null, by: actor });
    const about = tx
      .select({ id: sequenceVersions.sequenceId })
      .from(sequenceVersions)
      .innerJoin(sequences, eq(sequences.currentVersionId, sequenceVersions.id))
      .where(sql`${sequenceVersions.definition} ->> 'on' = 'risk.entered'`);
    if (percent === 0) {
      const stopped = await tx
        .update(sequences)
        .set({ paused: true })
        .where(and(inArray(sequences.id, about), eq(sequences.status, 'ACTIVE'), eq(sequences.paused, false)))
        .returning({ id: sequences.id });
      for (const { id } of stopped) await recordAudit(tx, { tenantId, actor, action: 'sequence.pause', subject: id });
    }
    const found = await tx
      .select({ slug: sequences.slug, paused: sequences.paused })
      .from(sequences)
      .where(and(inArray(sequences.id, about), eq(sequences.status, 'ACTIVE')));
    const [open] = await tx
      .select({ count: sql<number>`count(*)::int` })
      .from(enrollments)
      .where(and(inArray(enrollments.sequenceId, about), sql`${enrollments.endedAt} is null`));
    await recordAudit(tx, { tenantId, actor, action: 'risk.roll_out', subject: tenantId, data: { percent, version: current.version } });
    const slugs = (paused: boolean) =>
      found
        .filter((one) => one.paused === paused)
        .map(({ slug }) => slug)
        .toSorted();
    return { percent, running: slugs(false), paused: slugs(true), open: open?.count ?? 0 };
  });
}
