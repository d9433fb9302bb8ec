import { eq, inArray, sql } from 'drizzle-orm';
import type { Tx } from '../../db/client.ts';
import { tasks, tenants } from '../../db/schema/index.ts';
import { settingsOf, type TenantSettings } from '../../domain/tenant-settings.ts';
import { isOnDuty, pickTarget, type TargetWork, type WorkTarget } from '../../domain/work/target.ts';

export interface WorkRules {
  settings: Pick<TenantSettings, 'workTargets' | 'workRule' | 'timeZone' | 'overdueTasks'>;
}

/** What the store says about who does its work. Locks the tenant's row until the end: no two tasks take the same turn. */
export async function readWorkRules(tx: Tx, tenantId: string): Promise<WorkRules> {
  const [tenant] = await tx.select().from(tenants).where(eq(tenants.id, tenantId)).for('no key update');
  return { settings: settingsOf(tenant ?? { settings: {} }) };
}

/** Somebody by the store's rule; null: anybody. @param had - to whom it does not go */
export async function chooseOwner(
  tx: Tx,
  { settings: { workTargets, workRule, timeZone } }: WorkRules,
  wish: { role: WorkTarget['role']; skill: string | null },
  nowMs: number,
  had: ReadonlySet<string> = new Set(),
): Promise<string | null> {
  const targets = workTargets.filter(({ name }) => !had.has(name));
  if (targets.length === 0) return null;
  const names = targets.map(({ name }) => name);
  const rows = await tx
    .select({
      owner: tasks.owner,
      open: sql<number>`(count(*) filter (where ${tasks.state} = 'open'))::int`,
      last: sql<number>`(extract(epoch from max(${tasks.createdAt})) * 1000)::float8`,
    })
    .from(tasks)
    .where(inArray(tasks.owner, names))
    .groupBy(tasks.owner);
  const known = new Map(rows.flatMap(({ owner, open, last }): [string, TargetWork][] => (owner === null ? [] : [[owner, { open, lastAtMs: last }]])));
  return pickTarget(targets, known, { ...wish, rule: workRule, ...clockIn(timeZone, nowMs) })?.name ?? null;
}

/**
 * To whom a task goes that its owner has not done: the first of the order who is on duty, else the first; without an order a manager by the store's rule.
 * A member who is not a work target has no hours.
 * @returns null: everybody had it
 */
export async function chooseNext(
  tx: Tx,
  rules: WorkRules,
  order: readonly string[],
  had: ReadonlySet<string>,
  nowMs: number,
): Promise<string | null> {
  if (order.length === 0) return chooseOwner(tx, rules, { role: 'manager', skill: null }, nowMs, had);
  const { workTargets, timeZone } = rules.settings;
  const clock = clockIn(timeZone, nowMs);
  const left = order.filter((name) => !had.has(name));
  const present = left.find((name) => {
    const target = workTargets.find((one) => one.name === name);
    return target === undefined || isOnDuty(target, clock);
  });
  return present ?? left[0] ?? null;
}

/** The store's clock: the day as `mon`, and the minutes since midnight. */
function clockIn(timeZone: string, nowMs: number): { day: string; minute: number } {
  const form = new Intl.DateTimeFormat('en-GB', { timeZone, weekday: 'short', hour: '2-digit', minute: '2-digit', hourCycle: 'h23' });
  const parts = form.formatToParts(nowMs);
  const part = (type: string) => parts.find((one) => one.type === type)?.value ?? '';
  return { day: part('weekday').toLowerCase(), minute: Number(part('hour')) * 60 + Number(part('minute')) };
}
