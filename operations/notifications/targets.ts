import { and, eq, isNotNull, isNull } from 'drizzle-orm';
import { v7 as uuidv7 } from 'uuid';
import type { Tx } from '../../db/client.ts';
import { notifications, notificationTargets, tenants } from '../../db/schema/index.ts';
import type { NotificationChannel } from '../../domain/notifications/channels.ts';
import { settingsOf } from '../../domain/tenant-settings.ts';
import { newStandardWebhookSecret } from '../../integrations/standard-webhooks.ts';
import { recordAudit } from '../audit.ts';
import type { Deps } from '../deps.ts';
import { beyond, byAge, type Page, pageOf, type PageWanted } from '../read/page.ts';
import { notificationOutlets, type TargetConfig } from './outlets/index.ts';

export { notificationChannels } from '../../domain/notifications/channels.ts';

type Row = typeof notificationTargets.$inferSelect;
type TargetDeps = Pick<Deps, 'db' | 'sealing'>;

/** Where an owner is notified of tasks. Times in epoch milliseconds. */
export interface TargetView {
  id: string;
  /** null: of tasks that are anybody's. */
  owner: string | null;
  channel: NotificationChannel;
  /** Of Slack and webhooks the host alone: the rest lets somebody in. */
  address: string;
  /** Empty: every kind. */
  kinds: string[];
  createdAtMs: number;
}

export interface TargetWish {
  owner: string | null;
  channel: NotificationChannel;
  address: string;
  kinds: readonly string[];
}

export type TargetMade =
  /** `secret`: of a webhook, shown this once. */
  { kind: 'made'; target: TargetView; secret: string | null } | { kind: 'invalid_address'; message: string } | { kind: 'too_many'; most: number };

const mostTargets = 200;

const configOf = ({ sealing }: Pick<Deps, 'sealing'>, row: Row) => JSON.parse(sealing.open(row.sealedConfig)) as TargetConfig;

const viewOf = (deps: Pick<Deps, 'sealing'>, row: Row): TargetView => ({
  ...{ id: row.id, owner: row.owner, channel: row.channel, kinds: row.kinds, createdAtMs: row.createdAt },
  address: notificationOutlets[row.channel].show(configOf(deps, row).address),
});

async function readAddress(tx: Tx, tenantId: string, channel: NotificationChannel, text: string) {
  const [tenant] = await tx.select({ settings: tenants.settings }).from(tenants).where(eq(tenants.id, tenantId));
  return notificationOutlets[channel].readAddress(text, settingsOf(tenant ?? { settings: {} }));
}

export function createTarget(deps: TargetDeps, tenantId: string, wish: TargetWish, by: string): Promise<TargetMade> {
  const { owner, channel, kinds } = wish;
  return deps.db.withTenant(tenantId, async (tx): Promise<TargetMade> => {
    const read = await readAddress(tx, tenantId, channel, wish.address);
    if ('fault' in read) return { kind: 'invalid_address', message: read.fault };
    if ((await tx.$count(notificationTargets, isNull(notificationTargets.removedAt))) >= mostTargets) return { kind: 'too_many', most: mostTargets };
    const secret = notificationOutlets[channel].isSigned ? newStandardWebhookSecret() : null;
    const config: TargetConfig = { address: read.address, ...(secret === null ? {} : { secret }) };
    const [row] = await tx
      .insert(notificationTargets)
      .values({ tenantId, id: uuidv7(), owner, channel, kinds: [...kinds], sealedConfig: deps.sealing.seal(JSON.stringify(config)) })
      .returning();
    if (row === undefined) throw new Error('insert returned nothing');
    await recordAudit(tx, { tenantId, actor: by, action: 'notification_target.create', subject: row.id, data: { owner, channel, kinds } });
    return { kind: 'made', target: viewOf(deps, row), secret };
  });
}

/** The oldest first. */
export function listTargets(deps: TargetDeps, tenantId: string, page: PageWanted): Promise<Page<TargetView>> {
  return deps.db.withTenant(tenantId, async (tx) => {
    const rows = await tx
      .select()
      .from(notificationTargets)
      .where(and(isNull(notificationTargets.removedAt), beyond(notificationTargets.id, 'oldest', page)))
      .orderBy(byAge(notificationTargets.id, 'oldest', page))
      .limit(page.limit + 1);
    const { items, next } = pageOf(rows, page.limit, ({ id }) => id);
    return { items: items.map((row) => viewOf(deps, row)), next };
  });
}

async function find(tx: Tx, id: string): Promise<Row | null> {
  const [row] = await tx
    .select()
    .from(notificationTargets)
    .where(and(eq(notificationTargets.id, id), isNull(notificationTargets.removedAt)))
    .for('no key update');
  return row ?? null;
}

export function readTarget(deps: TargetDeps, tenantId: string, id: string): Promise<TargetView | null> {
  return deps.db.withTenant(tenantId, async (tx) => {
    const row = await find(tx, id);
    return row === null ? null : viewOf(deps, row);
  });
}

export interface TargetChange {
  owner?: string | null | undefined;
  address?: string | undefined;
  kinds?: readonly string[] | undefined;
}
export type TargetChanged = { kind: 'changed'; target: TargetView } | { kind: 'unknown' } | { kind: 'invalid_address'; message: string };

/** What waits goes to the new address. The channel stays: another channel is another target. */
export function changeTarget(deps: TargetDeps, tenantId: string, id: string, change: TargetChange, by: string): Promise<TargetChanged> {
  return deps.db.withTenant(tenantId, async (tx): Promise<TargetChanged> => {
    const row = await find(tx, id);
    if (row === null) return { kind: 'unknown' };
    const read = change.address === undefined ? null : await readAddress(tx, tenantId, row.channel, change.address);
    if (read !== null && 'fault' in read) return { kind: 'invalid_address', message: read.fault };
    const config: TargetConfig = { ...configOf(deps, row), ...(read === null ? {} : { address: read.address }) };
    const { owner, kinds } = { owner: change.owner === undefined ? row.owner : change.owner, kinds: [...(change.kinds ?? row.kinds)] };
    const [changed] = await tx
      .update(notificationTargets)
      .set({ owner, kinds, sealedConfig: read === null ? row.sealedConfig : deps.sealing.seal(JSON.stringify(config)) })
      .where(eq(notificationTargets.id, id))
      .returning();
    // Whether the old address has one that is in doubt can no longer be asked there, and the new one is not sent what the old one may have.
    if (read !== null)
      await tx
        .update(notifications)
        .set({ askAt: null })
        .where(and(eq(notifications.targetId, id), isNotNull(notifications.askAt)));
    const data = { owner, kinds, address: change.address === undefined ? 'unchanged' : 'changed' };
    await recordAudit(tx, { tenantId, actor: by, action: 'notification_target.change', subject: id, data });
    return { kind: 'changed', target: viewOf(deps, changed ?? row) };
  });
}

/** Remove a target and drop what waits for it. @returns false: there is no such target */
export function removeTarget(deps: Pick<Deps, 'db' | 'clock'>, tenantId: string, id: string, by: string): Promise<boolean> {
  return deps.db.withTenant(tenantId, async (tx) => {
    if ((await find(tx, id)) === null) return false;
    await tx.update(notificationTargets).set({ removedAt: deps.clock.nowMs() }).where(eq(notificationTargets.id, id));
    await recordAudit(tx, { tenantId, actor: by, action: 'notification_target.remove', subject: id });
    return true;
  });
}
