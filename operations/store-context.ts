import { and, eq } from 'drizzle-orm';
import { connections } from '../db/schema/index.ts';
import { ownAddressesOf, settingsOf } from '../domain/tenant-settings.ts';
import type { Integration, Receiver, StoreContext } from '../integrations/port.ts';
import { knownConfig } from '../integrations/stored-config.ts';
import type { Deps } from './deps.ts';
import { answersFrom } from './bots/lease.ts';
import type { TenantRow } from './intake/delivery.ts';

/**
 * What a receiver knows beside the store, where it needs the configuration of its connection or when its bot has started. Read with each delivery: a change
 * counts from then on.
 */
export async function withConnection(
  deps: Pick<Deps, 'db' | 'sealing' | 'integrations'>,
  receiver: Pick<Receiver, 'readsConfig' | 'readsChat'>,
  connection: { tenantId: string; id: string },
  store: StoreContext,
): Promise<StoreContext> {
  if (receiver.readsChat === true) {
    const answersFromMs = await deps.db.withTenant(connection.tenantId, (tx) => answersFrom(tx, connection.id));
    return answersFromMs === null ? store : { ...store, chat: { answersFromMs, isBacklog: false } };
  }
  if (receiver.readsConfig !== true) return store;
  const [row] = await deps.db.withTenant(connection.tenantId, (tx) =>
    tx.select({ integration: connections.integration, sealed: connections.sealedConfig }).from(connections).where(eq(connections.id, connection.id)),
  );
  return row?.sealed == null ? store : { ...store, config: opened(deps, row.integration, row.sealed) };
}

/** The connected connection of the tenant that has this account with an integration; of several, the oldest. @returns its id; null: there is none */
export async function connectionOfAccount(
  { db, sealing }: Pick<Deps, 'db' | 'sealing'>,
  tenantId: string,
  { name, accountOf }: Pick<Integration, 'name' | 'accountOf'>,
  account: string,
): Promise<string | null> {
  const rows = await db.withTenant(tenantId, (tx) =>
    tx
      .select({ id: connections.id, sealed: connections.sealedConfig })
      .from(connections)
      .where(and(eq(connections.integration, name), eq(connections.state, 'connected')))
      .orderBy(connections.id),
  );
  const found = rows.find(({ sealed }) => sealed !== null && accountOf?.(JSON.parse(sealing.open(sealed))) === account);
  return found?.id ?? null;
}

/** What a receiver needs to know about the store whose delivery it reads. */
export function storeContextOf(tenant: Pick<TenantRow, 'settings'>): StoreContext {
  const settings = settingsOf(tenant);
  const { timeZone, country, storeUrl, currency } = settings;
  return { timeZone, country, url: storeUrl, currency, addresses: ownAddressesOf(settings), linkUrl: settings.smsLinkUrl };
}

/** A connection's configuration, opened; null: it has none. `sealed`: as stored, which tells whether it has changed since. */
export async function readConnectionConfig(
  deps: Pick<Deps, 'db' | 'sealing' | 'integrations'>,
  { tenantId, connectionId }: { tenantId: string; connectionId: string },
): Promise<{ integration: string; config: unknown; sealed: string | null }> {
  const [row] = await deps.db.withTenant(tenantId, (tx) =>
    tx.select({ integration: connections.integration, sealed: connections.sealedConfig }).from(connections).where(eq(connections.id, connectionId)),
  );
  if (row === undefined) throw new Error('the connection does not exist');
  return { ...row, config: row.sealed === null ? null : opened(deps, row.integration, row.sealed) };
}

/** A connection's configuration as its integration knows it. */
export const opened = ({ integrations, sealing }: Pick<Deps, 'sealing' | 'integrations'>, integration: string, sealed: string): unknown =>
  knownConfig(integrations[integration]?.config, JSON.parse(sealing.open(sealed)));
