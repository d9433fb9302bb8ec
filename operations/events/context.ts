import { eq } from 'drizzle-orm';
import type { Tx } from '../../db/client.ts';
import { tenants } from '../../db/schema/index.ts';
import { type TenantSettings, tenantSettings } from '../../domain/tenant-settings.ts';
import type { Deps } from '../deps.ts';
import type { EventSource } from './identities.ts';

/** What the effects of one delivery share while they are written: the transaction, its tenant, and what it has touched so far. */
export interface EventContext {
  tx: Tx;
  deps: Pick<Deps, 'sealing' | 'clock'>;
  source: EventSource;
  tenant: { slug: string; settings: TenantSettings; timeScale: number };
  inboxId: string | null;
  /** The persons whom the event is about: found by its identities, or owners of its subjects. */
  namedPersonIds: string[];
  /** Those and, for a stop, whoever shares an identity with them. All their rows are locked; effects may touch no others. */
  reachedPersonIds: string[];
  /** Contacts whose running calls must be over before the 2xx (stops, and merges that carry one). */
  covered: Set<string>;
  /** Whether anything was written to the outbox. */
  outboxWritten: boolean;
  nowMs: number;
}

/**
 * A context that has touched nobody yet.
 * @param where - `connectionId` is empty and `inboxId` null for what comes without a webhook
 */
export async function startContext(
  tx: Tx,
  deps: Pick<Deps, 'sealing' | 'clock' | 'timeScale'>,
  where: { tenantId: string; connectionId: string; inboxId: string | null },
): Promise<EventContext> {
  const [tenant] = await tx.select().from(tenants).where(eq(tenants.id, where.tenantId));
  if (tenant === undefined) throw new Error('the tenant does not exist');
  const settings = tenantSettings.parse(tenant.settings);
  return {
    tx,
    deps,
    source: { tenantId: where.tenantId, connectionId: where.connectionId, country: settings.country },
    tenant: { slug: tenant.slug, settings, timeScale: deps.timeScale ?? tenant.timeScale },
    inboxId: where.inboxId,
    namedPersonIds: [],
    reachedPersonIds: [],
    covered: new Set(),
    outboxWritten: false,
    nowMs: deps.clock.nowMs(),
  };
}
