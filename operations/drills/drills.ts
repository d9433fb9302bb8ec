import { eq, sql } from 'drizzle-orm';
import { v7 as uuidv7 } from 'uuid';
import { outageDrills } from '../../db/schema/index.ts';
import type { Channel } from '../../domain/channels/index.ts';
import { type DrilledPart, longestDrillMs } from '../../domain/drills/outage-drill.ts';
import { recordAudit } from '../audit.ts';
import type { Deps } from '../deps.ts';
import { beyond, byAge, type Page, pageOf, type PageWanted } from '../read/page.ts';
import { type DrillRow, runningRow } from './running.ts';

export { drilledParts, longestDrillMs, shortestDrillMs } from '../../domain/drills/outage-drill.ts';
export type { DrillRow } from './running.ts';

export interface DrillWish {
  part: DrilledPart;
  /** Of a provider; null: every channel that disturbs people. */
  channel: Channel | null;
  sharePercent: number;
  lastsMs: number;
}

/**
 * Begin to practise an outage. Nobody has to end it: every process compares its end with the clock.
 * @returns `running`: the store practises one already
 */
export function startDrill(
  { db, clock }: Pick<Deps, 'db' | 'clock'>,
  tenantId: string,
  { lastsMs, ...wish }: DrillWish,
  by: string,
): Promise<{ kind: 'started' | 'running'; drill: DrillRow }> {
  return db.withTenant(tenantId, async (tx) => {
    // One of two that are asked for at once waits here for the other.
    await tx.execute(sql`select pg_advisory_xact_lock(hashtextextended(${`${tenantId} drill`}, 0))`);
    const startedAt = clock.nowMs();
    const running = await runningRow(tx, startedAt);
    if (running !== null) return { kind: 'running', drill: running };
    const endsAt = startedAt + Math.min(lastsMs, longestDrillMs);
    const [drill] = await tx
      .insert(outageDrills)
      .values({ tenantId, id: uuidv7(), ...wish, startedAt, endsAt, startedBy: by })
      .returning();
    if (drill === undefined) throw new Error('a drill was not stored');
    const data = { part: drill.part, channel: drill.channel, share_percent: drill.sharePercent, ends_at: new Date(endsAt).toISOString() };
    await recordAudit(tx, { tenantId, actor: by, action: 'outage_drill.start', subject: drill.id, data });
    return { kind: 'started', drill };
  });
}

/** End one before its time. @returns `over`: it had ended already; null: there is no such drill */
export function endDrill(
  { db, clock }: Pick<Deps, 'db' | 'clock'>,
  tenantId: string,
  id: string,
  by: string,
): Promise<{ kind: 'ended' | 'over'; drill: DrillRow } | null> {
  return db.withTenant(tenantId, async (tx) => {
    const [drill] = await tx.select().from(outageDrills).where(eq(outageDrills.id, id)).for('update');
    if (drill === undefined) return null;
    const endedAt = clock.nowMs();
    if (drill.endedAt !== null || drill.endsAt <= endedAt) return { kind: 'over', drill };
    await tx.update(outageDrills).set({ endedAt }).where(eq(outageDrills.id, id));
    await recordAudit(tx, { tenantId, actor: by, action: 'outage_drill.end', subject: id });
    return { kind: 'ended', drill: { ...drill, endedAt } };
  });
}

export function readDrill({ db }: Pick<Deps, 'db'>, tenantId: string, id: string): Promise<DrillRow | null> {
  return db.withTenant(tenantId, async (tx) => (await tx.select().from(outageDrills).where(eq(outageDrills.id, id)))[0] ?? null);
}

/** The latest first. */
export function listDrills({ db }: Pick<Deps, 'db'>, tenantId: string, page: PageWanted): Promise<Page<DrillRow>> {
  return db.withTenant(tenantId, async (tx) => {
    const rows = await tx
      .select()
      .from(outageDrills)
      .where(beyond(outageDrills.id, 'newest', page))
      .orderBy(byAge(outageDrills.id, 'newest', page))
      .limit(page.limit + 1);
    return pageOf(rows, page.limit, ({ id }) => id);
  });
}
