import { and, eq, isNull, or } from 'drizzle-orm';
import { connections } from '../../db/schema/index.ts';
import { onsiteConfig } from '../../integrations/onsite/config.ts';
import { publicKeyOf, webPushConfig } from '../../integrations/web-push/config.ts';
import type { Deps } from '../deps.ts';

/** A site on which the script runs. */
export interface Site {
  tenantId: string;
  /** The pages that it is answered on. */
  origins: readonly string[];
  /** How its store sends notifications; null: it sends none. */
  push: { publicKey: string; hosts: readonly string[] } | null;
}

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** @param key - the public one, as a page names it. @returns null: there is no such site, or it is disconnected */
export async function findSite({ db, sealing }: Pick<Deps, 'db' | 'sealing'>, key: string): Promise<Site | null> {
  const found = uuid.test(key) ? await db.resolveConnection('onsite', key) : null;
  if (found === null || found.state !== 'connected') return null;
  const notifying = and(eq(connections.integration, 'web-push'), eq(connections.state, 'connected'), isNull(connections.removedAt));
  const rows = await db.withTenant(found.tenantId, (tx) =>
    tx
      .select({ id: connections.id, sealedConfig: connections.sealedConfig })
      .from(connections)
      .where(or(eq(connections.id, found.id), notifying)),
  );
  const configOf = (row: (typeof rows)[number] | undefined): unknown =>
    row?.sealedConfig == null ? null : JSON.parse(sealing.open(row.sealedConfig));
  const config = onsiteConfig.safeParse(configOf(rows.find(({ id }) => id === found.id)));
  if (!config.success) return null;
  const push = configOf(rows.find(({ id }) => id !== found.id));
  return {
    tenantId: found.tenantId,
    origins: config.data.origins,
    push: push === null ? null : { publicKey: publicKeyOf(push), hosts: webPushConfig.parse(push).hosts },
  };
}
