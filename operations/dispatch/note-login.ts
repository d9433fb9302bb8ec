import { and, eq, isNull, sql } from 'drizzle-orm';
import { connections } from '../../db/schema/index.ts';
import type { Deps } from '../deps.ts';
import type { Outlet } from '../outlets.ts';
import { withoutAddresses } from './without-addresses.ts';

type ConnectionRow = Pick<typeof connections.$inferSelect, 'id' | 'fault' | 'sealedConfig'>;

/** Says that a send has noted it: the next message that is accepted by the same channel takes it back. What others note about the connection is theirs. */
const notedBySends = ({ sender }: Outlet) => `a message by ${sender.channel} was not taken: `;

/**
 * Show at the connection that its provider did not let a message in, or lets messages in again. The message itself is settled by now and is tried again
 * by its own back-off, so nothing depends on this being written.
 * @param rows - the store's connections as this run has read them
 * @param refusal - what the provider said; null: it accepted a message
 */
export async function noteLogin(
  deps: Pick<Deps, 'db' | 'log'>,
  tenantId: string,
  outlet: Outlet,
  rows: readonly ConnectionRow[],
  refusal: string | null,
): Promise<void> {
  const row = rows.find(({ id }) => id === outlet.connectionId);
  // The installation's own way out is no store's to mend.
  if (row === undefined) return;
  const prefix = notedBySends(outlet);
  if (refusal === null ? row.fault?.startsWith(prefix) !== true : row.fault !== null) return;
  const fault = refusal === null ? null : `${prefix}${withoutAddresses(refusal)}`;
  // Since the rows were read, another may have noted something, or the login have been corrected: then this is no news.
  const isStillSo =
    refusal === null
      ? sql`starts_with(${connections.fault}, ${prefix})`
      : and(isNull(connections.fault), sql`${connections.sealedConfig} is not distinct from ${row.sealedConfig}`);
  try {
    await deps.db.withTenant(tenantId, (tx) =>
      tx
        .update(connections)
        .set({ fault, faultAt: fault === null ? null : sql`clock_timestamp()` })
        .where(and(eq(connections.id, row.id), isStillSo)),
    );
  } catch (err) {
    deps.log.warn({ tenantId, connectionId: row.id, err }, 'whether a provider lets us in is not stored');
  }
}
