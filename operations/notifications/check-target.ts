import { randomUUID } from 'node:crypto';
import { and, count, eq, gt, isNull, sql } from 'drizzle-orm';
import { auditLog, notificationTargets, tenants } from '../../db/schema/index.ts';
import { settingsOf } from '../../domain/tenant-settings.ts';
import type { SendOutcome } from '../../integrations/port.ts';
import { recordAudit } from '../audit.ts';
import type { Deps } from '../deps.ts';
import { startDeadline } from '../dispatch/fence.ts';
import { outletsOf } from '../outlets.ts';
import { notificationOutlets, type TargetConfig } from './outlets/index.ts';

export type TargetCheck =
  | { kind: 'checked'; outcome: SendOutcome['kind']; detail: string }
  /** The store has no account for the channel. */
  | { kind: 'no_way'; detail: string }
  | { kind: 'unknown' }
  | { kind: 'too_many' };

/** Of one store, in an hour: enough to set targets up, too few to bother anybody with. */
export const mostChecksPerHour = 20;
const action = 'notification_target.check';
const deadlineMs = 5_000;

/** Send one test notification to a target. It names no person and is in no list; the audit log has who sent it. */
export async function checkTarget(deps: Deps, tenantId: string, id: string, by: string): Promise<TargetCheck> {
  const found = await deps.db.withTenant(tenantId, async (tx) => {
    const live = and(eq(notificationTargets.id, id), isNull(notificationTargets.removedAt));
    const [target] = await tx.select().from(notificationTargets).where(live);
    if (target === undefined) return { kind: 'unknown' as const };
    // Checks of one store wait for each other here, so that they are counted.
    await tx.execute(sql`select pg_advisory_xact_lock(hashtextextended(${`${action} ${tenantId}`}, 0))`);
    const recent = and(eq(auditLog.action, action), gt(auditLog.at, deps.clock.nowMs() - 3_600_000));
    const [made] = await tx.select({ n: count() }).from(auditLog).where(recent);
    if ((made?.n ?? 0) >= mostChecksPerHour) return { kind: 'too_many' as const };
    await recordAudit(tx, { tenantId, actor: by, action, subject: id });
    const [tenant] = await tx.select().from(tenants).where(eq(tenants.id, tenantId));
    return { kind: 'found' as const, target, settings: settingsOf(tenant ?? { settings: {} }) };
  });
  if (found.kind !== 'found') return found;
  const { target, settings } = found;
  const outlet = notificationOutlets[target.channel];
  const config = JSON.parse(deps.sealing.open(target.sealedConfig)) as TargetConfig;
  const outlets = await outletsOf(deps, tenantId);
  const way = outlet.way(config, { clock: deps.clock, outlets, account: null, settings, publicUrl: deps.publicUrl });
  if (way === null) return { kind: 'no_way', detail: outlet.missing };
  const whose = target.owner === null ? 'that are anybody’s' : `of ${target.owner}`;
  const dashboard = `${deps.publicUrl}/app`;
  const message = {
    ...{ id: randomUUID(), subject: `A test from ${settings.storeName}`, cause: 'opened' as const, atMs: deps.clock.nowMs() },
    body: `This is a test: tasks ${whose} will be told here. There is nothing to do.`,
    links: { task: dashboard, accept: dashboard, reassign: dashboard, snooze: dashboard, resolve: dashboard },
    task: { kind: 'test', owner: target.owner },
  };
  const outcome = await way.send(message, startDeadline(deps.clock, deadlineMs));
  return {
    kind: 'checked',
    outcome: outcome.kind,
    detail: outcome.kind === 'accepted' ? 'It was taken: look whether it arrives.' : outcome.response,
  };
}
