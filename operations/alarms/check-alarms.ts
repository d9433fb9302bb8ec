import { and, eq, isNull, sql } from 'drizzle-orm';
import { v7 as uuidv7 } from 'uuid';
import { alarmStandings, alarms, tenants } from '../../db/schema/index.ts';
import { type AlarmKind, alarmKinds, decideAlarm, thresholdOf } from '../../domain/alarms/decide-alarm.ts';
import { settingsOf } from '../../domain/tenant-settings.ts';
import type { Deps } from '../deps.ts';
import { readFigures } from './figures.ts';

/** How often a store's figures are checked, by all workers together. */
const everyMs = 60_000;

/** Look at every store whose turn it is. One that cannot be looked at holds up no other. */
export async function alarmsPass(deps: Pick<Deps, 'db' | 'clock' | 'log' | 'telemetry'>): Promise<void> {
  const stores = new Map<AlarmKind, number>(alarmKinds.map((kind) => [kind, 0]));
  for (const { id } of await deps.db.listTenants())
    try {
      for (const kind of (await lookAt(deps, id))?.raised ?? []) stores.set(kind, (stores.get(kind) ?? 0) + 1);
    } catch (err) {
      deps.log.warn({ tenantId: id, err }, 'a store’s alarms could not be looked at');
    }
  for (const [kind, count] of stores) deps.telemetry.storesInAlarm(kind, count);
}

/**
 * Compare a store's figures with its thresholds, and raise or clear alarms that have held for long enough. Each change is an event, written in the same
 * transaction.
 * @returns what changed; null: another worker has looked within the minute
 */
export async function checkAlarms(deps: Pick<Deps, 'db' | 'clock'>, tenantId: string): Promise<AlarmChange[] | null> {
  return (await lookAt(deps, tenantId))?.changes ?? null;
}

interface AlarmChange {
  kind: AlarmKind;
  change: 'raised' | 'cleared';
}

/** @returns what changed, null where another worker has looked within the minute; and what is raised by now; null: there is no such store */
function lookAt({ db, clock }: Pick<Deps, 'db' | 'clock'>, tenantId: string): Promise<{ changes: AlarmChange[] | null; raised: AlarmKind[] } | null> {
  return db.withTenant(tenantId, async (tx) => {
    const [row] = await tx.select({ settings: tenants.settings }).from(tenants).where(eq(tenants.id, tenantId));
    if (row === undefined) return null;
    // Two workers that look at once wait here, and the later one finds that it was done.
    await tx.execute(sql`select pg_advisory_xact_lock(hashtextextended(${`${tenantId} alarms`}, 0))`);
    const before = new Map((await tx.select().from(alarmStandings)).map((standing) => [standing.kind, standing]));
    const nowMs = clock.nowMs();
    if ([...before.values()].some(({ checkedAt }) => checkedAt <= nowMs && nowMs - checkedAt < everyMs))
      return { changes: null, raised: alarmKinds.filter((kind) => before.get(kind)?.raised === true) };
    const { alarms: thresholds } = settingsOf(row);
    const figures = await readFigures(tx);
    const changes: AlarmChange[] = [];
    const all: AlarmKind[] = [];
    for (const kind of alarmKinds) {
      const { raised = false, crossedAt = null } = before.get(kind) ?? {};
      const [figure, threshold] = [figures[kind], thresholdOf(kind, thresholds)];
      const next = decideAlarm({ raised, crossedAtMs: crossedAt }, figure, threshold, { nowMs, holdMs: thresholds.minutes * 60_000 });
      if (next.raised) all.push(kind);
      const standing = { figure, raised: next.raised, crossedAt: next.crossedAtMs, checkedAt: nowMs };
      await tx
        .insert(alarmStandings)
        .values({ tenantId, kind, ...standing })
        .onConflictDoUpdate({ target: [alarmStandings.tenantId, alarmStandings.kind], set: standing });
      if (next.change === 'raised' && figure !== null && threshold.limit !== null)
        await tx.insert(alarms).values({ tenantId, id: uuidv7(), kind, figure, threshold: threshold.limit, raisedAt: nowMs });
      if (next.change === 'cleared')
        await tx
          .update(alarms)
          .set({ clearedAt: nowMs })
          .where(and(eq(alarms.kind, kind), isNull(alarms.clearedAt)));
      if (next.change !== null) changes.push({ kind, change: next.change });
    }
    return { changes, raised: all };
  });
}
