import { eq, isNull } from 'drizzle-orm';
import { alarmStandings, alarms, tenants } from '../../db/schema/index.ts';
import { type AlarmKind, alarmKinds, thresholdOf } from '../../domain/alarms/decide-alarm.ts';
import { settingsOf } from '../../domain/tenant-settings.ts';
import type { Deps } from '../deps.ts';
import { beyond, byAge, type Page, pageOf, type PageWanted } from '../read/page.ts';

export { alarmKinds } from '../../domain/alarms/decide-alarm.ts';

/** How one figure stands beside its threshold. */
export interface AlarmNow {
  kind: AlarmKind;
  raised: boolean;
  /** null: it is not raised. */
  raisedAtMs: number | null;
  /** null: there is nothing to measure, or nobody has looked yet. */
  figure: number | null;
  threshold: number | null;
  trouble: 'above' | 'below';
  checkedAtMs: number | null;
}

export function readAlarms({ db }: Pick<Deps, 'db'>, tenantId: string): Promise<AlarmNow[]> {
  return db.withTenant(tenantId, async (tx) => {
    const [row] = await tx.select({ settings: tenants.settings }).from(tenants).where(eq(tenants.id, tenantId));
    const thresholds = settingsOf(row ?? { settings: {} }).alarms;
    const standings = new Map((await tx.select().from(alarmStandings)).map((standing) => [standing.kind, standing]));
    const open = new Map((await tx.select().from(alarms).where(isNull(alarms.clearedAt))).map((alarm) => [alarm.kind, alarm]));
    return alarmKinds.map((kind) => {
      const { limit: threshold, trouble } = thresholdOf(kind, thresholds);
      const standing = standings.get(kind);
      const raisedAtMs = open.get(kind)?.raisedAt ?? null;
      return {
        kind,
        raised: raisedAtMs !== null,
        raisedAtMs,
        figure: standing?.figure ?? null,
        threshold,
        trouble,
        checkedAtMs: standing?.checkedAt ?? null,
      };
    });
  });
}

export type AlarmRow = typeof alarms.$inferSelect;

/** Every alarm that was raised, the latest first. */
export function listAlarms({ db }: Pick<Deps, 'db'>, tenantId: string, page: PageWanted): Promise<Page<AlarmRow>> {
  return db.withTenant(tenantId, async (tx) => {
    const rows = await tx
      .select()
      .from(alarms)
      .where(beyond(alarms.id, 'newest', page))
      .orderBy(byAge(alarms.id, 'newest', page))
      .limit(page.limit + 1);
    return pageOf(rows, page.limit, ({ id }) => id);
  });
}
