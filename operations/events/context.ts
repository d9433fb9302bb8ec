import { eq } from 'drizzle-orm';
import type { Tx } from '../../db/client.ts';
import { tenants } from '../../db/schema/index.ts';
import { ownAddressesOf, type TenantSettings, tenantSettings } from '../../domain/tenant-settings.ts';
import type { Deps } from '../deps.ts';
import type { LiveClaim } from '../lease-watch.ts';
import type { EventSource } from './identities.ts';
import type { Found } from './lock-named.ts';
import type { World } from './world.ts';

/** What the effects of one delivery share while they are written: the transaction, its tenant, and what it has touched so far. */
export interface EventContext {
  tx: Tx;
  deps: Pick<Deps, 'sealing' | 'clock' | 'versions'>;
  source: EventSource;
  tenant: { slug: string; settings: TenantSettings; timeScale: number };
  inboxId: string | null;
  /** What the event in hand names. The rows of all these persons are locked; effects may touch no others. */
  found: Found;
  /** The world of what the event is about, where it was read together with the locks; null: it is to be read. */
  world: World | null;
  /** Contacts whose running calls must be over before the 2xx (stops, and merges that carry one). */
  covered: Set<string>;
  /** Their calls that may be running, where these were read with the world; null: they are to be read. */
  claims: LiveClaim[] | null;
  /** Whether anything was written to the outbox. */
  outboxWritten: boolean;
  nowMs: number;
}

/** A tenant as it decides how events are read and what they lead to. */
export interface TenantRow {
  slug: string;
  settings: unknown;
  timeScale: number;
}

/** How this tenant's events are read. `connectionId` is empty for what comes without a webhook. */
export function sourceOf(where: { tenantId: string; connectionId: string }, settings: TenantSettings): EventSource {
  return {
    tenantId: where.tenantId,
    connectionId: where.connectionId,
    country: settings.country,
    ownAddresses: ownAddressesOf(settings),
    sharedKeys: settings.sharedKeys,
  };
}

export async function readTenant(tx: Tx, tenantId: string): Promise<TenantRow> {
  const [tenant] = await tx.select().from(tenants).where(eq(tenants.id, tenantId));
  if (tenant === undefined) throw new Error('the tenant does not exist');
  return tenant;
}

/**
 * A context that has touched nobody yet.
 * @param where - `connectionId` is empty and `inboxId` null for what comes without a webhook
 */
export function startContext(
  tx: Tx,
  deps: Pick<Deps, 'sealing' | 'clock' | 'timeScale' | 'versions'>,
  where: { tenantId: string; connectionId: string; inboxId: string | null },
  tenant: TenantRow,
): EventContext {
  const settings = tenantSettings.parse(tenant.settings);
  return {
    tx,
    deps,
    source: sourceOf(where, settings),
    tenant: { slug: tenant.slug, settings, timeScale: deps.timeScale ?? tenant.timeScale },
    inboxId: where.inboxId,
    found: { named: [], reached: [], near: [], subjects: [], crowded: [] },
    world: null,
    covered: new Set(),
    claims: null,
    outboxWritten: false,
    nowMs: deps.clock.nowMs(),
  };
}
