import { eq } from 'drizzle-orm';
import { messages, tenants } from '../../db/schema/index.ts';
import { tenantSettings } from '../../domain/tenant-settings.ts';
import type { Deps } from '../deps.ts';

/** The store that a message came from, as pages for shoppers name it. */
export interface StoreOfMessage {
  name: string;
  url: string;
  brandColor: string;
}

/** @returns null when there is no such message any more */
export function readStoreOfMessage(deps: Pick<Deps, 'db'>, target: { tenantId: string; messageId: string }): Promise<StoreOfMessage | null> {
  return deps.db.withTenant(target.tenantId, async (tx) => {
    const [row] = await tx
      .select({ settings: tenants.settings })
      .from(messages)
      .innerJoin(tenants, eq(tenants.id, messages.tenantId))
      .where(eq(messages.id, target.messageId));
    if (row === undefined) return null;
    const { storeName, storeUrl, brandColor } = tenantSettings.parse(row.settings);
    return { name: storeName, url: storeUrl, brandColor };
  });
}
