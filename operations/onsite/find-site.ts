import { onsiteConfig } from '../../integrations/onsite/config.ts';
import type { Deps } from '../deps.ts';
import { connections } from '../../db/schema/index.ts';
import { eq } from 'drizzle-orm';

/** A site on which the script runs. */
export interface Site {
  tenantId: string;
  /** The pages that it is answered on. */
  origins: readonly string[];
}

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** @param key - the public one, as a page names it. @returns null: there is no such site, or it is disconnected */
export async function findSite({ db, sealing }: Pick<Deps, 'db' | 'sealing'>, key: string): Promise<Site | null> {
  const found = uuid.test(key) ? await db.resolveConnection('onsite', key) : null;
  if (found === null || found.state !== 'connected') return null;
  const [row] = await db.withTenant(found.tenantId, (tx) =>
    tx.select({ sealedConfig: connections.sealedConfig }).from(connections).where(eq(connections.id, found.id)),
  );
  const config = onsiteConfig.safeParse(row?.sealedConfig == null ? null : JSON.parse(sealing.open(row.sealedConfig)));
  return config.success ? { tenantId: found.tenantId, origins: config.data.origins } : null;
}
