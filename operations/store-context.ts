import { eq } from 'drizzle-orm';
import { connections } from '../db/schema/index.ts';
import { ownAddressesOf, settingsOf } from '../domain/tenant-settings.ts';
import type { Receiver, StoreContext } from '../integrations/port.ts';
import type { Deps } from './deps.ts';
import type { TenantRow } from './intake/delivery.ts';

/** What a receiver needs to know about the store whose delivery it reads. */
export function storeContextOf(tenant: Pick<TenantRow, 'settings'>): StoreContext {
  const settings = settingsOf(tenant);
  const { timeZone, country, storeUrl, currency } = settings;
  return { timeZone, country, url: storeUrl, currency, addresses: ownAddressesOf(settings) };
}

/** The same with the connection's configuration, where its receiver reads it. */
export async function receiverContextOf(
  deps: Pick<Deps, 'db' | 'sealing'>,
  receiver: Receiver,
  where: { tenantId: string; connectionId: string },
  tenant: Pick<TenantRow, 'settings'>,
): Promise<StoreContext> {
  const store = storeContextOf(tenant);
  return receiver.readsConfig === true ? { ...store, config: (await readConnectionConfig(deps, where)).config } : store;
}

/** A connection's configuration, opened; null: it has none. `sealed`: as stored, which tells whether it has changed since. */
export async function readConnectionConfig(
  { db, sealing }: Pick<Deps, 'db' | 'sealing'>,
  { tenantId, connectionId }: { tenantId: string; connectionId: string },
): Promise<{ integration: string; config: unknown; sealed: string | null }> {
  const [row] = await db.withTenant(tenantId, (tx) =>
    tx.select({ integration: connections.integration, sealed: connections.sealedConfig }).from(connections).where(eq(connections.id, connectionId)),
  );
  if (row === undefined) throw new Error('the connection does not exist');
  return { ...row, config: row.sealed === null ? null : (JSON.parse(sealing.open(row.sealed)) as unknown) };
}
